// Testsummary reads the events of `go test -json` and prints the output of what failed
// and, last, a line with the counts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct{ Action, Package, Test, Output string }

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 8<<20)
	output := map[string][]string{}
	counts := map[string]int{}
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "fail":
			if e.Test != "" {
				counts["fail"]++
			}
			fmt.Printf("FAIL %s\n%s", key, strings.Join(output[key], ""))
		case "pass", "skip":
			if e.Test != "" {
				counts[e.Action]++
			}
		}
		if e.Action == "pass" {
			delete(output, key)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", counts["pass"], counts["fail"], counts["skip"])
}
