package kit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync"
	"time"
)

var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newest is the id that this process made last.
var newest struct {
	sync.Mutex
	id [15]byte
}

// NewID is a random id that sorts by time: 48 bits of milliseconds, 72 of chance, in 24
// characters. Those that a process makes in one millisecond sort in the order they were
// made, so lists show the newest first by it. Ballots must not use it (trust.md).
func NewID(now time.Time) string {
	var b [15]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	newest.Lock()
	defer newest.Unlock()
	if bytes.Equal(b[:6], newest.id[:6]) {
		b = newest.id
		for i := len(b) - 1; i >= 6; i-- {
			if b[i]++; b[i] != 0 {
				break
			}
		}
	} else {
		_, _ = rand.Read(b[6:]) // never fails since Go 1.24
		b[6] &= 0x7f            // so that counting on never carries into the time
	}
	newest.id = b
	return crockford.EncodeToString(b[:])
}

// KeyID is the deterministic id of what may exist once: the same parts, the same id.
func KeyID(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}

// Token is 256 bits of chance for sessions and links.
func Token() string { return rand.Text() + rand.Text() }
