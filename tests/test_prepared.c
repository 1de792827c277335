/*
 * Prepared messages: copied once, compressed once, sent to many, and gone with the last reference.
 */
#include "endpoint_pair.h"

#include <pthread.h>

#ifdef HWS_TEST_REDUCED
enum { MANY = 500, ROUNDS = 300 };
#else
enum { MANY = 10000, ROUNDS = 3000 };
#endif

enum { THREADS = 4, LONG = 100000 };

static uint8_t payload[LONG];

static hws_prepared *make(counted *memory, uint8_t type, const void *data, size_t len) {
    hws_allocator allocator = counted_allocator(memory);
    hws_prepared *message = NULL;
    assert_int_equal(hws_prepared_make(&message, &allocator, type, data, len), HWS_OK);
    assert_non_null(message);
    return message;
}

/* --- one by one ---------------------------------------------------------------------------------
 */

static void a_message_is_one_unmasked_frame_of_its_payload(void **state) {
    (void)state;
    static const struct {
        uint8_t type;
        size_t len;
        const char *output;
    } rows[] = {
        {HWS_TEXT, 0, "TEXT()"},          {HWS_TEXT, 5, "TEXT(aaaaa)"},
        {HWS_BINARY, 125, "BINARY{125}"}, {HWS_BINARY, 126, "BINARY{126}"},
        {HWS_TEXT, 65535, "TEXT{65535}"}, {HWS_BINARY, 65536, "BINARY{65536}"},
        {HWS_PING, 2, "PING(aa)"},        {HWS_PONG, 0, "PONG()"},
    };
    size_t i = 0;
    memset(payload, 'a', sizeof payload);
    while (i < sizeof rows / sizeof rows[0]) {
        counted memory = {0};
        hws_prepared *message =
            make(&memory, rows[i].type, rows[i].len > 0 ? payload : NULL, rows[i].len);
        hws_buffer bytes = hws_prepared_payload(message);
        side *s = side_open_new(SERVER);
        assert_int_equal(bytes.len, rows[i].len);
        if (bytes.len > 0) {
            assert_memory_equal(bytes.data, payload, bytes.len);
            assert_ptr_not_equal(bytes.data, payload);
        }
        hws_status status = hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_SKIP);
        assert_int_equal(status, rows[i].len > 65000 ? HWS_BACKPRESSURE : HWS_OK);
        hws_prepared_release(message);
        assert_true(memory.blocks > 0); /* the queue has a reference */
        assert_int_equal(s->counters.frames_sent, 1);
        assert_int_equal(s->counters.messages_sent,
                         rows[i].type == HWS_TEXT || rows[i].type == HWS_BINARY);
        assert_int_equal(s->counters.pings_sent, rows[i].type == HWS_PING);
        expect_output(s, rows[i].output);
        assert_int_equal(memory.blocks, 0);
        side_free(s);
        i++;
    }
}

static void mistakes_leave_nothing(void **state) {
    (void)state;
    counted memory = {0};
    hws_allocator allocator = counted_allocator(&memory);
    hws_prepared *message = NULL;
    const uint8_t *bad = (const uint8_t *)"\xFF";
    assert_int_equal(hws_prepared_make(&message, &allocator, HWS_TEXT, bad, 1), HWS_ERR_SEND_UTF8);
    assert_int_equal(hws_prepared_make(&message, &allocator, HWS_CLOSE, bad, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_prepared_make(&message, &allocator, 3, bad, 1), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_prepared_make(&message, &allocator, HWS_PING, payload, 126),
                     HWS_ERR_ARGUMENT);
    memory.fail_at = 1;
    memory.fail_all = 1;
    assert_int_equal(hws_prepared_make(&message, &allocator, HWS_TEXT, payload, 10),
                     HWS_ERR_MEMORY);
    assert_int_equal(memory.blocks, 0);
    hws_prepared_release(NULL);
    memory = (counted){0};
    message = make(&memory, HWS_BINARY, payload, 10);
    side *s = side_open_new(CLIENT);
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_SKIP), HWS_ERR_ARGUMENT);
    side_free(s);
    s = side_open_new(SERVER);
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, 3), HWS_ERR_ARGUMENT);
    assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_FIRST, payload, 1), HWS_OK);
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, 0), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_send(&s->ep, HWS_TEXT, HWS_FINAL, payload, 1), HWS_OK);
    s->memory.fail_at = 1;
    s->memory.fail_all = 1;
    hws_status status = hws_endpoint_send_prepared(&s->ep, message, 0);
    assert_true(status == HWS_ERR_MEMORY || status == HWS_OK);
    s->memory.fail_at = 0;
    assert_int_equal(hws_endpoint_close(&s->ep, 1000, NULL, 0), HWS_OK);
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, 0), HWS_ERR_STATE);
    side_free(s);
    assert_ptr_equal(hws_prepared_retain(message), message);
    hws_prepared_release(message);
    assert_true(memory.blocks > 0);
    hws_prepared_release(message);
    assert_int_equal(memory.blocks, 0);
}

/* A server that a message of 200 bytes brings above high_water. */
static side *side_of_slow_reader(void) {
    side *s = side_new(SERVER);
    s->config.high_water = 150;
    s->config.low_water = 50;
    side_open(s);
    return s;
}

static void a_slow_reader_is_skipped_dropped_or_closed(void **state) {
    (void)state;
    static const hws_status expected[] = {HWS_ERR_FULL, HWS_ERR_SLOW, HWS_ERR_SLOW};
    static const char *const outputs[] = {"BINARY{200}", "", "BINARY{200} CLOSE 1013{49}"};
    uint8_t slow = HWS_SLOW_SKIP;
    while (slow <= HWS_SLOW_CLOSE) {
        counted memory = {0};
        hws_prepared *message = make(&memory, HWS_BINARY, payload, 200);
        side *s = side_of_slow_reader();
        assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, slow), HWS_BACKPRESSURE);
        assert_int_equal(side_write(s, 1), 1);
        assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, slow), expected[slow]);
        assert_int_equal(hws_endpoint_status(&s->ep),
                         slow == HWS_SLOW_SKIP ? HWS_OK : HWS_ERR_SLOW);
        assert_int_equal(hws_endpoint_can_send(&s->ep), slow == HWS_SLOW_SKIP);
        s->wire_len = slow == HWS_SLOW_DROP ? 0 : s->wire_len;
        expect_output(s, outputs[slow]);
        if (slow == HWS_SLOW_CLOSE) {
            hws_endpoint_receive_eof(&s->ep);
        }
        side_receive(s);
        expect_events(s, slow == HWS_SLOW_SKIP ? "DRAIN" : "END 1006()");
        hws_prepared_release(message);
        assert_int_equal(memory.blocks, 0);
        side_free(s);
        slow++;
    }
}

/* What was dropped must not be followed by another message, as if nothing had been there. */
static void without_memory_for_the_close_a_slow_reader_is_dropped(void **state) {
    (void)state;
    counted memory = {0};
    hws_prepared *message = make(&memory, HWS_BINARY, payload, 200);
    side *s = side_of_slow_reader();
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_CLOSE), HWS_BACKPRESSURE);
    s->memory.fail_at = 1;
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_CLOSE), HWS_ERR_SLOW);
    assert_true(s->memory.failures > 0);
    assert_int_equal(hws_endpoint_can_send(&s->ep), 0);
    assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_CLOSE), HWS_ERR_STATE);
    assert_int_equal(hws_endpoint_status(&s->ep), HWS_ERR_SLOW);
    side_receive(s);
    expect_events(s, "END 1006()");
    hws_prepared_release(message);
    assert_int_equal(memory.blocks, 0);
    side_free(s);
}

/* --- to many ------------------------------------------------------------------------------------
 */

/* The parts of what was handed out that are the payload itself. */
static size_t bytes_in_place(const hws_buffer *buffers, size_t count, hws_buffer bytes) {
    size_t i = 0, found = 0;
    while (i < count) {
        const uint8_t *end = buffers[i].data + buffers[i].len;
        if (end == bytes.data + bytes.len && buffers[i].len + 16 > bytes.len) {
            found += bytes.len; /* the header may stand before it */
        }
        i++;
    }
    return found;
}

/* Bytes of memory that one endpoint takes for a message of this length in its queue. */
static size_t broadcast(size_t len) {
    counted queues = {0};
    counted memory = {0};
    hws_endpoint_config config;
    hws_endpoint *all = calloc(MANY, sizeof *all);
    hws_prepared *message = make(&memory, HWS_BINARY, payload, len);
    hws_buffer bytes = hws_prepared_payload(message);
    size_t i = 0;
    assert_non_null(all);
    assert_true(memory.bytes >= len && memory.bytes < len + 512);
    hws_endpoint_config_init(&config, SERVER);
    config.allocator = counted_allocator(&queues);
    while (i < MANY) {
        assert_int_equal(hws_endpoint_init(&all[i], &config, 0), HWS_OK);
        assert_int_equal(hws_endpoint_open(&all[i], NULL), HWS_OK);
        assert_true(hws_endpoint_send_prepared(&all[i], message, HWS_SLOW_SKIP) >= 0);
        i++;
    }
    hws_prepared_release(message);
    size_t taken = queues.bytes / MANY;
    assert_true(memory.bytes < len + 512); /* nothing was added for all of them */
    i = 0;
    while (i < MANY) {
        hws_buffer buffers[4];
        size_t count = hws_endpoint_output(&all[i], buffers, 4);
        assert_int_equal(bytes_in_place(buffers, count, bytes), len);
        assert_int_equal(hws_endpoint_sent(&all[i], (size_t)hws_endpoint_queued(&all[i])), HWS_OK);
        assert_true(memory.blocks == 0 || i + 1 < MANY);
        hws_endpoint_release(&all[i]);
        i++;
    }
    assert_int_equal(queues.blocks, 0);
    assert_int_equal(memory.blocks, 0);
    free(all);
    return taken;
}

static void a_broadcast_copies_nothing(void **state) {
    (void)state;
    size_t taken = broadcast(1000);
    assert_true(taken <= 256);
    assert_int_equal(broadcast(LONG), taken);
}

/* --- compressed ---------------------------------------------------------------------------------
 */

static unsigned compress_calls;

static hws_status counting_compress(void *codec_state, const uint8_t *src, size_t len, size_t *used,
                                    uint8_t flush, uint8_t *dst, size_t cap, size_t *n) {
    compress_calls++;
    return test_codec()->compress(codec_state, src, len, used, flush, dst, cap, n);
}

/* A server and a client that talk, the server with a codec that counts. */
static void open_pair(pair *p, const hws_codec *codec, uint8_t preset, uint8_t bits) {
    pair_init(p, 3);
    if (codec != NULL) {
        side_deflate(p->sides[SERVER], preset);
        side_deflate(p->sides[CLIENT], preset);
        p->sides[SERVER]->options.codec = codec;
        p->sides[SERVER]->options.threshold = 0;
        p->sides[SERVER]->params.server_max_window_bits = bits;
    }
    p->sides[SERVER]->on_event = side_echo; /* accepts */
    side_start(p->sides[SERVER]);
    side_start(p->sides[CLIENT]);
    assert_int_equal(hws_endpoint_connect(&p->sides[CLIENT]->ep, &p->sides[CLIENT]->client),
                     HWS_OK);
    pair_settle(p);
    p->sides[SERVER]->on_event = NULL;
    assert_int_equal(hws_endpoint_deflate(&p->sides[CLIENT]->ep)->enabled, codec != NULL);
    p->sides[CLIENT]->events_len = 0;
}

static const char news[] = "a message that many get, a message that many get, a message, "
                           "and what they have to say of it is the message that many get";

/* Something else: who forgot the one in between would refer to the wrong bytes. */
static const char own[] = "what has one to say of it? nothing that is in the news, nothing at all; "
                          "and yet one says what one has to say, more than once...";

static unsigned texts_received;

static void on_text(side *s, const hws_event *ev) {
    const char *expected = texts_received % 2 == 0 ? own : news;
    assert_int_equal(s->config.role, CLIENT);
    assert_int_equal(ev->type, HWS_TEXT);
    assert_int_equal(ev->len, strlen(expected));
    assert_memory_equal(ev->data, expected, ev->len);
    texts_received++;
}

/* Own messages around the prepared one, which may refer to what came before. */
static uint64_t send_news(pair *p, hws_prepared *message) {
    side *s = p->sides[SERVER];
    size_t i = 0;
    uint64_t len = 0;
    texts_received = 0;
    p->sides[CLIENT]->on_event = on_text;
    while (i < 3) {
        assert_int_equal(side_send_text(s, own), HWS_OK);
        uint64_t before = hws_endpoint_queued(&s->ep);
        unsigned calls = compress_calls;
        assert_int_equal(hws_endpoint_send_prepared(&s->ep, message, HWS_SLOW_SKIP), HWS_OK);
        assert_int_equal(compress_calls, calls);
        len = hws_endpoint_queued(&s->ep) - before;
        i++;
    }
    assert_int_equal(side_send_text(s, own), HWS_OK);
    pair_settle(p);
    assert_int_equal(texts_received, 7);
    return len;
}

static void a_message_is_compressed_once_for_all_that_it_fits(void **state) {
    (void)state;
    static const struct {
        uint8_t preset;
        uint8_t bits;
        uint8_t fits;
    } rows[] = {{HWS_DEFLATE_BALANCED, 11, 1},
                {HWS_DEFLATE_SMALL, 11, 1},
                {HWS_DEFLATE_BEST, 15, 1},
                {HWS_DEFLATE_BALANCED, 9, 0}, /* the window is too small for it */
                {0, 0, 0}};                   /* no compression */
    counted memory = {0};
    hws_compressor compressor;
    hws_codec_settings settings = {.window_bits = 11, .level = 6, .mem_level = 4};
    size_t i = 0;
    if (test_codec() == NULL) {
        return;
    }
    hws_codec codec = *test_codec();
    codec.compress = counting_compress;
    hws_prepared *message = make(&memory, HWS_TEXT, news, sizeof news - 1);
    assert_int_equal(hws_compressor_init(&compressor, &codec, &settings), HWS_OK);
    assert_int_equal(hws_prepared_compress(message, &compressor), HWS_OK);
    assert_int_equal(hws_prepared_compress(message, &compressor), HWS_ERR_ARGUMENT);
    hws_compressor_release(&compressor);
    while (i < sizeof rows / sizeof rows[0]) {
        pair p;
        open_pair(&p, rows[i].bits > 0 ? &codec : NULL, rows[i].preset, rows[i].bits);
        uint64_t len = send_news(&p, message);
        assert_int_equal(len < sizeof news - 1, rows[i].fits);
        pair_free(&p);
        i++;
    }
    hws_prepared_release(message);
    assert_int_equal(memory.blocks, 0);
}

static void a_compressed_form_that_is_not_shorter_is_dropped(void **state) {
    (void)state;
    counted memory = {0};
    hws_compressor compressor;
    hws_codec_settings settings = {.window_bits = 11, .level = 6, .mem_level = 4};
    pair p;
    if (test_codec() == NULL) {
        return;
    }
    assert_int_equal(hws_compressor_init(&compressor, test_codec(), &settings), HWS_OK);
    hws_prepared *ping = make(&memory, HWS_PING, "x", 1);
    assert_int_equal(hws_prepared_compress(ping, &compressor), HWS_ERR_ARGUMENT);
    hws_prepared_release(ping);
    hws_prepared *message = make(&memory, HWS_BINARY, "\x01\x93\xF2", 3);
    memory.fail_at = 1;
    memory.fail_all = 1;
    assert_int_equal(hws_prepared_compress(message, &compressor), HWS_ERR_MEMORY);
    memory.fail_at = 0;
    assert_int_equal(hws_prepared_compress(message, &compressor), HWS_OK);
    hws_compressor_release(&compressor);
    open_pair(&p, test_codec(), HWS_DEFLATE_BALANCED, 11);
    assert_int_equal(hws_endpoint_send_prepared(&p.sides[SERVER]->ep, message, 0), HWS_OK);
    assert_int_equal(hws_endpoint_queued(&p.sides[SERVER]->ep), 5);
    pair_settle(&p);
    expect_events(p.sides[CLIENT], "BINARY(...)");
    pair_free(&p);
    hws_prepared_release(message);
    assert_int_equal(memory.blocks, 0);
}

/* --- threads ------------------------------------------------------------------------------------
 */

/* Blocks that are out; its functions may be called in any thread. */
typedef struct locked {
    pthread_mutex_t mutex;
    size_t blocks;
    size_t released;
} locked;

static void *locked_alloc(void *user, size_t len) {
    locked *memory = user;
    pthread_mutex_lock(&memory->mutex);
    memory->blocks++;
    pthread_mutex_unlock(&memory->mutex);
    return malloc(len);
}

static void locked_release(void *user, void *block) {
    locked *memory = user;
    pthread_mutex_lock(&memory->mutex);
    memory->blocks--;
    memory->released++;
    pthread_mutex_unlock(&memory->mutex);
    free(block);
}

static hws_prepared *shared[ROUNDS];

/* Each thread has a reference to each message, and takes more for a while. */
static void *use_all(void *arg) {
    side *s = arg;
    size_t i = 0;
    while (i < ROUNDS) {
        assert_ptr_equal(hws_prepared_retain(shared[i]), shared[i]);
        assert_int_equal(hws_endpoint_send_prepared(&s->ep, shared[i], HWS_SLOW_SKIP), HWS_OK);
        hws_prepared_release(shared[i]);
        assert_int_equal(hws_prepared_payload(shared[i]).len, 50);
        hws_prepared_release(shared[i]);
        assert_int_equal(side_write(s, SIZE_MAX), 52); /* the queue's is the last of this thread */
        assert_memory_equal(s->wire + 2, payload, 50);
        s->wire_len = 0;
        i++;
    }
    return NULL;
}

static void the_last_release_in_any_thread_frees(void **state) {
    (void)state;
    locked memory = {.blocks = 0};
    hws_allocator allocator = {locked_alloc, locked_release, &memory};
    pthread_t threads[THREADS];
    side *sides[THREADS];
    size_t i = 0;
    assert_int_equal(pthread_mutex_init(&memory.mutex, NULL), 0);
    while (i < ROUNDS) {
        size_t more = 1;
        assert_int_equal(hws_prepared_make(&shared[i], &allocator, HWS_BINARY, payload, 50),
                         HWS_OK);
        while (more < THREADS) {
            (void)hws_prepared_retain(shared[i]);
            more++;
        }
        i++;
    }
    assert_true(memory.blocks >= ROUNDS);
    assert_int_equal(memory.released, 0);
    i = 0;
    while (i < THREADS) {
        sides[i] = side_open_new(SERVER);
        i++;
    }
    i = 0;
    while (i < THREADS) {
        assert_int_equal(pthread_create(&threads[i], NULL, use_all, sides[i]), 0);
        i++;
    }
    i = 0;
    while (i < THREADS) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        side_free(sides[i]);
        i++;
    }
    assert_int_equal(memory.blocks, 0);
    assert_true(memory.released >= ROUNDS);
    assert_int_equal(pthread_mutex_destroy(&memory.mutex), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_unmasked_frame_of_its_payload),
        cmocka_unit_test(mistakes_leave_nothing),
        cmocka_unit_test(a_slow_reader_is_skipped_dropped_or_closed),
        cmocka_unit_test(without_memory_for_the_close_a_slow_reader_is_dropped),
        cmocka_unit_test(a_broadcast_copies_nothing),
        cmocka_unit_test(a_message_is_compressed_once_for_all_that_it_fits),
        cmocka_unit_test(a_compressed_form_that_is_not_shorter_is_dropped),
        cmocka_unit_test(the_last_release_in_any_thread_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
