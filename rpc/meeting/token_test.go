package meeting

import (
	"errors"
	"testing"
	"time"
)

// FuzzToken: whatever a camera reads, nothing but our own tokens opens.
func FuzzToken(f *testing.F) {
	s, err := newSigner(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_790_000_000, 0)
	good, _ := s.token("m1", now)
	for _, seed := range []string{good, "", ".", "..", "m1.0.", good + "=", "m1." + good} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := s.open(token, now)
		if (err == nil) != (id != "") {
			t.Errorf("%q: %q %v", token, id, err)
		}
		if err == nil && token != good {
			t.Errorf("opened %q", token)
		}
	})
}

func TestTokenSteps(t *testing.T) {
	s, err := newSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	shown := time.Unix(1_790_000_010, 0) // 1,790,000,010 is a multiple of 30
	token, until := s.token("m1", shown)
	if !until.Equal(shown.Add(30 * time.Second)) {
		t.Errorf("replaced at %v", until.Sub(shown))
	}
	for after, want := range map[time.Duration]error{
		-31 * time.Second: errStale, -30 * time.Second: nil, 0: nil, 89 * time.Second: nil, 90 * time.Second: errStale, 24 * time.Hour: errStale,
	} {
		if _, err := s.open(token, shown.Add(after)); !errors.Is(err, want) {
			t.Errorf("after %v: %v, want %v", after, err, want)
		}
	}
}
