// The contenders that are Go: as their documentation shows them, with their own defaults.

package main

import (
	"io"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"
)

// sendChecked sends; when s is to check it, what is written is kept and decoded.
func sendChecked(w *wire, s *seen, send func()) {
	w.keep, w.output = s.check, nil
	send()
	if s.check {
		decode(w.output, s)
	}
}

type gorillaReceiver struct {
	conn  *websocket.Conn
	count int
	buf   []byte
}

func newGorillaReceiver(w *work) *gorillaReceiver {
	conn, err := new(websocket.Upgrader).Upgrade(hijacked{wire: &wire{input: w.wire}}, request(), nil)
	must(err)
	return &gorillaReceiver{conn, len(w.messages), make([]byte, streamLen)}
}

func (g *gorillaReceiver) name() string { return "gorilla" }

func (g *gorillaReceiver) prepare() {}

// pass reads into a buffer that is used again, which is faster than ReadMessage(), and validates
// text, which gorilla leaves to its user.
func (g *gorillaReceiver) pass(s *seen) {
	for i := 0; i < g.count; i++ {
		kind, reader, err := g.conn.NextReader()
		must(err)
		message := g.readAll(reader)
		text := kind == websocket.TextMessage
		if text && !utf8.Valid(message) {
			panic("text that is not UTF-8")
		}
		s.take(text, message)
	}
}

func (g *gorillaReceiver) readAll(reader io.Reader) []byte {
	n := 0
	for {
		more, err := reader.Read(g.buf[n:])
		n += more
		if err == io.EOF {
			return g.buf[:n]
		}
		must(err)
	}
}

type gorillaSender struct {
	conn *websocket.Conn
	wire *wire
	work *work
}

func newGorillaSender(w *work) *gorillaSender {
	memory := &wire{}
	address := &url.URL{Scheme: "ws", Host: "localhost"}
	conn, _, err := websocket.NewClient(accepting{memory}, address, nil, 0, 0)
	must(err)
	return &gorillaSender{conn, memory, w}
}

func (g *gorillaSender) name() string { return "gorilla" }

func (g *gorillaSender) prepare() {}

func (g *gorillaSender) pass(s *seen) {
	sendChecked(g.wire, s, func() {
		for _, message := range g.work.messages {
			must(g.conn.WriteMessage(websocket.BinaryMessage, message))
		}
	})
}

// gwsReceiver gets a new connection for each pass, because gws reads until the end of a connection.
// The time of a pass is from OnOpen to its last message.
type gwsReceiver struct {
	gws.BuiltinEventHandler
	upgrader *gws.Upgrader
	work     *work
	conn     *gws.Conn
	wire     *wire
	seen     *seen
	left     int
	start    time.Time
	elapsed  time.Duration
}

func newGwsReceiver(w *work) *gwsReceiver {
	g := &gwsReceiver{work: w}
	g.upgrader = gws.NewUpgrader(g, &gws.ServerOption{CheckUtf8Enabled: true})
	return g
}

func (g *gwsReceiver) name() string { return "gws" }

func (g *gwsReceiver) prepare() {
	var err error
	g.wire = &wire{input: g.work.wire}
	g.left = len(g.work.messages)
	g.conn, err = g.upgrader.Upgrade(hijacked{wire: g.wire}, request())
	must(err)
}

func (g *gwsReceiver) pass(s *seen) {
	g.seen = s
	g.conn.ReadLoop()
	if g.left != 0 {
		panic("gws did not deliver all messages")
	}
}

func (g *gwsReceiver) took() time.Duration { return g.elapsed }

func (g *gwsReceiver) OnOpen(*gws.Conn) {
	g.start = time.Now()
}

func (g *gwsReceiver) OnMessage(_ *gws.Conn, message *gws.Message) {
	g.seen.take(message.Opcode == gws.OpcodeText, message.Bytes())
	message.Close()
	g.left--
	if g.left == 0 {
		g.elapsed = time.Since(g.start)
		g.wire.input = nil
	}
}

type gwsSender struct {
	conn *gws.Conn
	wire *wire
	work *work
}

func newGwsSender(w *work) *gwsSender {
	memory := &wire{}
	option := &gws.ClientOption{Addr: "ws://localhost/", CheckUtf8Enabled: true}
	conn, _, err := gws.NewClientFromConn(gws.BuiltinEventHandler{}, option, accepting{memory})
	must(err)
	return &gwsSender{conn, memory, w}
}

func (g *gwsSender) name() string { return "gws" }

func (g *gwsSender) prepare() {}

func (g *gwsSender) pass(s *seen) {
	sendChecked(g.wire, s, func() {
		for _, message := range g.work.messages {
			must(g.conn.WriteMessage(gws.OpcodeBinary, message))
		}
	})
}
