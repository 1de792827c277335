// Times hawser beside WebSocket modules, in one process and round by round.
//
// Usage: hawser-bench-go ROUNDS
//
// Prints lines of `row,contender,ns`: the median over the rounds of nanoseconds per message. A round
// is one pass of each contender over the same messages. What each delivers is checked first. Garbage
// is collected between the rows only: the peers do not pay for what they leave.

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
)

var rows = []row{
	{"server receive binary 16 B", false, binaryContent, 16},
	{"server receive binary 125 B", false, binaryContent, 125},
	{"server receive binary 1 KiB", false, binaryContent, 1024},
	{"server receive binary 16 KiB", false, binaryContent, 16384},
	{"server receive text ASCII 125 B", false, asciiContent, 125},
	{"server receive text ASCII 4 KiB", false, asciiContent, 4096},
	{"server receive text mixed 125 B", false, mixedContent, 125},
	{"server receive text mixed 4 KiB", false, mixedContent, 4096},
	{"client send 125 B", true, binaryContent, 125},
	{"client send 1 KiB", true, binaryContent, 1024},
}

// contender is somebody who can do the work of a row.
type contender interface {
	name() string
	prepare()     // What has to be done before a pass and is not timed.
	pass(s *seen) // Receive or send all messages once.
}

// selfTimed is a contender who knows better how long his last pass took.
type selfTimed interface {
	took() time.Duration
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func contenders(r row, w *work) []contender {
	if r.sends {
		return []contender{newHawserSender(w), newGorillaSender(w), newGwsSender(w)}
	}
	return []contender{newHawserReceiver(w, false), newHawserReceiver(w, true),
		newGorillaReceiver(w), newGwsReceiver(w)}
}

func check(r row, w *work, c contender) {
	s := seen{check: true}
	c.prepare()
	c.pass(&s)
	if s.hash != w.hash() {
		panic(r.name + ": " + c.name() + " delivered other bytes")
	}
}

func timePass(c contender) time.Duration {
	var s seen
	c.prepare()
	start := time.Now()
	c.pass(&s)
	elapsed := time.Since(start)
	if timed, ok := c.(selfTimed); ok {
		elapsed = timed.took()
	}
	runtime.KeepAlive(s.sum)
	return elapsed
}

func run(r row, rounds int) {
	w := newWork(r)
	all := contenders(r, w)
	times := make([][]time.Duration, len(all))

	for _, c := range all {
		check(r, w, c)
	}
	runtime.GC()
	for round := 0; round < rounds; round++ {
		for i, c := range all {
			times[i] = append(times[i], timePass(c))
		}
	}
	for i, c := range all {
		slices.Sort(times[i])
		median := times[i][rounds/2]
		ns := float64(median.Nanoseconds()) / float64(len(w.messages))
		fmt.Printf("%s,%s,%.1f\n", r.name, c.name(), ns)
	}
}

func main() {
	rounds := 0
	if len(os.Args) == 2 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	if rounds < 1 {
		fmt.Fprintln(os.Stderr, "Usage: hawser-bench-go ROUNDS (at least 1)")
		os.Exit(2)
	}

	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
	for _, r := range rows {
		run(r, rounds)
	}
}
