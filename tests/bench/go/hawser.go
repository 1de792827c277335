// hawser. A pass is one call of C, so that the price of calls from Go is not counted: a binding would
// use hws_conn_receive_batch() for the same end.

package main

/*
#include <hawser/entropy.h>
#include <hawser/hawser.h>

// The same as seen in work.go.
struct bench_seen {
    uint64_t check;
    uint64_t hash;
    uint64_t sum;
};

static void bench_add(struct bench_seen *seen, const uint8_t *bytes, size_t len) {
    size_t i = 0;

    while (i < len) {
        seen->hash = (seen->hash ^ bytes[i]) * 0x100000001b3;
        i++;
    }
}

static void bench_add_message(struct bench_seen *seen, const hws_event *ev) {
    uint8_t head[9] = {ev->type == HWS_TEXT};
    size_t i = 0;

    while (i < 8) {
        head[1 + i] = (uint8_t)((uint64_t)ev->len >> (8 * i));
        i++;
    }
    bench_add(seen, head, sizeof(head));
    bench_add(seen, ev->data, ev->len);
}

static size_t bench_receive(hws_conn *conn, uint8_t *buf, size_t len, struct bench_seen *seen) {
    size_t used = 0;
    hws_event ev;

    while (hws_conn_receive(conn, buf, len, &used, &ev) == HWS_EVENT) {
        seen->sum += ev.len + ev.data[ev.len - 1];
        if (seen->check) {
            bench_add_message(seen, &ev);
        }
    }
    return used;
}

// Send messages of `each` bytes that lie one after another. Returns the bytes in out.
static size_t bench_send(hws_conn *conn, const uint8_t *messages, size_t len, size_t each,
                         uint8_t *out, size_t cap) {
    size_t n = 0, at = 0;

    while (at < len) {
        if (hws_conn_send(conn, HWS_BINARY, HWS_WHOLE, messages + at, each, out, cap, &n)) {
            return 0;
        }
        at += each;
    }
    return n;
}

static hws_status bench_init(hws_conn *conn, uint8_t role) {
    hws_conn_config config;

    hws_conn_config_init(&config, role);
    config.random = role == HWS_ROLE_CLIENT ? hws_entropy : NULL;
    return hws_conn_init(conn, &config);
}
*/
import "C"

import (
	"bytes"
	"unsafe"
)

func newConn(role C.uint8_t) *C.hws_conn {
	conn := new(C.hws_conn)
	if C.bench_init(conn, role) != C.HWS_OK {
		panic("hawser did not start a connection")
	}
	return conn
}

func pointer(bytes []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bytes)))
}

func receive(conn *C.hws_conn, buf []byte, s *seen) {
	into := C.struct_bench_seen{hash: C.uint64_t(s.hash), sum: C.uint64_t(s.sum)}
	if s.check {
		into.check = 1
	}
	used := C.bench_receive(conn, pointer(buf), C.size_t(len(buf)), &into)
	if int(used) != len(buf) {
		panic("hawser found a fault in the stream")
	}
	s.hash, s.sum = uint64(into.hash), uint64(into.sum)
}

// decode delivers the messages of a client's bytes to s: how the senders are checked.
func decode(bytes []byte, s *seen) {
	receive(newConn(C.HWS_ROLE_SERVER), bytes, s)
}

type hawserReceiver struct {
	conn  *C.hws_conn
	work  *work
	buf   []byte
	reads bool // A pass counts the copy that a Read() is, which no peer can do without.
}

func newHawserReceiver(w *work, reads bool) *hawserReceiver {
	return &hawserReceiver{newConn(C.HWS_ROLE_SERVER), w, bytes.Clone(w.wire), reads}
}

func (h *hawserReceiver) name() string {
	if h.reads {
		return "hawser with read"
	}
	return "hawser"
}

func (h *hawserReceiver) prepare() {
	if !h.reads {
		copy(h.buf, h.work.wire)
	}
}

func (h *hawserReceiver) pass(s *seen) {
	if h.reads {
		copy(h.buf, h.work.wire)
	}
	receive(h.conn, h.buf, s)
}

type hawserSender struct {
	conn     *C.hws_conn
	messages []byte
	each     int
	out      []byte
}

func newHawserSender(w *work) *hawserSender {
	return &hawserSender{newConn(C.HWS_ROLE_CLIENT), bytes.Join(w.messages, nil),
		len(w.messages[0]), make([]byte, len(w.wire))}
}

func (h *hawserSender) name() string { return "hawser" }

func (h *hawserSender) prepare() {}

func (h *hawserSender) pass(s *seen) {
	n := C.bench_send(h.conn, pointer(h.messages), C.size_t(len(h.messages)), C.size_t(h.each),
		pointer(h.out), C.size_t(len(h.out)))
	if s.check {
		decode(h.out[:n], s)
	}
}
