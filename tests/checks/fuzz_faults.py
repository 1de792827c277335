"""The fuzz targets see faults: each fault below, planted in a copy of the core, makes its target
end with an abort on its corpus."""
import concurrent.futures
import os
import pathlib
import platform
import subprocess
import tempfile

import checklib
import fuzzlib

# Most faults break what a target itself looks at: for those a plain program will do, which is made
# in a fraction of the time. Only what it does not see is tried with the sanitizers. Without
# optimisation, which hides no fault and costs more than it saves.
PLAIN = ["-O0"]
SANITIZED = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
HANGS = 2  # seconds after which a plain program is taken for one that will not end

# Target, file, and a piece of code that stands in it once, with what takes its place.
FAULTS = [
    # What is handed out is overtaken.
    ("endpoint", "queue.c", "        move_border(q, q->promised);", "        move_border(q, 0);"),
    # A control frame gets into the middle of another frame.
    ("endpoint", "queue.c", "        q->lead = q->border;", "        q->lead = q->promised;"),
    # A buffer that was given away comes back twice, or never.
    ("endpoint", "queue.c", "    q->released = block->next;", "    q->released = NULL;"),
    # The first piece of a message is lost.
    ("endpoint", "endpoint_receive.c", "    memcpy(e->message.data, ev->data, ev->len);",
     "    memset(e->message.data, 0, ev->len);"),
    # A message for many is not in the window of who compresses.
    ("endpoint", "endpoint_send.c", "    hws_prepared_sent(prepared, e->deflate);\n", ""),
    # The end comes before what was handed out is back.
    ("endpoint", "endpoint_receive.c", " || e->queue.promised > 0) {", ") {"),
    # HWS_DRAIN comes again to those who were told to wait once.
    ("cuts", "endpoint_receive.c", "        e->told = 0;\n", ""),
    # A head that came in pieces takes bytes of what follows it.
    ("cuts", "endpoint_head.c", "*used += o->head.head_len - before;",
     "*used += o->head.head_len;"),
    # The queue has no end.
    ("cuts", "endpoint_send.c", "e->queue.len > e->config->max_queue - len", "0"),
    # What overtook is taken off what it went before.
    ("cuts", "queue.c", "    uint64_t part = n < q->lead ? n : q->lead;", "    uint64_t part = n;"),
    # What is acknowledged after the end is not counted.
    ("cuts", "endpoint_output.c", "counters->bytes_sent += len;",
     "counters->bytes_sent += e->phase == HWS__OVER ? 0 : len;"),
    # A Ping goes into a block that is handed out.
    ("cuts", "endpoint_output.c", "uint8_t handed_out = e->queue.promised > e->queue.lead;",
     "uint8_t handed_out = 0;"),
    # What was sent by reference stands before its header.
    ("cuts", "endpoint_send.c", "    hws__queue_append(&e->queue, block);\n"
     "    hws__endpoint_queued(e, room, n);", "    hws__endpoint_queued(e, room, n);"),
    # A payload that has come in part is read to its end.
    ("server", "conn.c", "size_t n = in->len - in->i < left ? in->len - in->i : left;",
     "size_t n = left;"),
    # RFC 6455 5.3: the key starts anew with each piece of a frame.
    ("server", "conn.c", "uint32_t phase = (uint32_t)c->payload_at;", "uint32_t phase = 0;"),
    # RFC 6455 8.1: a message may end inside a code point.
    ("server", "conn.c", "if (final && c->text_in != HWS_UTF8_ACCEPT) {", "if (0) {"),
    # The last seven bytes are looked at as if they were eight.
    ("kernels", "utf8.c", "to < WINDOW ? 0 : to - WINDOW + 1", "to < WINDOW ? 0 : to - WINDOW + 2"),
    # The limit of a message holds for each fragment alone.
    ("client", "conn.c", "c->payload_len > max_payload(c) - c->message_len",
     "c->payload_len > max_payload(c)"),
    # RFC 6455 5.5.1: what comes after the Close is parsed.
    ("client", "conn.c", "    c->control_len = len;\n    c->state = HWS__ENDED;\n",
     "    c->control_len = len;\n"),
    # The short way of a whole message. RFC 6455 5.2: RSV bits and FIN are not looked at.
    ("server", "conn_receive.c", "src[i] != (HWS__FIN | HWS_BINARY)",
     "(src[i] & HWS__OPCODE) != HWS_BINARY"),
    # RFC 6455 5.2: a length in two bytes may be less than 126.
    ("client", "conn_receive.c", "        if (n < HWS__LEN16) {\n            return nothing;",
     "        if (0) {\n            return nothing;"),
    # The limit of a message does not hold for whole ones.
    ("server", "conn_receive.c", " || n > c->max_message ||\n", " ||\n"),
    # RFC 6455 5.4: a message may start inside another.
    ("server", "conn_receive.c", "(c->state | c->message_in | c->frame_events) != 0",
     "(c->state | c->frame_events) != 0"),
    # Whole messages come without the events of their frames.
    ("client", "conn_receive.c", "(c->state | c->message_in | c->frame_events) != 0",
     "(c->state | c->message_in) != 0"),
    # The middle of a frame, and what follows a Close, can be taken for a header.
    ("client", "conn_receive.c", "(c->state | c->message_in | c->frame_events) != 0",
     "(c->message_in | c->frame_events) != 0"),
    # A message is whole when all of it is there but a header's length.
    ("server", "conn_receive.c", "n > len - i - header_len ||", "n > len - i ||"),
    # RFC 6455 8.1: a whole message may end inside a code point.
    ("client", "conn_receive.c", "if (good < n || (whole && c->text_in != HWS_UTF8_ACCEPT)) {",
     "if (good < n) {"),
    # The byte that is no UTF-8 is not consumed.
    ("server", "conn_receive.c", "good < n ? n - good - 1 : 0", "good < n ? n - good : 0"),
    # A whole message goes to where there is no room for it.
    ("client", "conn_receive.c", "if (w.header_len == 0 || w.len > cap) {", "if (w.header_len == 0) {"),
    # RFC 6455 5.3: the key starts anew with each piece that the short way takes.
    ("server", "conn_receive.c", "    uint32_t phase = (uint32_t)c->payload_at;\n",
     "    uint32_t phase = 0;\n"),
    # The short way of pieces takes the last one as well.
    ("server", "conn_receive.c", "n >= c->payload_len - c->payload_at",
     "n > c->payload_len - c->payload_at"),
    # The room for a mask key is forgotten.
    ("roundtrip", "frame.h", "+ (masked != 0 ? 4U : 0U)", "+ (masked != 0 ? 0U : 0U)"),
    # RFC 6455 5.6: text is not judged before it is sent.
    ("roundtrip", "conn_send.c", "if (d->type == HWS_BINARY || d->compressed) {", "if (1) {"),
    # A send without randomness is remembered all the same.
    ("roundtrip", "conn_send.c", "    if (status != HWS_OK) {\n        return status;\n    }\n"
     "    put_frame(c, d.first_byte",
     "    if (status != HWS_OK) {\n        remember(c, &d);\n        return status;\n    }\n"
     "    put_frame(c, d.first_byte"),
    # The short way of a whole message. RFC 6455 5.4: it may start inside another.
    ("roundtrip", "conn_send.c", "c->message_out == 0 &&", "1 &&"),
    # RFC 6455 5.5.1: data is sent after a Close.
    ("roundtrip", "conn_send.c", "c->own_code == 0 && n <= cap", "n <= cap"),
    # The payload needs no room.
    ("roundtrip", "conn_send.c", "copied <= cap - n - HWS_FRAME_HEADER_MAX", "copied <= SIZE_MAX"),
    # RFC 6455 5.6: a client's text is not judged.
    ("roundtrip", "conn_send.c", "    if (text != HWS_UTF8_ACCEPT) {\n"
     "        return HWS_ERR_SEND_UTF8;\n    }\n    if (c->random(", "    if (c->random("),
    # A server's text is not judged.
    ("roundtrip", "conn_send.c", "return text == HWS_UTF8_ACCEPT ? HWS_OK : HWS_ERR_SEND_UTF8;",
     "return HWS_OK;"),
    # RFC 6455 10.3: where there is no randomness, the key is what lay there.
    ("roundtrip", "conn_send.c",
     "if (c->random(c->random_user, frame + header_len, 4) != HWS_OK) {",
     "if (c->random(c->random_user, frame + header_len, 4) == HWS_EVENT) {"),
    # RFC 6455 5.3: the first byte of a payload is masked with the second of the key.
    ("roundtrip", "conn_send.c", "data, len, frame + header_len, 0);",
     "data, len, frame + header_len, 1);"),
    # RFC 4648 3.5: unused bits may be set, so that one text stands for another.
    ("auth", "base64.c", "good && (group & 0xFFFFFF >> 8 * bytes) == 0 ?", "good ?"),
    # The last group of bytes that come one by one has no end.
    ("auth", "base64.c", "    encoder->have = 0;\n", "    encoder->have = encoder->have % 2;\n"),
    # RFC 7617 2: a control character is let through.
    ("auth", "auth.c", "    return byte < ' ' || byte == 0x7F;", "    return byte < ' ';"),
    # RFC 9110 11.6.2: the first of two Authorization fields is taken.
    ("auth", "auth.c", "hws_head_find(head, buf, name, i + 1) < head->header_count", "0"),
    # RFC 9110 11.2: padding may stand inside a token.
    ("auth", "auth.c", "return end > 0 && i == text.len;", "return end > 0;"),
    # RFC 3986 2.1: half a percent sign stands for itself.
    ("auth", "auth.c", "is_control(byte) || (byte == '%' && !is_encoded)", "is_control(byte)"),
    # RFC 9110 5.6.4: a backslash is not escaped.
    ("auth", "auth.c", " || value.data[i] == '\\\\') {", ") {"),
    # RFC 6265 4.1.1: a quote that is not closed takes the last byte with it.
    ("auth", "auth.c", " && value.data[value.len - 1] == '\"') {", ") {"),
    # Two secrets are compared up to the shorter one's end.
    ("auth", "auth.c", "difference = given.len != secret.len;", "difference = 0;"),
    # A byte of a peer reaches the terminal.
    ("trace", "trace.c", "byte == ' ' || hws__is_visible(byte)", "byte >= ' '"),
    # No room is kept for the end of a line.
    ("trace", "trace.c", "cap >= KEPT ? cap - KEPT : 0", "cap"),
    # RFC 6265 4: what a server sets is shown.
    ("trace", "trace.c", "\"auth bearer cookie ", "\"auth bearer "),
    # A token without name is shown.
    ("trace", "trace.c", "if (value < param.len && hws__is_token", "if (hws__is_token"),
    # RFC 3986 3.5: a fragment is shown.
    ("trace", "trace.c", "uri.data[i] != '?' && uri.data[i] != '#'", "uri.data[i] != '?'"),
    # RFC 3986 3.2.1: what stands behind two slashes is a path.
    ("trace", "trace.c", "    if (slashes == 1) {\n        return 0;\n    }\n",
     "    if (slashes != 0) {\n        return 0;\n    }\n"),
    # More of a payload is shown than there is.
    ("trace", "trace.c", "while (i < len && i < max) {", "while (i < max) {"),
    # One field more than there is room for.
    ("request", "http.c", "head->header_count >= head->header_cap",
     "head->header_count > head->header_cap"),
    # RFC 6455 4.2.1: Connection is not looked at.
    ("request", "handshake_server.c",
     'if (!lists(r, CONNECTION, HWS__TEXT("Upgrade"))) {', "if (0) {"),
    # RFC 6455 10.2: the host of an origin is compared by its length.
    ("request", "origin.c", "a->port == b->port && hws__is_name(a->host, b->host)",
     "a->port == b->port && a->host.len == b->host.len"),
    # The byte after the last is read.
    ("response", "http.c", "len < head->max_head ? len :", "len < head->max_head ? len + 1 :"),
    # The LF of a plain field line is not looked at.
    ("request", "http.c", "buf[stop] != '\\r' ||\n            buf[stop + 1] != '\\n') {",
     "buf[stop] != '\\r') {"),
    # RFC 6455 4.1: any accept value is good.
    ("response", "handshake_client.c",
     "!hws__text_equal(hws_span_text(buf, value), accept)", "value.len != accept.len"),
    # RFC 6455 4.1: extensions that were not offered are taken.
    ("response", "extension.c", "are_named(&used, &offered) ? HWS_OK : HWS_ERR_EXTENSION", "HWS_OK"),
    # RFC 7692 7.1.2: numbers may start with zeros.
    ("negotiation", "deflate_params.c", "(bits == 0 && byte == '0') || ", ""),
    # RFC 7692 7.1: a parameter may be there twice.
    ("negotiation", "deflate_params.c", "i == 4 || (r->has & param) != 0", "i == 4"),
    # RFC 7692 7.1.2.1: a server's window is what it likes, whatever was asked for.
    ("negotiation", "deflate_params.c",
     "least(policy->server_max_window_bits, offer->server_bits)", "policy->server_max_window_bits"),
    # RFC 7692 7.1.2.2: a client is limited that did not say that it can be.
    ("negotiation", "deflate_params.c",
     "limits_client ? least(", "1 ? least("),
    # RFC 7692 7.1.2.2: a client takes that limit.
    ("negotiation", "deflate_params.c",
     "((response->has & CLIENT_BITS) == 0 || offer->client_max_window_bits != 0)", "1"),
    # RFC 7692 5.1: a client looks at the first of two answers only.
    ("negotiation", "deflate_params.c", " || next_reading(&w, &second)", ""),
    # One pair more than there is room for.
    ("connect", "http_list.c", "head->header_count < head->header_cap ?",
     "head->header_count <= head->header_cap ?"),
    # RFC 8441 5: the version is not looked at.
    ("connect", "handshake_server.c", "        return HWS_ERR_PSEUDO_FIELD;\n    }\n"
     "    return check_version(r);",
     "        return HWS_ERR_PSEUDO_FIELD;\n    }\n    return HWS_OK;"),
    # Words of text are written without a look at their top bits, and not validated.
    ("kernels", "mask.c", "if ((word & top_bits) != 0) {", "if ((word & top_bits) == top_bits) {"),
    # The end of a piece takes its key from the start of the frame.
    ("kernels", "mask.c", "turned[(i - from) % WORD]", "turned[(i - from) % WORD / 2]"),
    # RFC 3629 3: all surrogates are let through.
    ("kernels", "utf8.c", "[AFTER_ED] = {0x80, 0x20, TAIL_1}", "[AFTER_ED] = {0x80, 0x40, TAIL_1}"),
    # The last word of a payload is written where nobody gave room.
    ("kernels", "mask.c", "return to < step ? 0 : to - step + 1;",
     "return to < step ? 0 : to - step + 2;"),
    # In vectors. RFC 3629 3: all surrogates are let through.
    ("kernels", "kernel_simd.h", "TOO_SHORT | OVERLONG_3 | SURROGATE,", "TOO_SHORT | OVERLONG_3,"),
    # Where a code point of four bytes starts is not found when three of them are there.
    ("kernels", "kernel_simd.h", "leads[] = {0xC0, 0xE0, 0xF0};", "leads[] = {0xC0, 0xE0, 0xF8};"),
    # The last bytes are not looked at.
    ("kernels", "kernel_simd.h", "bad = i < n && !ascii &&", "bad = i < n && ascii &&"),
    # The last vector takes its key from the start.
    ("kernels", "kernel_simd.h", "load(p->src + n - WIDTH) ^ splat(turn(key, n));",
     "load(p->src + n - WIDTH) ^ splat(key);"),
    # RFC 8439 2.1: the last rotation is by another number of bits.
    ("kernels", "chacha_form.h", "b = SHIFT(b ^ c, 7)", "b = SHIFT(b ^ c, 8)"),
    # A seed takes the place of the key, and is not added to it.
    ("key_pool", "key_pool.c", "p->bytes[i] ^= p->bytes[KEY + i];",
     "p->bytes[i] = p->bytes[KEY + i];"),
    # One seed is enough for ever.
    ("key_pool", "key_pool.c", "    p->refills--;\n", ""),
    # A key is handed out twice.
    ("key_pool", "key_pool.c", "    p->left = left;\n", ""),
    # A draw that failed leaves what it had.
    ("key_pool", "key_pool.c", "            memset(dst, 0, at);\n", ""),
    # What is above the limit is delivered.
    ("inflate", "deflate_receive.c", "    if (good < len) {\n", "    if (0) {\n"),
    # The room is one byte larger than it is.
    ("inflate", "deflate_receive.c", "(size_t)allowed + 1 : t->cap;",
     "(size_t)allowed + 1 : t->cap + 1;"),
    # RFC 6455 8.1: a compressed message may end inside a code point.
    ("inflate", "deflate_receive.c", "d->type_in == HWS_TEXT && d->text_in != HWS_UTF8_ACCEPT",
     "0"),
    # The byte that was made without room is lost.
    ("inflate", "deflate_receive.c", "d->spilled = t.n > 0;", "d->spilled = t.n > 1;"),
    # RFC 7692 7.1.1.2: a message may refer to an earlier one in spite of no_context_takeover.
    ("inflate", "deflate_receive.c", "if (d->filled && !d->takeover_in) {", "if (0) {"),
    # RFC 7692 7.2.2: a message may end anywhere.
    ("inflate", "deflate_receive.c",
     "hws_status status = d->own.codec->decompress_end(d->decompressor);",
     "hws_status status = HWS_OK;"),
    # RFC 7692 7.2.2: what the peer refers to is let go of.
    ("inflate", "deflate.c", "d->type_in == 0 && !d->takeover_in", "d->type_in == 0"),
    # RFC 7692 7.2.1: one byte of what a flush ends with is sent.
    ("compress", "compressor.h", "*n -= HWS__TAIL_LEN;", "*n -= HWS__TAIL_LEN - 1;"),
    # RFC 7692 7.1.1.1: messages refer to earlier ones in spite of no_context_takeover.
    ("compress", "compressor.c", "if (c->filled && !takeover) {", "if (0) {"),
    # The bytes that are held back between fragments are lost.
    ("compress", "deflate_send.c", "size_t end = *n + d->held_len;", "size_t end = *n;"),
    # RFC 7692 6.1: every fragment has RSV1.
    ("compress", "deflate_send.c", "    d->unsent = 0;\n", ""),
    # RFC 6455 5.6: text is not judged before it is compressed.
    ("compress", "deflate_send.c", "    if (type == HWS_TEXT) {\n", "    if (0) {\n"),
    # A message goes on, uncompressed, after its last frame had no mask key.
    ("compress", "deflate_send.c", " || d->failed_out != HWS_OK", ""),
    # What went past the compressor is not in its window.
    ("compress", "deflate.c", "d->own.state != NULL && d->own.filled && d->takeover_out", "0"),
    # Another piece gets into one that is half out.
    ("compress", "deflate_send.c",
     "type == d->piece_type && flags == d->flags_out && used == d->used_out",
     "type == d->piece_type"),
    # RFC 6455 5.5.3: a Pong with any count clears a Ping.
    ("keepalive", "keepalive.c", "place >= t->next - t->first", "place == UINT32_MAX"),
    # RFC 6455 5.5.2: Pings are sent in the closing handshake.
    ("keepalive", "keepalive.c", "t->phase == OPEN && !t->outstanding ?",
     "t->phase != OPENING && !t->outstanding ?"),
    # RFC 6455 5.4: the time inside a frame counts for the Pong behind it.
    ("keepalive", "keepalive.c", "        t->counted_ms = t->time - t->since[PONG];\n",
     "        t->counted_ms = t->time - t->pinged;\n"),
    # A deadline that is found late is given again and again.
    ("keepalive", "keepalive.c", "        restart(t, deadline);\n        t->again |= bit;\n",
     "        restart(t, deadline);\n"),
    # A clock that goes back is taken for one that leapt.
    ("keepalive", "keepalive.c", "now_ms > t->clock_ms ? now_ms - t->clock_ms : 0",
     "now_ms - t->clock_ms"),
    # A deadline behind another one is looked at when that one is over.
    ("keepalive", "keepalive.c", "has_passed(t, i, limits[i]) ? errors[i] : status;",
     "status >= HWS_OK && has_passed(t, i, limits[i]) ? errors[i] : status;"),
    # A bucket that is owed something gives more.
    ("keepalive", "rate.c", "b->level < cost", "b->level < 0"),
    # A part of a token is lost.
    ("keepalive", "rate.c", "missing - ms * per_second", "missing - ms * per_second / PARTS * PARTS"),
    # Neighbours before a part are not joined to it.
    ("fixed", "fixed.c", "before != NONE && before + load(b, before).len == at", "0"),
    # A part is handed out that is one header too short.
    ("fixed", "fixed.c", "part.len - HEADER >= len", "part.len >= len"),
    # The last bytes of a block that is not aligned lie behind it.
    ("fixed", "fixed.c", "len > skipped ? len - skipped : 0", "len"),
    # "%" may be the last byte but one.
    ("uri", "http_percent.h", "text.len - at > 2", "text.len - at > 0"),
    # RFC 6455 3: a fragment is sent as part of the target.
    ("uri", "uri.c", "if (byte == '#') {\n", "if (byte == '#' && ++at != 0) {\n            continue;\n"),
    # What does not fit is written.
    ("write", "bytes.h", "len > w->cap - w->n", "len > w->cap + 8 - w->n"),
    # RFC 9110 5.5: a control byte may stand in a field's value.
    ("write", "http.h", "byte >= ' ' && byte != 0x7F", "byte != 0x7F"),
]

# Compiled for processors with vectors only.
OF_VECTORS = {"chacha_form.h", "kernel_simd.h"}
HAS_VECTORS = platform.machine().lower() in ("aarch64", "amd64", "arm64", "x86_64")


def is_seen(ran):
    """Whether a program ended because its target, or a sanitizer, saw something."""
    return ran.returncode != 0 and any(
        words in ran.stdout for words in ("does not hold", "Sanitizer", "runtime error"))


class Planter:
    """The core and the targets without faults, built, and then one fault at a time beside them."""

    def __init__(self, root, folder):
        self.root = root
        self.plain = self.build(folder / "plain", PLAIN)
        self.sanitized = self.build(folder / "sanitized", SANITIZED)

    def build(self, folder, flags):
        folder.mkdir()
        builder = fuzzlib.Builder(self.root, folder, checklib.compiler(), flags)
        builder.compile_all()
        return builder

    def check_clean(self, target):
        for builder in (self.plain, self.sanitized):
            ran = builder.run(target, builder.link(target))
            if ran.returncode != 0:
                return f"fuzz_{target} fails without any fault:\n{ran.stdout}"
        return None

    def affected(self, name):
        """The files of the core that a file is part of, itself among them."""
        texts = {path.name: path.read_text() for path in (self.root / "src").glob("*.[ch]")}
        found, added = set(), {name}
        while added:
            found |= added
            added = {user for user, text in texts.items() if user not in found
                     and any(f'#include "{part}"\n' in text for part in added)}
        return sorted(found)

    def plant(self, clean, number):
        """The target with the fault. Only files with the fault in them are compiled."""
        target, name, old, new = FAULTS[number]
        builder = fuzzlib.Builder(self.root, clean.folder / f"fault{number}", clean.compiler,
                                  clean.own_flags)
        builder.folder.mkdir()
        for file in self.affected(name):
            text = (self.root / "src" / file).read_text()
            (builder.folder / file).write_text(text.replace(old, new) if file == name else text)
        objects = {source.stem: builder.compile(source)
                   for source in sorted(builder.folder.glob("*.c"))}
        return clean.link(target, f"fault{number}", objects)

    def check_fault(self, number):
        target, name, old, new = FAULTS[number]
        there = (self.root / "src" / name).read_text().count(old)
        if there != 1:
            return f"src/{name}: stands there {there} times, and must once: {old}"
        if name in OF_VECTORS and not HAS_VECTORS:
            return None
        try:
            if is_seen(self.plain.run(target, self.plant(self.plain, number), HANGS)):
                return None
        except subprocess.TimeoutExpired:
            pass
        ran = self.sanitized.run(target, self.plant(self.sanitized, number))
        if ran.returncode == 0:
            return f"fuzz_{target} does not see this fault in src/{name}: {new}"
        if not is_seen(ran):
            return f"fuzz_{target} fails for an unknown reason:\n{ran.stdout}"
        return None


def tried(root):
    """Numbers of the faults whose target is built."""
    targets = fuzzlib.targets(root)
    return [number for number, fault in enumerate(FAULTS)
            if fault[0] in targets or fault[0] not in fuzzlib.NEED_ZLIB]


def main():
    root = checklib.root()
    errors = [f"No fault is planted for fuzz_{target}." for target in fuzzlib.targets(root)
              if target not in {fault[0] for fault in FAULTS}]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        planter = Planter(root, pathlib.Path(folder))
        errors += filter(None, pool.map(planter.check_clean, fuzzlib.targets(root)))
        errors += filter(None, pool.map(planter.check_fault, tried(root)))
    checklib.finish(errors, "faults", len(tried(root)))


main()
