/*
 * Any bytes as a text, and as key and block. Invariant: every form of the kernels makes of it what
 * loops of single bytes make of it, however it was cut, and wherever it stands: the same bytes, the
 * same index of the first bad one, the same state; and it touches nothing else.
 *
 * The last three bytes of the input are options: where the text is cut; the phase and the address
 * that the result goes to; how far above that the source lies, or that it is another buffer.
 */
#include "fuzz.h"

#include "../tests/forms.h"

enum { BEHIND = 64, CANARY = 0xA5, KEY_LEN = 24 };

static const uint8_t mask_key[4] = {0x37, 0xFA, 0x21, 0x3D};

typedef struct outcome {
    size_t good;
    uint32_t state;
} outcome;

/* The input, and what it asks for. */
typedef struct job {
    const uint8_t *text;
    uint8_t *masked;
    size_t len;
    size_t cut;   /* bytes of the first of two pieces */
    size_t align; /* of the result */
    size_t slide; /* the source is the buffer of the result, so many bytes further on */
    uint8_t copy; /* the source is a buffer of its own */
    uint32_t phase;
    outcome wanted;
} job;

/* RFC 6455 5.3, word for word. */
static void slow_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t phase) {
    size_t i = 0;
    while (i < len) {
        dst[i] = src[i] ^ mask_key[(phase + i) % 4];
        i++;
    }
}

/* Whether some code point of RFC 3629 3 starts with the bits in `value`, when `left` more bytes
 * with six bits each follow, `total` bytes in all. */
static int exists(uint32_t value, uint32_t left, uint32_t total) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t low = value << (6 * left);
    uint32_t high = low | ((UINT32_C(1) << (6 * left)) - 1);
    return high >= least[total] && low <= 0x10FFFF && (low < 0xD800 || high > 0xDFFF);
}

static uint32_t bytes_by_lead(uint8_t byte) {
    if (byte < 0x80) {
        return 1;
    }
    return byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 0;
}

/* The index of the first byte with which no text can go on, or len. */
static size_t slow_good(const uint8_t *text, size_t len, uint32_t *left) {
    uint32_t value = 0;
    uint32_t total = 1;
    size_t i = 0;
    *left = 0;
    while (i < len) {
        uint8_t starts = *left == 0;
        if (starts) {
            total = bytes_by_lead(text[i]);
            value = text[i] & (total == 1 ? 0x7FU : 0x7FU >> total);
            *left = total - 1;
        } else {
            value = value << 6 | (text[i] & 0x3F);
            (*left)--;
        }
        if (total == 0 || (!starts && text[i] >> 6 != 2) || !exists(value, *left, total)) {
            return i;
        }
        i++;
    }
    return len;
}

/* The state has no meaning of its own but three: it must be that of the portable form, which gets
 * single bytes here. */
static outcome slow_utf8(const uint8_t *text, size_t len) {
    outcome wanted = {0, HWS_UTF8_ACCEPT};
    uint32_t left = 0;
    size_t good = slow_good(text, len, &left);
    while (wanted.good < len && wanted.state != HWS_UTF8_REJECT) {
        wanted.good += hws__utf8_portable(&wanted.state, text + wanted.good, 1);
    }
    CHECK(wanted.good == good && (wanted.state == HWS_UTF8_REJECT) == (good < len));
    CHECK((wanted.state == HWS_UTF8_ACCEPT) == (good == len && left == 0));
    return wanted;
}

/* A buffer for one result: canaries around it, and the source in it or in a buffer of its own, at
 * whose end the memory ends. */
typedef struct place {
    uint8_t *room;
    uint8_t *own;
    uint8_t *dst;
    const uint8_t *src;
    size_t room_len;
} place;

static place open_place(const job *j) {
    place p;
    p.room_len = j->align + j->len + (j->copy ? BEHIND : j->slide);
    p.room = malloc(p.room_len > 0 ? p.room_len : 1);
    p.own = malloc(j->align + j->len + 1);
    CHECK(p.room != NULL && p.own != NULL);
    memset(p.room, CANARY, p.room_len);
    p.dst = p.room + j->align;
    uint8_t *src = j->copy ? p.own + j->align + 1 : p.dst + j->slide;
    memcpy(src, j->masked, j->len);
    p.src = src;
    return p;
}

/* The canaries are there, and `good` bytes of the text. */
static void close_place(place *p, const job *j, size_t good) {
    size_t end = j->align + j->len;
    size_t i = 0;
    CHECK(good == 0 || memcmp(p->dst, j->text, good) == 0);
    while (i < j->align || (j->copy && i < p->room_len)) {
        CHECK((i >= j->align && i < end) || p->room[i] == CANARY);
        i++;
    }
    /* What is left of the source, behind the result, is as it was. */
    size_t kept = j->copy ? 0 : j->slide < j->len ? j->slide : j->len;
    CHECK(kept == 0 || memcmp(p->src + j->len - kept, j->masked + j->len - kept, kept) == 0);
    free(p->room);
    free(p->own);
}

static void check_mask(const form *f, const job *j) {
    place p = open_place(j);
    f->mask(p.dst, p.src, j->cut, mask_key, j->phase);
    f->mask(p.dst + j->cut, p.src + j->cut, j->len - j->cut, mask_key, j->phase + (uint32_t)j->cut);
    close_place(&p, j, j->len);
}

static void check_mask_utf8(const form *f, const job *j) {
    place p = open_place(j);
    outcome got = {0, HWS_UTF8_ACCEPT};
    got.good = f->mask_utf8(&got.state, p.dst, p.src, j->cut, mask_key, j->phase);
    if (got.state != HWS_UTF8_REJECT) {
        CHECK(got.good == j->cut);
        got.good += f->mask_utf8(&got.state, p.dst + j->cut, p.src + j->cut, j->len - j->cut,
                                 mask_key, j->phase + (uint32_t)j->cut);
    }
    CHECK(got.good == j->wanted.good && got.state == j->wanted.state);
    close_place(&p, j, got.good);
}

/* The text stands at the end of its memory, at any address; without an alignment, at the start. */
static void check_utf8(const form *f, const job *j) {
    uint8_t *room = malloc(j->align + j->len > 0 ? j->align + j->len : 1);
    outcome got = {0, HWS_UTF8_ACCEPT};
    CHECK(room != NULL);
    memset(room, CANARY, j->align);
    uint8_t *text = room + j->align;
    memcpy(text, j->text, j->len);
    got.good = f->utf8(&got.state, text, j->cut);
    if (got.state != HWS_UTF8_REJECT) {
        CHECK(got.good == j->cut);
        got.good += f->utf8(&got.state, text + j->cut, j->len - j->cut);
    }
    CHECK(got.good == j->wanted.good && got.state == j->wanted.state);
    free(room);
}

static void check_chacha8(const form *f, const job *j) {
    uint8_t key[HWS__CHACHA_KEY_LEN] = {0};
    uint8_t *got = malloc(HWS__CHACHA_LEN);
    uint8_t *wanted = malloc(HWS__CHACHA_LEN);
    CHECK(got != NULL && wanted != NULL);
    memcpy(key, j->text, j->len < sizeof key ? j->len : sizeof key);
    f->chacha8(got, key);
    hws__chacha8_portable(wanted, key);
    CHECK(memcmp(got, wanted, HWS__CHACHA_LEN) == 0);
    free(got);
    free(wanted);
}

/* The start of the text as the key of a handshake, at whose end the memory ends. */
static uint8_t *open_key(const job *j) {
    uint8_t *key = calloc(1, KEY_LEN);
    CHECK(key != NULL);
    memcpy(key, j->text, j->len < KEY_LEN ? j->len : KEY_LEN);
    return key;
}

/* By the form of SHA-1 that comes with the form of the kernels that is in use. */
static void check_sha1(const job *j) {
    uint8_t got[HWS__SHA1_LEN];
    uint8_t wanted[HWS__SHA1_LEN];
    uint8_t *key = open_key(j);
    hws__sha1_key(got, key);
    hws__sha1_portable(wanted, key);
    CHECK(memcmp(got, wanted, sizeof got) == 0);
    free(key);
}

#ifdef HWS__DISPATCH
/* As at the start of the program, when the processor has not been asked yet. */
static void forget(void) {
    static const hws__kernels *kernels;
    static hws__sha1_form *sha1;
    if (kernels == NULL) {
        kernels = hws__kernels_chosen;
        sha1 = hws__sha1_chosen;
    }
    hws__kernels_chosen = kernels;
    hws__sha1_chosen = sha1;
}
#else
static void forget(void) {
}
#endif

/* Whatever runs first asks the processor, and gives what it always does. */
static void check_first(const job *j) {
    static const form inlines = {"chosen", 0, hws__mask, hws__utf8, hws__mask_utf8, hws__chacha8};
    forget();
    check_mask(&inlines, j);
    forget();
    check_utf8(&inlines, j);
    forget();
    check_mask_utf8(&inlines, j);
    forget();
    check_chacha8(&inlines, j);
    forget();
    check_sha1(j);
    forget();
    forms_ask();
}

static void check_forms(const job *j) {
    size_t i = 0;
    CHECK(hws_kernel_choose(UINT8_MAX) == HWS_ERR_ARGUMENT && hws_kernel_name(UINT8_MAX) == NULL);
    check_first(j);
    while (i < forms_count) {
        check_mask(&forms[i], j);
        check_utf8(&forms[i], j);
        check_mask_utf8(&forms[i], j);
        check_chacha8(&forms[i], j);
        CHECK(hws_kernel_choose(forms[i].number) == HWS_OK);
        CHECK(hws_kernel_get() == forms[i].number);
        CHECK(strcmp(hws_kernel_name(forms[i].number), forms[i].name) == 0);
        check_sha1(j);
        i++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t slide = fuzz_option(data, &size);
    uint8_t where = fuzz_option(data, &size);
    uint8_t cut = fuzz_option(data, &size);
    job j = {.text = data, .len = size, .align = where & 63, .phase = where >> 6};

    j.cut = cut < size ? cut : size;
    j.copy = slide == 255;
    j.slide = j.copy ? 0 : slide;
    j.masked = fuzz_copy(data, size);
    slow_mask(j.masked, data, size, j.phase);
    j.wanted = slow_utf8(data, size);
    check_forms(&j);
    free(j.masked);
    return 0;
}
