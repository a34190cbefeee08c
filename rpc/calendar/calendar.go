// Package calendar counts working days: weekends, and each year's holidays and 调休 as the State
// Council publishes them. A year is a file; one that is not there yet is counted by its weekends, and
// said to be so.
package calendar

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"
)

//go:embed years/*.json
var shipped embed.FS

// year is a file: the days off from one to another, both included, and the days of weekends that are
// worked.
type year struct {
	Year   int         `json:"year"`
	Source string      `json:"source"` // the notice of the State Council's office
	Off    [][2]string `json:"off"`
	Work   []string    `json:"work"`
}

// Calendar tells working days.
type Calendar struct {
	works map[string]bool // of the days that are not what their weekday says
	years map[int]bool
}

// Load reads the shipped years, and those of a folder, which come later and replace them (HOLIDAYS_DIR,
// "" for none). A file that is no calendar is an error that names it.
func Load(dir string) (*Calendar, error) {
	c := &Calendar{works: map[string]bool{}, years: map[int]bool{}}
	if err := c.read(shipped, "years"); err != nil {
		return nil, err
	}
	if dir == "" {
		return c, nil
	}
	return c, c.read(os.DirFS(dir), ".")
}

func (c *Calendar) read(from fs.FS, dir string) error {
	files, err := fs.Glob(from, dir+"/*.json")
	if err != nil {
		return fmt.Errorf("calendar: %w", err)
	}
	for _, name := range files {
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return fmt.Errorf("calendar: %w", err)
		}
		var y year
		if err := json.Unmarshal(b, &y); err != nil {
			return fmt.Errorf("calendar %s: %w", name, err)
		}
		if err := c.add(&y); err != nil {
			return fmt.Errorf("calendar %s: %w", name, err)
		}
	}
	return nil
}

func (c *Calendar) add(y *year) error {
	of := func(s string) (time.Time, error) {
		d, err := time.Parse(time.DateOnly, s)
		if err == nil && d.Year() != y.Year {
			err = fmt.Errorf("%s is of another year than %d", s, y.Year)
		}
		return d, err
	}
	days := map[string]bool{}
	for _, span := range y.Off {
		from, err := of(span[0])
		to, err2 := of(span[1])
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if to.Before(from) {
			return fmt.Errorf("%s is before %s", span[1], span[0])
		}
		for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
			days[d.Format(time.DateOnly)] = false
		}
	}
	for _, s := range y.Work {
		d, err := of(s)
		if err != nil {
			return err
		}
		if _, off := days[s]; off || weekday(d) {
			return fmt.Errorf("%s is a holiday or a weekday already", s)
		}
		days[s] = true
	}
	for s := range c.works { // what an earlier file said of this year
		if d, _ := time.Parse(time.DateOnly, s); d.Year() == y.Year {
			delete(c.works, s)
		}
	}
	maps.Copy(c.works, days)
	c.years[y.Year] = true
	return nil
}

func weekday(d time.Time) bool { return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday }

func (c *Calendar) work(d time.Time) bool {
	if works, ok := c.works[d.Format(time.DateOnly)]; ok {
		return works
	}
	return weekday(d)
}

// Works tells whether a day, yyyy-MM-dd, is a working day.
func (c *Calendar) Works(day string) bool {
	d, err := time.Parse(time.DateOnly, day)
	return err == nil && c.work(d)
}

// Unknown says, for people, that the holidays of a day's year are not there; "" when they are.
func (c *Calendar) Unknown(day string) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil || c.years[d.Year()] {
		return ""
	}
	return fmt.Sprintf("%d年的节假日安排尚未导入，按周末推算", d.Year())
}

// Between counts the working days from one day to another, both included.
func (c *Calendar) Between(from, to string) int {
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	n := 0
	if err != nil || err2 != nil || b.Sub(a) > 40*365*24*time.Hour {
		return n
	}
	for ; !a.After(b); a = a.AddDate(0, 0, 1) {
		if c.work(a) {
			n++
		}
	}
	return n
}

// Move is the n-th working day after a day, or before it when n is negative; for 0 the day itself, or
// the next working day when it is none, on which a term ends that would end on a day off (民法典
// article 203).
func (c *Calendar) Move(day string, n int) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	step := 1
	if n < 0 {
		step, n = -1, -n
	} else if n == 0 {
		d, n = d.AddDate(0, 0, -1), 1
	}
	for n > 0 {
		if d = d.AddDate(0, 0, step); c.work(d) {
			n--
		}
	}
	return d.Format(time.DateOnly)
}
