/*
 * The choice of a form, and masking by each form against a loop of single bytes: every length,
 * alignment and phase, in place, as a copy and sliding down, beside pages that nobody may touch.
 * What the forms do with text is in test_kernels_text.c and test_kernels_faults.c.
 */
#include "form_checks.h"
#include "harness.h"

static uint8_t source[ALIGNMENTS + MAX_LEN];
static uint8_t wanted[MAX_LEN];

static int open_source(void **context) {
    uint64_t seed = 1;
    random_fill(&seed, source, sizeof source);
    return open_forms(context);
}

/* dst_room[at … at + len) must have been masked, and no other byte of the dst_room but those up to
 * `end` may have been written. */
static void check_room(const form *f, const char *what, size_t at, size_t len, size_t end,
                       uint32_t phase) {
    if (memcmp(dst_room + at, wanted, len) != 0) {
        fail_msg("%s, %s: length %zu to %zu, phase %u", f->name, what, len, at, (unsigned)phase);
    }
    if (memcmp(dst_room, canaries, at) != 0 || memcmp(dst_room + end, canaries, ROOM - end) != 0) {
        fail_msg("%s, %s: length %zu to %zu, phase %u: bytes outside were written", f->name, what,
                 len, at, (unsigned)phase);
    }
}

static void check_mask(const form *f, const uint8_t *src, size_t at, size_t len, uint32_t phase) {
    memset(dst_room, CANARY, sizeof dst_room);
    f->mask(dst_room + at, src, len, test_key, phase);
    check_room(f, "as a copy", at, len, at + len, phase);

    memcpy(dst_room + at, src, len);
    f->mask(dst_room + at, dst_room + at, len, test_key, phase);
    check_room(f, "in place", at, len, at + len, phase);
}

static void every_length_alignment_and_phase(void **context) {
    (void)context;
    for (size_t a = 0; a < ALIGNMENTS; a = next_alignment(a)) {
        const uint8_t *src = source + (a * 7 + 5) % ALIGNMENTS;
        for (uint32_t phase = 0; phase < PHASES; phase++) {
            reference_mask(wanted, src, MAX_LEN, phase);
            for (size_t len = 0; len <= MAX_LEN; len = next_len(len)) {
                for (size_t f = 0; f < forms_count; f++) {
                    check_mask(&forms[f], src, MARGIN + a, len, phase);
                }
            }
        }
    }
}

/* Only the lowest bits of a phase matter, and a key may be any four bytes. */
static void any_phase_and_key(void **context) {
    static const uint32_t phases[] = {4, 7, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF};
    (void)context;
    for (size_t p = 0; p < sizeof phases / sizeof phases[0]; p++) {
        reference_mask(wanted, source, 200, phases[p] % 4);
        for (size_t f = 0; f < forms_count; f++) {
            check_mask(&forms[f], source, MARGIN + p, 200, phases[p]);
        }
    }
    static const uint8_t key[4] = {0x00, 0x80, 0x01, 0xFF};
    for (size_t f = 0; f < forms_count; f++) {
        memset(dst_room, 0, 200);
        forms[f].mask(dst_room, dst_room, 200, key, 1);
        for (size_t i = 0; i < 200; i++) {
            assert_int_equal(dst_room[i], key[(1 + i) % 4]);
        }
    }
}

/* A payload that moves down: what lies below its new place must stay. */
static void check_slide(const form *f, size_t at, size_t slide, size_t len, uint32_t phase) {
    memset(dst_room, CANARY, sizeof dst_room);
    memcpy(dst_room + at + slide, source, len);
    f->mask(dst_room + at, dst_room + at + slide, len, test_key, phase);
    check_room(f, "sliding down", at, len, at + slide + len, phase);
    size_t kept = slide < len ? slide : len;
    if (memcmp(dst_room + at + slide + len - kept, source + len - kept, kept) != 0) {
        fail_msg("%s: length %zu slides down by %zu: bytes behind it were written", f->name, len,
                 slide);
    }
}

static void every_slide(void **context) {
    static const size_t starts[] = {0, 1, 15, 33, 63};
    (void)context;
    for (size_t len = 0; len <= MAX_LEN; len += len < 200 ? 1 : 61) {
        uint32_t phase = (uint32_t)len % 4;
        reference_mask(wanted, source, len, phase);
        for (size_t slide = 1; slide <= MAX_SLIDE; slide++) {
            size_t at = MARGIN + starts[(len + slide) % 5];
            for (size_t f = 0; f < forms_count; f++) {
                check_slide(&forms[f], at, slide, len, phase);
            }
        }
    }
}

/* Between two pages that nobody may touch: each of the two buffers at the start and at the end. */
static void beside_forbidden_pages(void **context) {
    uint8_t *src = guard_alloc(GUARDED);
    uint8_t *dst = guard_alloc(GUARDED);
    (void)context;
    for (size_t len = 0; len <= MAX_LEN; len = next_len(len)) {
        for (size_t way = 0; way < 4; way++) {
            uint8_t *from = src + (way % 2 == 0 ? 0 : GUARDED - len);
            uint8_t *to = dst + (way / 2 == 0 ? 0 : GUARDED - len);
            memcpy(from, source, len);
            reference_mask(wanted, source, len, 3);
            for (size_t f = 0; f < forms_count; f++) {
                forms[f].mask(to, from, len, test_key, 3);
                assert_memory_equal(to, wanted, len);
                forms[f].mask(to, to, len, test_key, 3);
                assert_memory_equal(to, source, len);
            }
        }
    }
    guard_free(src, GUARDED);
    guard_free(dst, GUARDED);
}

/* --- the choice ------------------------------------------------------------------------------ */

static void names_of_forms(void **context) {
    (void)context;
    assert_string_equal(hws_kernel_name(HWS_KERNEL_PORTABLE), "portable");
    assert_string_equal(hws_kernel_name(HWS_KERNEL_SSSE3), "ssse3");
    assert_string_equal(hws_kernel_name(HWS_KERNEL_AVX2), "avx2");
    assert_string_equal(hws_kernel_name(HWS_KERNEL_AVX512), "avx512");
    assert_string_equal(hws_kernel_name(HWS_KERNEL_NEON), "neon");
    assert_null(hws_kernel_name(5));
    assert_null(hws_kernel_name(8));
    assert_null(hws_kernel_name(255));
    for (size_t f = 0; f < forms_count; f++) {
        assert_string_equal(hws_kernel_name(forms[f].number), forms[f].name);
    }
}

/* What the compiler's own library says about the processor. */
static int processor_has(uint8_t kernel) {
    switch (kernel) {
    case HWS_KERNEL_PORTABLE:
        return 1;
#ifdef HWS__X86
    case HWS_KERNEL_SSSE3:
        return __builtin_cpu_supports("ssse3") != 0;
    case HWS_KERNEL_AVX2:
        return __builtin_cpu_supports("avx2") != 0;
    case HWS_KERNEL_AVX512:
        return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
               __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("bmi2") != 0;
#endif
#ifdef HWS__ARM
    case HWS_KERNEL_NEON:
        return 1;
#endif
    default:
        return 0;
    }
}

/* All 256 numbers, from each form that there is. */
static void choosing(void **context) {
    uint8_t before = hws_kernel_get();
    (void)context;
    assert_true(processor_has(before));
    assert_int_equal(hws_kernel_get(), before);
    for (size_t f = 0; f < forms_count; f++) {
        for (unsigned kernel = 0; kernel < 256; kernel++) {
            int can = processor_has((uint8_t)kernel);
            assert_int_equal(hws_kernel_choose(forms[f].number), HWS_OK);
            assert_int_equal(hws_kernel_choose((uint8_t)kernel), can ? HWS_OK : HWS_ERR_ARGUMENT);
            assert_int_equal(hws_kernel_get(), can ? kernel : forms[f].number);
        }
    }
    assert_int_equal(hws_kernel_choose(before), HWS_OK);
    assert_int_equal(hws_kernel_get(), before);
}

static void the_choice_is_used(void **context) {
    uint8_t before = hws_kernel_get();
    (void)context;
    for (size_t f = 0; f < forms_count; f++) {
        assert_int_equal(hws_kernel_choose(forms[f].number), HWS_OK);
        assert_true(HWS__KERNEL(mask) == forms[f].mask);
        assert_true(HWS__KERNEL(utf8) == forms[f].utf8);
        assert_true(HWS__KERNEL(mask_utf8) == forms[f].mask_utf8);
        assert_true(HWS__KERNEL(chacha8) == forms[f].chacha8);
    }
    assert_int_equal(hws_kernel_choose(before), HWS_OK);
}

typedef struct stream {
    uint8_t bytes[2048];
    size_t len;
} stream;

/* A masked frame, of 126 bytes or more (RFC 6455 5.2). */
static void put_frame(stream *s, uint8_t first_byte, const uint8_t *payload, size_t len) {
    uint8_t head[4] = {first_byte, 0x80 | 126, (uint8_t)(len >> 8), (uint8_t)len};
    memcpy(s->bytes + s->len, head, sizeof head);
    memcpy(s->bytes + s->len + 4, test_key, 4);
    reference_mask(s->bytes + s->len + 8, payload, len, 0);
    s->len += 8 + len;
}

/* A text whose first fragment ends inside a code point, a binary message, and a text with a
 * surrogate in it. */
static void fill_stream(stream *s) {
    uint8_t text[300];
    s->len = 0;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t) "\xE2\x82\xAC"[i % 3];
    }
    memset(text + 30, 'a', 60);
    put_frame(s, 0x01, text, 140);
    put_frame(s, 0x80, text + 140, 160);
    put_frame(s, 0x82, source, 300);
    memcpy(text + 180, "\xED\xA0\x80", 3);
    put_frame(s, 0x81, text, 300);
}

static void the_same_events(void **context) {
    static stream s;
    static char trace[1024];
    row r = {.name = "forms", .role = HWS_ROLE_SERVER, .trace = trace};
    uint8_t before = hws_kernel_get();
    uint64_t wanted_checksum = 0;
    (void)context;
    fill_stream(&s);
    for (size_t f = 0; f < forms_count; f++) {
        uint64_t checksum = 0;
        assert_int_equal(hws_kernel_choose(forms[f].number), HWS_OK);
        const char *got = harness_trace(&r, s.bytes, s.len, &checksum);
        if (f == 0) {
            assert_true(strlen(got) < sizeof trace);
            memcpy(trace, got, strlen(got) + 1);
            wanted_checksum = checksum;
        }
        assert_string_equal(got, trace);
        assert_true(checksum == wanted_checksum);
        harness_run_bytes(&r, s.bytes, s.len);
    }
    assert_non_null(strstr(trace, "text [300]; binary [300]; "));
    assert_non_null(strstr(trace, "HWS_ERR_UTF8 @"));
    assert_int_equal(hws_kernel_choose(before), HWS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"kernel.h: each form has a name, other numbers have none", names_of_forms, NULL, NULL,
         NULL},
        {"kernel.h: a form that is unknown or cannot run is refused, and changes nothing", choosing,
         NULL, NULL, NULL},
        {"kernel.h: the form that was chosen is the one that runs", the_choice_is_used, NULL, NULL,
         NULL},
        {"kernel.h: a connection gives the same events with each form", the_same_events, NULL, NULL,
         NULL},
        {"RFC 6455 5.3: any length at any address and phase, copied or in place",
         every_length_alignment_and_phase, NULL, NULL, NULL},
        {"RFC 6455 5.3: any phase, and any four bytes as a key", any_phase_and_key, NULL, NULL,
         NULL},
        {"RFC 6455 5.3: a payload may slide down over itself", every_slide, NULL, NULL, NULL},
        {"RFC 6455 5.3: no byte before or after is touched", beside_forbidden_pages, NULL, NULL,
         NULL},
    };
    return cmocka_run_group_tests(tests, open_source, NULL);
}
