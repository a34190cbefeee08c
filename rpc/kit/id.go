package kit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID is a random id that sorts by time: 48 bits of milliseconds, 72 of chance, in 24
// characters. Lists show the newest first by it. Ballots must not use it (trust.md).
func NewID(now time.Time) string {
	var b [15]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:]) // never fails since Go 1.24
	return crockford.EncodeToString(b[:])
}

// KeyID is the deterministic id of what may exist once: the same parts, the same id.
func KeyID(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}

// Token is 256 bits of chance for sessions and links.
func Token() string { return rand.Text() + rand.Text() }
