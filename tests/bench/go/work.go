// What every contender gets to do, and how what it delivers is checked. Knows the frame format, and
// no contender.

package main

import "encoding/binary"

// streamLen is how many bytes the frames of one pass have at most.
const streamLen = 65536

type content int

const (
	binaryContent content = iota
	asciiContent
	mixedContent
)

// row is a row of the table.
type row struct {
	name    string
	sends   bool // A client that sends, in place of a server that receives.
	content content
	len     int
}

// work is the messages of one pass.
type work struct {
	text     bool
	messages [][]byte
	wire     []byte // All of them as a client sends them, each with a mask key of its own.
}

// seen takes what is delivered. While it is being timed, it only looks at the length and the last
// byte.
type seen struct {
	check bool // Hash everything, to compare it with what should have come.
	hash  uint64
	sum   uint64
}

// numbers are the same in each run (xorshift64).
type numbers uint64

func (s *seen) take(text bool, payload []byte) {
	s.sum += uint64(len(payload)) + uint64(payload[len(payload)-1])
	if s.check {
		s.addMessage(text, payload)
	}
}

func (s *seen) addMessage(text bool, payload []byte) {
	if text {
		s.add(1)
	} else {
		s.add(0)
	}
	for _, part := range binary.LittleEndian.AppendUint64(nil, uint64(len(payload))) {
		s.add(part)
	}
	for _, part := range payload {
		s.add(part)
	}
}

// add is one step of FNV-1a.
func (s *seen) add(part byte) {
	s.hash = (s.hash ^ uint64(part)) * 0x100000001b3
}

func (n *numbers) next() uint64 {
	*n ^= *n << 13
	*n ^= *n >> 7
	*n ^= *n << 17
	return uint64(*n)
}

func newWork(r row) *work {
	n := numbers(0x9e3779b97f4a7c15)
	w := &work{text: r.content != binaryContent}

	for len(w.wire)+headerLen(r.len)+r.len <= streamLen {
		message := payload(r.content, r.len, &n)
		w.messages = append(w.messages, message)
		w.wire = appendFrame(w.wire, w.text, message, uint32(n.next()))
	}
	return w
}

// hash is what a contender must have delivered after one pass.
func (w *work) hash() uint64 {
	s := seen{check: true}
	for _, message := range w.messages {
		s.take(w.text, message)
	}
	return s.hash
}

// headerLen is the length of a masked frame's header; no row has a message of 64 KiB or more.
func headerLen(length int) int {
	if length < 126 {
		return 6
	}
	return 8
}

func appendFrame(wire []byte, text bool, message []byte, number uint32) []byte {
	key := binary.LittleEndian.AppendUint32(nil, number)
	opcode := byte(2)
	if text {
		opcode = 1
	}

	wire = append(wire, 0x80|opcode)
	if len(message) < 126 {
		wire = append(wire, 0x80|byte(len(message)))
	} else {
		wire = append(wire, 0x80|126)
		wire = binary.BigEndian.AppendUint16(wire, uint16(len(message)))
	}
	wire = append(wire, key...)
	for i, part := range message {
		wire = append(wire, part^key[i&3])
	}
	return wire
}

// payload is exactly `length` bytes; where no further letter fits, the rest of a text is ASCII.
func payload(c content, length int, n *numbers) []byte {
	letters := []string{"語", "水", "ж", "Я", "😀", "日", "e", " "}
	var bytes []byte

	for len(bytes) < length {
		number := n.next() >> 32
		letter := letters[number%uint64(len(letters))]
		switch {
		case c == binaryContent:
			bytes = append(bytes, byte(number))
		case c == mixedContent && len(bytes)+len(letter) <= length:
			bytes = append(bytes, letter...)
		default:
			bytes = append(bytes, ' '+byte(number%95))
		}
	}
	return bytes
}
