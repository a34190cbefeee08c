package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zhihuidangjian/rpc/blob"
)

// bucket is as much of S3 as a store needs. It refuses what is not signed.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte // by path, as it was sent
	busy    int               // requests to turn away first
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(body)
	signed := r.Header.Get("Authorization")
	path := r.URL.EscapedPath()
	data, found := b.objects[path]
	switch {
	case b.busy > 0:
		b.busy--
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
	case !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=id/") || !strings.Contains(signed, "/cn/s3/aws4_request") || !strings.Contains(signed, "Signature="):
		refuse(w, http.StatusForbidden, "AccessDenied")
	case r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]):
		refuse(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
	case !strings.HasPrefix(path, "/files/"):
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		b.objects[path] = body
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	case r.Method == http.MethodDelete:
		delete(b.objects, path)
		w.WriteHeader(http.StatusNoContent)
	case !found:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case len(data) == 0 && r.Header.Get("Range") != "":
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange") // which ServeContent answers with nothing
	default:
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(data))
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s.</Message></Error>`, code, code)
}

func credentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
}

func open(t *testing.T, address string) blob.Store {
	t.Helper()
	s, err := blob.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// overHTTP opens a bucket behind a handler.
func overHTTP(t *testing.T, name string, h http.Handler) blob.Store {
	t.Helper()
	credentials(t)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return open(t, "s3://"+name+"?region=cn&endpoint="+url.QueryEscape(server.URL))
}

func put(t *testing.T, s blob.Store, key, data string) {
	t.Helper()
	if err := s.Put(t.Context(), key, []byte(data)); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func read(t *testing.T, s blob.Store, key string, offset, length int64, want string) {
	t.Helper()
	got, err := s.Read(t.Context(), key, offset, length)
	if err != nil || string(got) != want {
		t.Fatalf("read %s, %d from %d: %q, %v; want %q", key, length, offset, got, err, want)
	}
}

func gone(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if got, err := s.Read(t.Context(), key, 0, 10); !errors.Is(err, blob.ErrNotFound) {
		t.Fatalf("read %s: %q, %v; want ErrNotFound", key, got, err)
	}
}

func TestDirectory(t *testing.T) {
	testStore(t, open(t, "file://"+filepath.Join(t.TempDir(), "made", "when missing")))
}

func TestBucket(t *testing.T) {
	testStore(t, overHTTP(t, "files", &bucket{objects: map[string][]byte{}}))
}

// testStore is what every store promises.
func testStore(t *testing.T, s blob.Store) {
	t.Run("parts", func(t *testing.T) {
		put(t, s, "a/b", "内容")
		read(t, s, "a/b", 0, 6, "内容")
		read(t, s, "a/b", 0, 3, "内")
		read(t, s, "a/b", 3, 100, "容")
		read(t, s, "a/b", 4, 1, "\xae")
		read(t, s, "a/b", 2, 0, "")
		read(t, s, "a/b", 6, 10, "")
		read(t, s, "a/b", 100, 10, "")
		for _, part := range [][2]int64{{-1, 1}, {0, -1}} {
			if got, err := s.Read(t.Context(), "a/b", part[0], part[1]); err == nil {
				t.Errorf("read %q at %v", got, part)
			}
		}
	})
	t.Run("nothing kept", func(t *testing.T) {
		gone(t, s, "a/none")
		gone(t, s, "none/none")
		put(t, s, "a/empty", "")
		read(t, s, "a/empty", 0, 10, "")
	})
	t.Run("again", func(t *testing.T) {
		for range 2 {
			put(t, s, "a/again", "same")
		}
		read(t, s, "a/again", 0, 10, "same")
	})
	t.Run("delete", func(t *testing.T) {
		put(t, s, "a/deleted", "x")
		put(t, s, "a/stays", "y")
		for range 2 {
			if err := s.Delete(t.Context(), "a/deleted"); err != nil {
				t.Fatal(err)
			}
		}
		gone(t, s, "a/deleted")
		read(t, s, "a/stays", 0, 10, "y")
	})
	t.Run("keys apart", func(t *testing.T) {
		keys := []string{"k", "k k", "k+k", "k%20k", "k%2Fk", "附件/名 称?x=1&y#z", "k..k", `k\k`, "k'k", "~k"}
		for _, key := range keys {
			put(t, s, key, key)
		}
		for _, key := range keys {
			read(t, s, key, 0, 100, key)
		}
	})
	t.Run("unsafe keys", func(t *testing.T) {
		for _, key := range []string{
			"", ".", "..", "../a", "a/../b", "a/..", "/etc/passwd", "a//b", "a/", "/", "a/./b", ".hidden", "a/.put-1", "a../b", "a\x00b", "a\nb", "\xff",
		} {
			if err := s.Put(t.Context(), key, nil); err == nil {
				t.Errorf("put %q", key)
			}
			if _, err := s.Read(t.Context(), key, 0, 1); err == nil || errors.Is(err, blob.ErrNotFound) {
				t.Errorf("read %q: %v", key, err)
			}
			if err := s.Delete(t.Context(), key); err == nil {
				t.Errorf("deleted %q", key)
			}
		}
	})
	t.Run("all or none", func(t *testing.T) {
		whole := strings.Repeat("x", 1<<16)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := s.Put(t.Context(), "a/raced", []byte(whole)); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				got, err := s.Read(t.Context(), "a/raced", 0, 1<<20)
				if !errors.Is(err, blob.ErrNotFound) && (err != nil || string(got) != whole) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		}
		all.Wait()
	})
	t.Run("too late", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Put(ctx, "a/late", []byte("x")); err == nil {
			t.Fatal("put")
		}
		gone(t, s, "a/late")
	})
}

// Installations have files that gocloud.dev/blob wrote: the key is the path.
func TestDirectoryOfBefore(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "3f"), 0o700); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "3f", "019a7c0c2f0b5d1c8a9e603f")
	if err := os.WriteFile(old, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, "file://"+dir)
	read(t, s, "3f/019a7c0c2f0b5d1c8a9e603f", 1, 2, "ep")
	if err := s.Delete(t.Context(), "3f/019a7c0c2f0b5d1c8a9e603f"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestDirectoryIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, "file://"+dir)
	put(t, s, "ab/cd", "x")
	// What cannot take its name leaves nothing behind.
	if err := s.Put(t.Context(), "ab", nil); err == nil {
		t.Fatal("a file took the place of a directory")
	}
	modes := map[string]fs.FileMode{}
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		name, _ := filepath.Rel(dir, path)
		modes[name] = info.Mode()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{".": fs.ModeDir | 0o700, "ab": fs.ModeDir | 0o700, "ab/cd": 0o600}
	if fmt.Sprint(modes) != fmt.Sprint(want) {
		t.Fatalf("%v, want %v", modes, want)
	}
}

func TestServerErrors(t *testing.T) {
	fails := func(t *testing.T, s blob.Store, says string) {
		t.Helper()
		_, err := s.Read(t.Context(), "a/b", 1, 1)
		for what, err := range map[string]error{"read": err, "put": s.Put(t.Context(), "a/b", nil), "delete": s.Delete(t.Context(), "a/b")} {
			if err == nil || errors.Is(err, blob.ErrNotFound) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v; want %s", what, err, says)
			}
		}
	}
	t.Run("refused", func(t *testing.T) {
		fails(t, overHTTP(t, "files", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
		})), "SignatureDoesNotMatch")
	})
	t.Run("no such bucket", func(t *testing.T) {
		fails(t, overHTTP(t, "other", &bucket{}), "NoSuchBucket")
	})
	t.Run("busy", func(t *testing.T) {
		s := overHTTP(t, "files", &bucket{objects: map[string][]byte{}, busy: 1})
		put(t, s, "a/b", "again")
		read(t, s, "a/b", 0, 10, "again")
	})
	// The wrong part of a file would be worse than none.
	t.Run("ranges ignored", func(t *testing.T) {
		s := overHTTP(t, "files", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Last-Modified", time.Unix(1e9, 0).UTC().Format(http.TimeFormat))
			_, _ = io.WriteString(w, "whole")
		}))
		if got, err := s.Read(t.Context(), "a/b", 2, 2); err == nil {
			t.Errorf("read %q", got)
		}
		read(t, s, "a/b", 0, 2, "wh") // no more than was asked for
	})
	t.Run("cut off", func(t *testing.T) {
		s := overHTTP(t, "files", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Last-Modified", time.Unix(1e9, 0).UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "some")
		}))
		if got, err := s.Read(t.Context(), "a/b", 0, 100); err == nil {
			t.Errorf("read %q", got)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct{ address, says string }{
		{"ftp://files", "must begin with"},
		{"files", "must begin with"},
		{"s3://files", "region"},
		{"s3://?region=cn", "bucket"},
		{"s3://ab?region=cn", "bucket"},
		{"s3://files/under?region=cn", "/under"},
		{"s3://files?region=cn&endpoint=oss.example.com", "endpoint"},
		{"s3://files?region=cn&endpoint=ftp://oss.example.com", "endpoint"},
		{"s3://files?region=cn&endpoint=https://oss.example.com/files", "endpoint"},
		{"s3://files?region=cn&endpoint=https://-oss.example", "endpoint"},
		{"s3://files?region=cn&use_path_style=maybe", "use_path_style"},
		{"s3://files?region=cn&sse=on", `"sse"`},
		{"s3://files?region=cn;x", "semicolon"},
	} {
		credentials(t)
		_, err := blob.Open(t.Context(), c.address)
		if err == nil || !strings.HasPrefix(err.Error(), "BLOB_URL: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.address, err)
		}
	}
	for _, missing := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		credentials(t)
		t.Setenv(missing, "")
		if _, err := blob.Open(t.Context(), "s3://files?region=cn"); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}
