package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// times are seconds by what took them.
type times map[string]float64

// slow prints the n packages and the n tests that took longest, each with the name of the
// report that tells of it. A test's time is without that of its parts, which have their own.
func slow(w io.Writer, n int, dir string) error {
	packages, tests := times{}, times{}
	reports, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return err
	}
	for _, path := range reports {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = read(f, func(e event) {
			if e.Action != "pass" && e.Action != "fail" {
				return
			}
			in := fmt.Sprintf("%-8s %s", strings.TrimSuffix(filepath.Base(path), ".jsonl"), strings.TrimPrefix(e.Package, "zhihuidangjian/"))
			if e.Test == "" {
				packages[in] += e.Elapsed
				return
			}
			tests[in+" "+e.Test] += e.Elapsed
			if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
				tests[in+" "+e.Test[:i]] -= e.Elapsed
			}
		})
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, l := range []struct {
		title string
		times
	}{{"slowest packages", packages}, {"slowest tests", tests}} {
		if len(l.times) == 0 {
			continue
		}
		fmt.Fprintln(w, l.title)
		keys := slices.SortedFunc(maps.Keys(l.times), func(a, b string) int {
			return cmp.Or(cmp.Compare(l.times[b], l.times[a]), cmp.Compare(a, b))
		})
		for _, k := range keys[:min(n, len(keys))] {
			fmt.Fprintf(w, "%7.1f s  %s\n", l.times[k], k)
		}
	}
	return nil
}
