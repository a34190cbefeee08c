package kit

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Peers lets the processes of one installation know each other's calls: whoever holds
// DATA_KEY signs the caller he names and the method he calls. The signature proves who
// calls; it hides nothing and does not cover the request itself, so that the network
// between processes stays one that outsiders cannot listen to.
type Peers struct {
	key []byte

	mu           sync.Mutex
	seen, before map[peerNonce]struct{} // calls of this window and of the one before it
	turned       time.Time
}

// peerSkew is how far apart the clocks of two machines may be, the way included. A message
// older than that is nobody's any more.
const peerSkew = time.Minute

type peerNonce [16]byte

// errPeer is told to whoever calls without the key, in a form that every protocol carries.
// It reaches one of our own processes that was started with another DATA_KEY.
var errPeer = errors.New("the call is not believed: have both processes the same DATA_KEY, and their machines the same time?")

// NewPeers derives the key of calls from DATA_KEY.
func NewPeers(secret []byte) (*Peers, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "peer", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("key of calls: %w", err)
	}
	return &Peers{key: key, seen: map[peerNonce]struct{}{}}, nil
}

// peerMark is what stands before the caller and the method in what is signed: when, and a
// number that no other call has.
const peerMark = 8 + len(peerNonce{})

// sign makes the signature of one call.
func (p *Peers) sign(method, caller string, now time.Time) string {
	b := make([]byte, peerMark, peerMark+sha256.Size)
	binary.BigEndian.PutUint64(b, uint64(now.UnixMilli()))
	_, _ = rand.Read(b[8:]) // never fails since Go 1.24
	return base64.RawStdEncoding.EncodeToString(append(b, p.mac(b, method, caller)...))
}

func (p *Peers) mac(mark []byte, method, caller string) []byte {
	h := hmac.New(sha256.New, p.key)
	h.Write(mark) // of one length
	h.Write([]byte(method))
	h.Write([]byte{0}) // in no method
	h.Write([]byte(caller))
	return h.Sum(nil)
}

// check tells why a call is not to be believed. One that was believed is not again.
func (p *Peers) check(method, caller, signature string, now time.Time) error {
	if signature == "" {
		return errors.New("not signed")
	}
	b, err := base64.RawStdEncoding.DecodeString(signature)
	if err != nil || len(b) != peerMark+sha256.Size || !hmac.Equal(b[peerMark:], p.mac(b[:peerMark], method, caller)) {
		return errors.New("signed with another key, or for another call")
	}
	if at := time.UnixMilli(int64(binary.BigEndian.Uint64(b))); now.Sub(at).Abs() > peerSkew {
		return fmt.Errorf("signed at %s: too old, or the clocks of the machines differ", at.UTC().Format(time.RFC3339))
	}
	if !p.first(peerNonce(b[8:peerMark]), now) {
		return errors.New("sent before")
	}
	return nil
}

// first remembers a call for as long as it would be believed again.
func (p *Peers) first(n peerNonce, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.turned) > 2*peerSkew { // from the earliest clock to the latest
		p.before, p.seen, p.turned = p.seen, map[peerNonce]struct{}{}, now
	}
	_, lately := p.seen[n]
	_, earlier := p.before[n]
	p.seen[n] = struct{}{}
	return !lately && !earlier
}
