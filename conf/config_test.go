package conf

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestSecret draws a key once, however many first starts there are at once.
func TestSecret(t *testing.T) {
	cfg := Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	var all sync.WaitGroup
	var keys [8][]byte
	drawn := make(chan string, len(keys))
	for i := range keys {
		all.Go(func() {
			key, fresh, err := cfg.Secret()
			if err != nil {
				t.Error(err)
			}
			if keys[i] = key; fresh != "" {
				drawn <- fresh
			}
		})
	}
	all.Wait()
	if len(drawn) != 1 {
		t.Errorf("%d drew a key", len(drawn))
	}
	for _, key := range keys {
		if len(key) != 64 || !bytes.Equal(key, keys[0]) {
			t.Errorf("%q beside %q", key, keys[0])
		}
	}
	left, err := os.ReadDir(cfg.Data)
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(cfg.Data, "data.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}
