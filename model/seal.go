package model

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Sealer encrypts personal fields (身份证号, phone, address, wage) at rest with
// AES-256-GCM and makes blind indexes for look-ups and unique keys.
type Sealer struct {
	gcm   cipher.AEAD
	blind []byte
	audit []byte
	check string // tells this key from others, and nothing else of it
}

// NewSealer derives its keys from one secret of at least 32 bytes.
func NewSealer(secret []byte) (*Sealer, error) {
	if len(secret) < 32 {
		return nil, errors.New("DATA_KEY must have at least 32 bytes")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "field", 32)
	if err != nil {
		return nil, fmt.Errorf("field key: %w", err)
	}
	blind, err := hkdf.Key(sha256.New, secret, nil, "blind", 32)
	if err != nil {
		return nil, fmt.Errorf("blind key: %w", err)
	}
	audit, err := hkdf.Key(sha256.New, secret, nil, "audit", 32)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	check, err := hkdf.Key(sha256.New, secret, nil, "check", 32)
	if err != nil {
		return nil, fmt.Errorf("check of the key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{gcm: gcm, blind: blind, audit: audit, check: hex.EncodeToString(check)}, nil
}

// bound begins what is sealed for one place; base64 has no such letter. What an earlier version
// sealed lacks it and opens anywhere.
const bound = "1."

// At is the place of a record's personal field, for Seal and Open: of all documents with that
// id, since a record keeps its texts when its kind is called otherwise.
func At(id, field string) string { return id + "\x00" + field }

// Seal encrypts; the empty string stays empty. The text opens in the place that it was sealed
// for and in no other, so that who can write to the store cannot let one person's number be
// shown as another's.
func (s *Sealer) Seal(plain, place string) string {
	if plain == "" {
		return ""
	}
	nonce := make([]byte, s.gcm.NonceSize(), s.gcm.NonceSize()+len(plain)+s.gcm.Overhead())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return bound + base64.RawStdEncoding.EncodeToString(s.gcm.Seal(nonce, nonce, []byte(plain), []byte(place)))
}

// Open decrypts what Seal made for a place; an error means another key, another place or damage.
func (s *Sealer) Open(sealed, place string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	var of []byte
	text, here := strings.CutPrefix(sealed, bound)
	if here {
		of = []byte(place)
	}
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) < s.gcm.NonceSize() {
		return "", errors.New("sealed field is damaged")
	}
	n := s.gcm.NonceSize()
	plain, err := s.gcm.Open(nil, b[:n], b[n:], of)
	if err != nil {
		return "", fmt.Errorf("sealed field: %w", err)
	}
	return string(plain), nil
}

// Blind is the same for the same text and tells nothing of it without the key.
func (s *Sealer) Blind(plain string) string {
	if plain == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum(s.blind, []byte(plain))[:18])
}

// chain is the hash of one entry of the audit.
func (s *Sealer) chain(entry []byte) []byte { return sum(s.audit, entry) }

func sum(key, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(b)
	return h.Sum(nil)
}

// MaskID hides the middle of an ID number: 110***********0011.
func MaskID(id string) string { return mask(id, 3, 4) }

// MaskPhone hides the middle of a phone number: 138****0000.
func MaskPhone(phone string) string { return mask(phone, 3, 4) }

func mask(s string, head, tail int) string {
	r := []rune(s)
	if s != "" && len(r) < head+tail+2 { // would show nearly all of it
		return "******"
	}
	for i := head; i < len(r)-tail; i++ {
		r[i] = '*'
	}
	return string(r)
}
