package docstore

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

func TestPipe(t *testing.T) {
	a, b := newPipe()
	big := bytes.Repeat([]byte("0123456789"), pipeFull/2) // more than may lie there
	want := len(big)
	go func() {
		for len(big) > 0 {
			n, err := a.Write(big[:min(len(big), 100_000)])
			if err != nil {
				t.Error(err)
			}
			big = big[n:]
		}
		a.Close()
	}()
	got, err := io.ReadAll(b)
	if err != nil || len(got) != want || !bytes.HasSuffix(got, []byte("89")) {
		t.Errorf("%d of %d bytes, %v", len(got), want, err)
	}
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("the other end is closed")
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("this end is closed")
	}
}

// TestPipeDeadlines reads with a deadline that has passed, moves later, moves earlier, is lifted.
func TestPipeDeadlines(t *testing.T) {
	a, b := newPipe()
	defer a.Close()
	one := make([]byte, 1)
	timesOut := func(what string) {
		t.Helper()
		done := make(chan error, 1)
		go func() { _, err := b.Read(one); done <- err }()
		select {
		case err := <-done:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: no end", what)
		}
	}
	_ = b.SetDeadline(time.Now().Add(-time.Second))
	timesOut("past")
	_ = b.SetDeadline(time.Now().Add(5 * time.Millisecond))
	_ = b.SetDeadline(time.Now().Add(20 * time.Millisecond))
	timesOut("later")
	_ = b.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	timesOut("again")
	_ = b.SetDeadline(time.Now().Add(time.Hour))
	_ = b.SetDeadline(time.Now().Add(5 * time.Millisecond))
	timesOut("earlier")
	_ = b.SetDeadline(time.Time{})
	time.AfterFunc(10*time.Millisecond, func() { _, _ = a.Write(one) })
	if _, err := b.Read(one); err != nil {
		t.Errorf("lifted: %v", err)
	}
}
