package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/argon2"

	"zhihuidangjian/rpc/kit"
)

// argon2id with those of OWASP's equivalent parameters that ask for the least memory:
// 7 MiB, five passes, one lane. It stays in the processor's cache, beside what else runs.
const (
	argonTime   = 5
	argonMemory = 7 << 10 // KiB
	argonKey    = 32
)

// hasher bounds how much of the processor visitors can take, by hashing or by having
// captchas drawn, and how many of them wait, so that a flood of log-ins cannot take it
// from a hall that is checking in.
type hasher struct {
	running chan struct{}
	waiting chan struct{}
}

func newHasher(parallel, queue int) *hasher {
	return &hasher{running: make(chan struct{}, parallel), waiting: make(chan struct{}, queue)}
}

// run works off f in its turn. Its place stays taken afterwards for twice as long as f took:
// each place is a third of a core at most.
func (h *hasher) run(ctx context.Context, f func()) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return kit.TooMany("login.busy", "登录人数过多，请稍后再试")
	}
	select {
	case h.running <- struct{}{}:
	case <-ctx.Done():
		return kit.ErrTimeout.Because(ctx.Err())
	}
	start := time.Now()
	defer func() { time.AfterFunc(2*time.Since(start), func() { <-h.running }) }()
	f()
	return nil
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	var key []byte
	err := h.run(ctx, func() { key = argon2.IDKey([]byte(password), salt, argonTime, argonMemory, 1, argonKey) })
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s",
		argon2.Version, argonMemory, argonTime, enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// verify compares in constant time. An empty or unknown hash costs as much as a real
// one, so that the time does not tell whether a user exists.
func (h *hasher) verify(ctx context.Context, hash, password string) (bool, error) {
	enc := base64.RawStdEncoding
	passes, memory := uint32(argonTime), uint32(argonMemory)
	salt, want := make([]byte, 16), make([]byte, argonKey)
	known := false
	if parts := strings.Split(hash, "$"); len(parts) == 6 && parts[1] == "argon2id" {
		if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=1", &memory, &passes); err == nil {
			s, err1 := enc.DecodeString(parts[4])
			k, err2 := enc.DecodeString(parts[5])
			if known = err1 == nil && err2 == nil && len(k) > 0; known {
				salt, want = s, k
			}
		}
	}
	var got []byte
	if err := h.run(ctx, func() {
		got = argon2.IDKey([]byte(password), salt, passes, memory, 1, uint32(len(want)))
	}); err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// checkStrength asks for at least 8 characters of three of four classes
// (GB/T 22239-2019 8.1.4.1 a).
func checkStrength(password string) error {
	classes := [4]bool{}
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			classes[0] = true
		case unicode.IsUpper(r):
			classes[1] = true
		case unicode.IsDigit(r):
			classes[2] = true
		default:
			classes[3] = true
		}
	}
	n := 0
	for _, c := range classes {
		if c {
			n++
		}
	}
	if len([]rune(password)) < 8 || n < 3 {
		return kit.InvalidFields(map[string]string{"newPassword": "密码至少 8 位，且须包含大写字母、小写字母、数字、符号中的三种"})
	}
	return nil
}
