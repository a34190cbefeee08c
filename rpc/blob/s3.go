package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// attempts bounds how often a request is made that the server was too busy for.
const attempts = 3

// bucket is a Store in a bucket that speaks S3.
type bucket struct {
	core minio.Core
	pool *http.Transport
	name string
}

// openBucket reads the options of an s3:// address. It asks the server nothing: the product
// starts while the server is away.
func openBucket(u *url.URL) (Store, error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, err
	}
	for option := range q {
		switch option {
		case "region", "endpoint", "use_path_style":
		default:
			return nil, fmt.Errorf("unknown option %q: there are region, endpoint and use_path_style", option)
		}
	}
	if err := s3utils.CheckValidBucketName(u.Host); err != nil {
		return nil, fmt.Errorf("bucket %q: %w", u.Host, err)
	}
	if strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("a bucket has no directory %q", u.Path)
	}
	if q.Get("region") == "" {
		return nil, errors.New("region is missing: requests are signed with it")
	}
	id, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if id == "" || secret == "" {
		return nil, errors.New("s3:// needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	endpoint := &url.URL{Scheme: "https", Host: "s3.amazonaws.com"} // the client makes it the region's
	if given := q.Get("endpoint"); given != "" {
		endpoint, err = url.Parse(given)
		if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" {
			return nil, fmt.Errorf("endpoint %q is no http://host or https://host", given)
		}
	}
	lookup := minio.BucketLookupAuto
	if given := q.Get("use_path_style"); given != "" {
		path, err := strconv.ParseBool(given)
		if err != nil {
			return nil, fmt.Errorf("use_path_style %q is neither true nor false", given)
		}
		if lookup = minio.BucketLookupDNS; path {
			lookup = minio.BucketLookupPath
		}
	}
	secure := endpoint.Scheme == "https"
	pool, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	c, err := minio.New(endpoint.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(id, secret, os.Getenv("AWS_SESSION_TOKEN")),
		Secure: secure, Region: q.Get("region"), BucketLookup: lookup, Transport: pool, MaxRetries: attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	c.SetS3EnableDualstack(false) // the host that an endpoint names, not its sister with IPv6
	return &bucket{core: minio.Core{Client: c}, pool: pool, name: u.Host}, nil
}

func (b *bucket) Put(ctx context.Context, key string, data []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	// One request, signed with the contents' sum: every server understands it, which holds
	// neither for parts nor for chunks signed one by one.
	sum := sha256.Sum256(data)
	_, err := b.core.PutObject(ctx, b.name, key, bytes.NewReader(data), int64(len(data)), "", hex.EncodeToString(sum[:]),
		minio.PutObjectOptions{ContentType: "application/octet-stream", DisableContentSha256: true})
	if err != nil {
		return fmt.Errorf("keep blob: %w", err)
	}
	return nil
}

func (b *bucket) Read(ctx context.Context, key string, offset, length int64) (_ []byte, err error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := checkRange(offset, length); err != nil {
		return nil, err
	}
	var part minio.GetObjectOptions
	// A range has at least a byte; of no more than length is read.
	if err := part.SetRange(offset, offset+max(length, 1)-1); err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	r, _, header, err := b.core.GetObject(ctx, b.name, key, part)
	switch answer := minio.ToErrorResponse(err); {
	case answer.Code == minio.NoSuchKey:
		return nil, ErrNotFound
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return nil, nil // the contents end before offset
	case err != nil:
		return nil, fmt.Errorf("open blob: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if offset > 0 && !strings.HasPrefix(header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset)) {
		return nil, errors.New("read blob: the server answered with another part")
	}
	data, err := io.ReadAll(io.LimitReader(r, length))
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	return data, nil
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	err := b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

func (b *bucket) Close() error {
	b.pool.CloseIdleConnections()
	return nil
}
