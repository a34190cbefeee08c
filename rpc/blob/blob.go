// Package blob keeps the contents of files outside the document store: in a directory or
// in a bucket that speaks S3. What is known about a file, and who may read it, is not its
// business (rpc/records).
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3:// addresses
	"gocloud.dev/gcerrors"
)

// ErrNotFound says that nothing is kept under the key.
var ErrNotFound = errors.New("blob: not found")

// Store keeps contents by key. A key is written once and never changed.
type Store interface {
	Put(ctx context.Context, key string, data []byte) error
	// Read reads a part: length bytes from offset, or up to the end. ErrNotFound when there
	// is nothing under the key.
	Read(ctx context.Context, key string, offset, length int64) ([]byte, error)
	// Delete of a key that is not there is no error.
	Delete(ctx context.Context, key string) error
	Close() error
}

// Open opens a store: "file:///directory", made when it is missing, or
// "s3://bucket?region=…&endpoint=…" with credentials from AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY.
func Open(ctx context.Context, address string) (Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("BLOB_URL: %w", err)
	}
	if u.Scheme == "file" {
		return Dir(u.Path)
	}
	b, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("BLOB_URL: %w", err)
	}
	return bucket{b}, nil
}

// Dir keeps contents in a directory.
func Dir(path string) (Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	// Half-written files stand beside the others, so that a rename never crosses disks.
	b, err := fileblob.OpenBucket(path, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite, DirFileMode: 0o700})
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return bucket{b}, nil
}

type bucket struct{ b *blob.Bucket }

func (s bucket) Put(ctx context.Context, key string, data []byte) error {
	if err := s.b.WriteAll(ctx, key, data, &blob.WriterOptions{ContentType: "application/octet-stream"}); err != nil {
		return fmt.Errorf("keep blob: %w", err)
	}
	return nil
}

func (s bucket) Read(ctx context.Context, key string, offset, length int64) (_ []byte, err error) {
	r, err := s.b.NewRangeReader(ctx, key, offset, length, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	return data, nil
}

func (s bucket) Delete(ctx context.Context, key string) error {
	if err := s.b.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

func (s bucket) Close() error { return s.b.Close() }
