package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSlow(t *testing.T) {
	dir := t.TempDir()
	for name, events := range map[string]string{
		"go.jsonl": `{"Action":"pass","Package":"zhihuidangjian/p","Test":"TestA/fast","Elapsed":0.5}
{"Action":"pass","Package":"zhihuidangjian/p","Test":"TestA/slow","Elapsed":4}
{"Action":"pass","Package":"zhihuidangjian/p","Test":"TestA","Elapsed":6}
{"Action":"pass","Package":"zhihuidangjian/p","Elapsed":7}
`,
		"race.jsonl": `{"Action":"fail","Package":"zhihuidangjian/p","Test":"TestA","Elapsed":3}
{"Action":"fail","Package":"zhihuidangjian/p","Elapsed":9}
`,
		"other.json": `{`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(events), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if err := slow(&b, 3, dir); err != nil {
		t.Fatal(err)
	}
	const want = `slowest packages
    9.0 s  race     p
    7.0 s  go       p
slowest tests
    4.0 s  go       p TestA/slow
    3.0 s  race     p TestA
    1.5 s  go       p TestA
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}
