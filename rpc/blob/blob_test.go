package blob_test

import (
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
		_, _ = w.Write(data)
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
			r, err := s.Open(ctx, "a/b")
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil || string(got) != "内容" {
				t.Fatalf("read %q, %v", got, err)
			}
			for range 2 {
				if err := s.Delete(ctx, "a/b"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Open(ctx, "a/b"); !errors.Is(err, blob.ErrNotFound) {
				t.Fatalf("deleted: %v", err)
			}
		})
	}
	if _, err := blob.Open(context.Background(), "ftp://files"); err == nil {
		t.Fatal("an unknown kind of store opened")
	}
}
