// Spec prints, by chapter and in total, how many rows of the specification a passing
// test proves, and of beyond.csv, what no peer has. A test proves a row by carrying its id in its name; a row with any
// failing test is not proved. Reports are read from the directory given: *.jsonl of
// `go test -json`, and *.json of Playwright.
package main

import (
	"bufio"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed features.csv
var features string

//go:embed beyond.csv
var beyond string

var rowID = regexp.MustCompile(`([A-Z]{3,4}-\d{2})(?:\D|$)`)

func main() {
	missing := flag.Bool("missing", false, "list the rows without a passing test")
	readme := flag.String("readme", "", "hold the table of chapters in this file to what the tests prove")
	flag.Parse()
	passed, failed := map[string]bool{}, map[string]bool{}
	for _, dir := range flag.Args() {
		if err := readReports(dir, passed, failed); err != nil {
			log.Fatal(err)
		}
	}
	count := func(id string) bool { return passed[id] && !failed[id] }
	more, moreOf := tally(beyond, count, *missing, false)
	total, of := tally(features, count, *missing, true)
	fmt.Printf("beyond the manual: %d of %d\n", more, moreOf)
	fmt.Printf("%d of %d\n", total, of)
	if *readme != "" {
		if err := hold(*readme, count); err != nil {
			log.Fatal(err)
		}
	}
}

// told is a line of the table of chapters: its number, and how many of its rows are proved.
var told = regexp.MustCompile(`(?m)^\| (\d+) \| .*?\| (\d+)/(\d+) \|`)

// hold compares the table of chapters in a file with the rows that are proved.
func hold(path string, proved func(id string) bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(strings.NewReader(features)).ReadAll()
	if err != nil {
		return err
	}
	is := map[string][2]int{}
	for _, r := range rows[1:] {
		c := is[r[1]]
		if c[1]++; proved(r[0]) {
			c[0]++
		}
		is[r[1]] = c
	}
	lines := told.FindAllStringSubmatch(string(text), -1)
	if len(lines) != len(is) {
		return fmt.Errorf("%s tells of %d chapters, and there are %d", path, len(lines), len(is))
	}
	for _, l := range lines {
		if want := fmt.Sprintf("%d/%d", is[l[1]][0], is[l[1]][1]); l[2]+"/"+l[3] != want {
			return fmt.Errorf("%s says of chapter %s that %s/%s rows are proved: it is %s", path, l[1], l[2], l[3], want)
		}
	}
	return nil
}

// tally counts the proved rows of a table, and prints them by chapter.
func tally(table string, proved func(id string) bool, missing, chaptered bool) (total, of int) {
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	type chapter struct{ rows, proved int }
	var order []string
	chapters := map[string]*chapter{}
	for _, r := range rows[1:] {
		id, key := r[0], fmt.Sprintf("%2s %s", r[1], r[2])
		if chapters[key] == nil {
			chapters[key] = &chapter{}
			order = append(order, key)
		}
		chapters[key].rows++
		if proved(id) {
			chapters[key].proved++
			total++
		} else if missing {
			fmt.Println(id, r[6])
		}
	}
	for _, key := range order {
		if c := chapters[key]; chaptered {
			fmt.Printf("%4d of %4d  %s\n", c.proved, c.rows, key)
		}
	}
	return total, len(rows) - 1
}

func readReports(dir string, passed, failed map[string]bool) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		switch filepath.Ext(path) {
		case ".jsonl":
			return readGo(f, passed, failed)
		case ".json":
			return readPlaywright(f, passed, failed)
		}
		return nil
	})
}

func note(name string, ok bool, passed, failed map[string]bool) {
	for _, m := range rowID.FindAllStringSubmatch(name, -1) {
		if ok {
			passed[m[1]] = true
		} else {
			failed[m[1]] = true
		}
	}
}

func readGo(f *os.File, passed, failed map[string]bool) error {
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var e struct{ Action, Test string }
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Test == "" {
			continue // build output between the events
		}
		switch e.Action {
		case "pass":
			note(e.Test, true, passed, failed)
		case "fail":
			note(e.Test, false, passed, failed)
		}
	}
	return lines.Err()
}

type suite struct {
	Suites []suite
	Specs  []struct {
		Title string
		OK    bool
		Tests []struct{ Status string }
	}
}

func readPlaywright(f *os.File, passed, failed map[string]bool) error {
	var top suite
	if err := json.NewDecoder(f).Decode(&top); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	var walk func(suite)
	walk = func(s suite) {
		for _, sp := range s.Specs {
			if len(sp.Tests) > 0 && sp.Tests[0].Status != "skipped" {
				note(sp.Title, sp.OK, passed, failed)
			}
		}
		for _, in := range s.Suites {
			walk(in)
		}
	}
	walk(top)
	return nil
}
