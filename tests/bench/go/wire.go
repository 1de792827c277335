// A connection in memory, and the handshakes that the peers want to see before they do anything.

package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// wire is a connection. The same bytes come again and again, and no read crosses their end, so that
// each pass starts with empty buffers. Writing costs nothing, unless it is kept.
type wire struct {
	input  []byte
	at     int
	keep   bool
	output []byte
}

func (w *wire) Read(buf []byte) (int, error) {
	if len(w.input) == 0 {
		return 0, io.EOF
	}
	if w.at == len(w.input) {
		w.at = 0
	}
	n := copy(buf, w.input[w.at:])
	w.at += n
	return n, nil
}

func (w *wire) Write(bytes []byte) (int, error) {
	if w.keep {
		w.output = append(w.output, bytes...)
	}
	return len(bytes), nil
}

func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (w *wire) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// hijacked hands a wire to a server that wants to take it over from net/http.
type hijacked struct {
	http.ResponseWriter
	wire *wire
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	empty := &wire{}
	return h.wire, bufio.NewReadWriter(bufio.NewReader(empty), bufio.NewWriter(empty)), nil
}

// request is a client's, for the servers.
func request() *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://localhost/", nil)
	must(err)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	return r
}

// accepting is a server, for the clients: it answers the request that is written to it.
type accepting struct {
	*wire
}

func (a accepting) Write(part []byte) (int, error) {
	if a.input != nil {
		return a.wire.Write(part)
	}
	a.output = append(a.output, part...)
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(a.output)))
	if err != nil {
		return len(part), nil // Not whole yet.
	}
	digest := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") +
		"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	a.input = fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(digest[:]))
	return len(part), nil
}
