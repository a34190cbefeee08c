package suite

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/conf"
	"zhihuidangjian/model"
	"zhihuidangjian/model/docstore"
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

// TestKeep restarts the embedded Redis: who was logged in or locked out still is, for as long
// as was left; boards, locks of workers, and what ended meanwhile are gone.
func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), keepFile)
	begin := func() *keeper {
		k := &keeper{redis: miniredis.NewMiniRedis(), path: path}
		k.load()
		return k
	}
	a := begin()
	set := func(key, value string, life time.Duration) {
		t.Helper()
		if err := a.redis.Set(key, value); err != nil {
			t.Fatal(err)
		}
		if life > 0 {
			a.redis.SetTTL(key, life)
		}
	}
	set("session:hash", "\x00\xffthrift", time.Hour)
	set("session:brief", "x", time.Second)
	set("account:rights", "7", 0)
	set("lock:dues.query", "x", time.Minute)
	a.redis.HSet("login:fail:user:admin", "n", "3")
	a.redis.HSet("points:{board}", "n", "3")
	if _, err := a.redis.SetAdd("session:user:u", "session:hash", "session:brief"); err != nil {
		t.Fatal(err)
	}
	if err := a.save(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if err := a.save(); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.Stat(path); !os.SameFile(info, again) {
		t.Error("saved again though nothing changed")
	}
	a.redis.FastForward(2 * time.Second)
	if err := a.save(); err != nil {
		t.Fatal(err)
	}
	b := begin()
	if got := strings.Join(b.redis.Keys(), " "); got != "account:rights login:fail:user:admin session:hash session:user:u" {
		t.Error(got)
	}
	if v, err := b.redis.Get("session:hash"); v != "\x00\xffthrift" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	if left := b.redis.TTL("session:hash"); left < 59*time.Minute || left > time.Hour {
		t.Error(left)
	}
	if b.redis.TTL("account:rights") != 0 || b.redis.HGet("login:fail:user:admin", "n") != "3" {
		t.Error("a counter is not what it was")
	}
	if m, err := b.redis.Members("session:user:u"); len(m) != 2 || err != nil {
		t.Error(m, err)
	}
	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := begin(); len(c.redis.Keys()) != 0 {
		t.Error("a damaged file is believed")
	}
}

// TestRestore backs a running product up and restores it as README.md says: the store from its
// directory in use, then uploaded files, and the key, which is kept apart.
func TestRestore(t *testing.T) {
	short, err := os.MkdirTemp("", "restore") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	cfg := conf.Default()
	cfg.Data, cfg.PublicURL = filepath.Join(short, "a"), "http://"+cfg.Addr
	p, err := Open(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	m := &model.Member{Base: model.Base{ID: "m"}, Name: "张三", IDNumber: "110101199001010011"}
	p.Seal.Close(m)
	if _, err := p.DB.Collection("members").InsertOne(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := p.Blobs.Put(t.Context(), "f1", []byte("contents")); err != nil {
		t.Fatal(err)
	}
	if err := p.Redis.Set(t.Context(), "session:x", "y", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := docstore.BackupDir(t.Context(), filepath.Join(cfg.Data, "store"), &backup); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(short, "b")
	if err := os.CopyFS(filepath.Join(to, "blobs"), os.DirFS(filepath.Join(cfg.Data, "blobs"))); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(cfg.Data, "data.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := docstore.Restore(filepath.Join(to, "store"), &backup); err != nil {
		t.Fatal(err)
	}
	restored := cfg
	restored.Data = to
	if _, err := Open(restored, true); !errors.Is(err, model.ErrOtherKey) {
		t.Fatalf("without its key: %v", err)
	}
	if err := os.WriteFile(filepath.Join(to, "data.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err = Open(restored, true); err != nil {
		t.Fatal(err)
	}
	var back model.Member
	err = p.DB.Collection("members").FindOne(t.Context(), bson.D{{Key: "_id", Value: "m"}}).Decode(&back)
	if err = errors.Join(err, p.Seal.Disclose(&back)); err != nil || back.IDNumber != "110101199001010011" {
		t.Error(back.Name, err)
	}
	if got, err := p.Blobs.Read(t.Context(), "f1", 0, 100); string(got) != "contents" {
		t.Errorf("%q %v", got, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err = Open(cfg, true); err != nil { // the first one again: an orderly restart
		t.Fatal(err)
	}
	if v, err := p.Redis.Get(context.Background(), "session:x").Result(); v != "y" || err != nil {
		t.Errorf("a session after a restart: %q %v", v, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}
