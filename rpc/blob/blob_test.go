package blob_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zhihuidangjian/rpc/blob"
)

// bucket is as much of S3 as a store needs.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		data, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		b.objects[r.URL.Path] = data
		sum := md5.Sum(data)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	case http.MethodDelete:
		delete(b.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		data, ok := b.objects[r.URL.Path]
		if !ok {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

func TestStore(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s3 := httptest.NewServer(&bucket{objects: map[string][]byte{}})
	t.Cleanup(s3.Close)
	for name, address := range map[string]string{
		"directory": "file://" + filepath.Join(t.TempDir(), "made", "when missing"),
		"bucket":    "s3://files?region=cn&use_path_style=true&endpoint=" + s3.URL,
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s, err := blob.Open(ctx, address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := s.Put(ctx, "a/b", []byte("内容")); err != nil {
				t.Fatal(err)
			}
			got, err := s.Read(ctx, "a/b", 3, 100)
			if err != nil || string(got) != "容" {
				t.Fatalf("read %q, %v", got, err)
			}
			for range 2 {
				if err := s.Delete(ctx, "a/b"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Read(ctx, "a/b", 0, 10); !errors.Is(err, blob.ErrNotFound) {
				t.Fatalf("deleted: %v", err)
			}
		})
	}
	if _, err := blob.Open(context.Background(), "ftp://files"); err == nil {
		t.Fatal("an unknown kind of store opened")
	}
}
