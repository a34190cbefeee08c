package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"

	"zhihuidangjian/model"
)

// What the embedded Redis holds would end with the process. The part of it that people would
// miss is kept in a file of DATA: who is logged in, and who is locked out. A process that is
// killed loses what changed in its last keepEvery: a log-in, or that somebody logged out.

// keptPrefixes name that part. Boards are made anew from the ledger, and locks of workers must
// not outlive them.
var keptPrefixes = []string{"session:", "login:", "account:", model.BindingsKey}

const (
	keepFile  = "redis.json"
	keepEvery = 2 * time.Second
)

// kept is one key. Tokens of sessions are stored as hashes, so that the file opens no door.
type kept struct {
	Key   string            `json:"key"`
	Text  []byte            `json:"text,omitempty"`
	Hash  map[string]string `json:"hash,omitempty"`
	Set   []string          `json:"set,omitempty"`
	Until int64             `json:"until,omitempty"` // Unix seconds
}

// keeper carries an embedded Redis over a restart.
type keeper struct {
	redis *miniredis.Miniredis
	path  string
	last  []byte // as the file is
}

// load puts back what the file holds. One that cannot be read costs log-ins, nothing else.
func (k *keeper) load() {
	b, err := os.ReadFile(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	var all []kept
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		slog.Warn("embedded Redis: begins empty", "file", k.path, "cause", err)
		return
	}
	now := time.Now().Unix()
	for _, e := range all {
		if e.Until != 0 && e.Until <= now {
			continue
		}
		switch {
		case e.Hash != nil:
			for field, value := range e.Hash {
				k.redis.HSet(e.Key, field, value)
			}
		case e.Set != nil:
			_, err = k.redis.SetAdd(e.Key, e.Set...)
		default:
			err = k.redis.Set(e.Key, string(e.Text))
		}
		if err != nil { // of another type: the file is ours, so that it cannot be
			slog.Warn("embedded Redis", "key", e.Key, "cause", err)
		}
		if e.Until != 0 {
			k.redis.SetTTL(e.Key, time.Duration(e.Until-now)*time.Second)
		}
	}
	k.last = b
}

// save writes the file if anything changed.
func (k *keeper) save() error {
	now := time.Now()
	all := []kept{}
	for _, key := range k.redis.Keys() {
		if !slices.ContainsFunc(keptPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			continue
		}
		e := kept{Key: key}
		switch k.redis.Type(key) { // a key that ends meanwhile is left out, or empty
		case "string":
			text, err := k.redis.Get(key)
			if err != nil {
				continue
			}
			e.Text = []byte(text)
		case "hash":
			fields, err := k.redis.HKeys(key)
			if err != nil {
				continue
			}
			e.Hash = map[string]string{}
			for _, f := range fields {
				e.Hash[f] = k.redis.HGet(key, f)
			}
		case "set":
			members, err := k.redis.Members(key)
			if err != nil {
				continue
			}
			e.Set = members
		default:
			continue
		}
		if ttl := k.redis.TTL(key); ttl > 0 {
			e.Until = now.Add(ttl).Round(time.Second).Unix()
		}
		all = append(all, e)
	}
	b, err := json.Marshal(all)
	if err != nil || bytes.Equal(b, k.last) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(k.path), keepFile+".") // 0600
	if err != nil {
		return fmt.Errorf("embedded Redis: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), k.path)
	}
	if err != nil {
		return fmt.Errorf("embedded Redis: %w", errors.Join(err, os.Remove(f.Name())))
	}
	k.last = b
	return nil
}

// run saves until ctx ends. A full disk is told once.
func (k *keeper) run(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for failed := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := k.save()
		if err != nil && !failed {
			slog.Error("embedded Redis: log-ins will not outlive this process", "cause", err)
		}
		failed = err != nil
	}
}
