// Package blob keeps the contents of files outside the document store: in a directory or
// in a bucket that speaks S3. What is known about a file, and who may read it, is not its
// business (rpc/records).
package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"unicode"
)

// ErrNotFound says that nothing is kept under the key.
var ErrNotFound = errors.New("blob: not found")

// Store keeps contents by key. A key is written once and never changed; to write it again
// with the same contents does no harm. A key is a path of parts between slashes: one that
// could lead out of a directory, or whose parts begin or end with a dot, is refused.
type Store interface {
	// Put returns when the contents will outlast a crash. Readers find all of them or none.
	Put(ctx context.Context, key string, data []byte) error
	// Read reads a part: length bytes from offset, or fewer where the contents end before.
	// ErrNotFound when there is nothing under the key.
	Read(ctx context.Context, key string, offset, length int64) ([]byte, error)
	// Delete of a key that is not there is no error.
	Delete(ctx context.Context, key string) error
	Close() error
}

// Open opens a store: "file:///directory", made when it is missing, or
// "s3://bucket?region=…&endpoint=…" with credentials from AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY.
//
// The endpoint, AWS itself when it is left out, is the http or https address of a server.
// Where it takes the bucket is known for AWS, Google and Aliyun (in the host name) and
// elsewhere in the path; use_path_style=true or false says otherwise.
func Open(ctx context.Context, address string) (Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("BLOB_URL: %w", err)
	}
	var s Store
	switch u.Scheme {
	case "file":
		s, err = Dir(u.Path)
	case "s3":
		s, err = openBucket(u)
	default:
		err = errors.New("must begin with file:/// or s3://")
	}
	if err != nil {
		return nil, fmt.Errorf("BLOB_URL: %w", err)
	}
	return s, nil
}

// checkKey refuses keys that mean something else to a file system or to a URL.
func checkKey(key string) error {
	ok := fs.ValidPath(key) && !strings.ContainsFunc(key, unicode.IsControl)
	for part := range strings.SplitSeq(key, "/") {
		ok = ok && !strings.HasPrefix(part, ".") && !strings.HasSuffix(part, ".")
	}
	if !ok {
		return fmt.Errorf("blob: unsafe key %q", key)
	}
	return nil
}

// checkRange refuses what is no part of any contents.
func checkRange(offset, length int64) error {
	if offset < 0 || length < 0 {
		return fmt.Errorf("blob: cannot read %d bytes from %d", length, offset)
	}
	return nil
}
