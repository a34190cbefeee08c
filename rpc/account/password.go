package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// argon2id with those of OWASP's equivalent parameters that ask for the least memory:
// 7 MiB, five passes, one lane. It stays in the processor's cache, beside what else runs.
const (
	argonTime   = 5
	argonMemory = 7 << 10 // KiB
	argonKey    = 32
)

// hasher hashes passwords, in turns.
type hasher struct{ *turns }

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

// passwordsKept is how many old passwords may not be used again.
const passwordsKept = 5

// setPassword is the one way to a password, whatever the door: a strong one, none of the
// last five, and for oneself only by the one so far. field is the new one's in the form.
// Whoever stores the user ends his sessions.
func (s *Service) setPassword(ctx context.Context, u *model.User, field, old, fresh string) error {
	if !strong(fresh) {
		return kit.InvalidFields(map[string]string{field: "密码至少 8 位，且须包含大写字母、小写字母、数字、符号中的三种"})
	}
	if c := kit.CallerOf(ctx); c.Kind == kit.User && u.ID == c.UserID {
		if err := s.confirm(ctx, u, old); err != nil {
			return err
		}
	}
	known := u.PasswordHistory
	if u.PasswordHash != "" {
		known = append(slices.Clone(known), u.PasswordHash)
	}
	for _, hash := range known {
		if used, err := s.hasher.verify(ctx, hash, fresh); err != nil {
			return err
		} else if used {
			return kit.InvalidFields(map[string]string{field: "不能使用最近用过的密码"})
		}
	}
	hash, err := s.hasher.hash(ctx, fresh)
	if err != nil {
		return err
	}
	u.PasswordHistory = known[max(0, len(known)-passwordsKept):]
	u.PasswordHash, u.PasswordChangedAt = hash, s.clock.Now()
	return nil
}

// confirm wants the password so far from who has a session. Wrong ones count as at the
// log-in: who borrowed a session guesses no longer than a stranger, and loses it.
func (s *Service) confirm(ctx context.Context, u *model.User, old string) error {
	if old == "" {
		return kit.InvalidFields(map[string]string{"oldPassword": "请填写原密码"})
	}
	key := here(u.UserName, kit.CallerOf(ctx).IP)
	err := s.countOne(ctx, key)
	if err == nil {
		var ok bool
		if ok, err = s.hasher.verify(ctx, u.PasswordHash, old); err != nil {
			s.uncount(ctx, []lockKey{key}) // nothing was tried
			return err
		}
		if ok {
			s.redis.Del(ctx, key.key)
			return nil
		}
		err = s.failed(ctx, []lockKey{key})
	}
	if errors.Is(err, errCredentials) {
		return kit.InvalidFields(map[string]string{"oldPassword": "原密码错误"})
	}
	if kit.FromError(err).Key == errLocked.Key {
		return errors.Join(s.refused(ctx, u.UserName, u, err), s.endSessions(ctx, u.ID))
	}
	return err
}

// strong tells whether a password has at least 8 characters of three of four classes
// (GB/T 22239-2019 8.1.4.1 a).
func strong(password string) bool {
	classes := map[string]bool{}
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			classes["lower"] = true
		case unicode.IsUpper(r):
			classes["upper"] = true
		case unicode.IsDigit(r):
			classes["digit"] = true
		default:
			classes["other"] = true
		}
	}
	return len([]rune(password)) >= 8 && len(classes) >= 3
}
