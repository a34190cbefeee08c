// Testsummary reads the events of `go test -json` and prints the output of what failed
// and, last, a line with the counts. With -brief it prints at most that many lines, for
// the end of a long log of which only the end is read: reports of data races first and
// whole, then the names of what failed, then the ends of their outputs. With -slow it
// prints that many packages and tests that took longest, of the events in a directory's
// *.jsonl.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds, of a package or test that ended
}

// read calls take with each event. Build output between the events is one without a package.
func read(r io.Reader, take func(event)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			e = event{Action: "output", Output: lines.Text() + "\n"}
		}
		take(e)
	}
	return lines.Err()
}

// summary is what the events tell.
type summary struct {
	output map[string][]string // lines by package and test
	failed []string            // keys of output, in order
	racing map[string]bool     // packages in the middle of a report
	races  [][]string
	open   map[string]int // index of the report that a package is in
	counts map[string]int
}

func main() {
	brief := flag.Int("brief", 0, "print at most so many lines")
	slowest := flag.Int("slow", 0, "print so many packages and tests that took longest")
	flag.Parse()
	if *slowest > 0 {
		if err := slow(os.Stdout, *slowest, flag.Arg(0)); err != nil {
			log.Fatal(err)
		}
		return
	}
	s := &summary{output: map[string][]string{}, racing: map[string]bool{}, open: map[string]int{}, counts: map[string]int{}}
	if err := read(os.Stdin, s.take); err != nil {
		log.Fatal(err)
	}
	if *brief > 0 {
		s.brief(*brief)
		return
	}
	for _, r := range s.races {
		fmt.Print(strings.Join(r, ""))
	}
	for _, key := range s.failed {
		fmt.Printf("FAIL %s\n%s", key, strings.Join(s.output[key], ""))
	}
	fmt.Printf("%d passed, %d failed, %d skipped, %d data races\n", s.counts["pass"], s.counts["fail"], s.counts["skip"], len(s.races))
}

func (s *summary) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		s.race(e)
		s.output[key] = append(s.output[key], e.Output)
	case "fail":
		if e.Test != "" {
			s.counts["fail"]++
		}
		s.failed = append(s.failed, key)
	case "pass", "skip":
		if e.Test != "" {
			s.counts[e.Action]++
		}
		delete(s.output, key)
	}
}

const raceRule = "=================="

// race keeps reports of data races. One may be told as the output of a test that passes,
// or begin in one test's output and end in another's, so that reports are followed by
// package.
func (s *summary) race(e event) {
	rule := strings.HasPrefix(e.Output, raceRule)
	switch {
	case strings.Contains(e.Output, "WARNING: DATA RACE"):
		s.racing[e.Package], s.open[e.Package] = true, len(s.races)
		s.races = append(s.races, []string{fmt.Sprintf("DATA RACE %s %s\n", e.Package, e.Test)})
	case s.racing[e.Package] && rule:
		s.racing[e.Package] = false
	case s.racing[e.Package]:
		i := s.open[e.Package]
		s.races[i] = append(s.races[i], e.Output)
	}
}

// brief prints what matters most in so many lines.
func (s *summary) brief(most int) {
	show := func(lines ...string) {
		for _, l := range lines {
			if most > 0 {
				fmt.Println(strings.TrimSuffix(l, "\n"))
				most--
			}
		}
	}
	for _, r := range s.races {
		show(r...)
	}
	var leaves []string // what failed by itself, not because a part of it did
	for _, key := range s.failed {
		show("FAIL " + key)
		parent := false
		for _, other := range s.failed {
			parent = parent || strings.HasPrefix(other, key+"/") || strings.HasSuffix(key, " ") && other != key && strings.HasPrefix(other, key)
		}
		if !parent {
			leaves = append(leaves, key)
		}
	}
	for i, key := range leaves {
		out := s.output[key]
		if share := max(most/(len(leaves)-i)-1, 0); len(out) > share {
			out = out[len(out)-share:]
		}
		show(append([]string{"--- " + key}, out...)...)
	}
}
