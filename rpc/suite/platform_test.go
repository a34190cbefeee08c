package suite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"zhihuidangjian/conf"
	"zhihuidangjian/model"
)

// TestOtherKey starts upon documents of another key: refused, and the data directory is as it
// was before.
func TestOtherKey(t *testing.T) {
	cfg := conf.Default()
	cfg.Data, cfg.PublicURL = t.TempDir(), "http://"+cfg.Addr
	start := func() error {
		p, err := Open(cfg, true)
		if err != nil {
			return err
		}
		return p.Close()
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.Data, "data.key")
	key, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	files := func() (names []string) {
		_ = filepath.WalkDir(cfg.Data, func(name string, _ fs.DirEntry, _ error) error {
			if filepath.Dir(name) != filepath.Join(cfg.Data, "store") { // its files are numbered anew
				names = append(names, name)
			}
			return nil
		})
		return names
	}
	before := len(files())
	for what, other := range map[string]string{"none": "", "another": "another key of 32 bytes and some more"} {
		cfg.DataKey = other
		if err := start(); !errors.Is(err, model.ErrOtherKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if now := files(); len(now) != before {
		t.Errorf("a refused start left %v", now)
	}
	cfg.DataKey = string(key)
	if err := start(); err != nil {
		t.Errorf("the right key: %v", err)
	}
}
