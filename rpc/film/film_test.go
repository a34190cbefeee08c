package film

import (
	"testing"

	"zhihuidangjian/rpc/film/filmtest"
)

func TestSeconds(t *testing.T) {
	good := filmtest.Shortest(1000, 61500, "vide")
	if n, ok := Seconds(good); n != 62 || !ok {
		t.Errorf("%d %v", n, ok)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "sound only": filmtest.Shortest(1000, 61500, "soun"), "no time": filmtest.Shortest(0, 61500, "vide"), "no length": filmtest.Shortest(1000, 0, "vide"),
		"a box that says 4 GB": {0, 0, 0, 8, 'f', 't', 'y', 'p', 0xff, 0xff, 0xff, 0xff, 'm', 'o', 'o', 'v'}, "a box of size 3": {0, 0, 0, 3, 'm', 'o', 'o', 'v'},
	} {
		if n, ok := Seconds(b); ok {
			t.Errorf("%s: %d", name, n)
		}
	}
	for cut := range good { // an upload that broke off
		if _, ok := Seconds(good[:cut]); ok {
			t.Errorf("cut at %d of %d it is taken", cut, len(good))
		}
	}
}

func FuzzSeconds(f *testing.F) {
	f.Add(filmtest.Shortest(1000, 61500, "vide"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, ok := Seconds(b); ok && (n < 1 || n > 24*3600+1) {
			t.Errorf("%d seconds", n)
		}
	})
}
