package meeting

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"zhihuidangjian/rpc/kit"
)

// The code on the screen is a signed, short-lived token, so that a photo sent to
// somebody at home is worth nothing: meeting id, time step, MAC over both.
const (
	codeStep = 30 * time.Second
	// codeSteps is how many steps before the current one are still accepted: time
	// enough to raise the phone, open the page and log in.
	codeSteps = 2
)

var (
	errForged = kit.Invalid("meeting.code", "二维码无效")
	errStale  = kit.Conflict("meeting.staleCode", "二维码已失效，请扫描最新的二维码")
)

// signer makes and reads the tokens of check-in codes.
type signer struct{ key []byte }

func newSigner(secret []byte) (signer, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "check-in code", 32)
	return signer{key}, err
}

func step(t time.Time) int64 { return t.Unix() / int64(codeStep/time.Second) }

func (s signer) mac(body string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(body))
	return h.Sum(nil)[:16]
}

// token is the code of a meeting at a time, and when it is replaced.
func (s signer) token(meetingID string, now time.Time) (token string, until time.Time) {
	n := step(now)
	body := meetingID + "." + strconv.FormatInt(n, 36)
	token = body + "." + base64.RawURLEncoding.EncodeToString(s.mac(body))
	return token, time.Unix((n+1)*int64(codeStep/time.Second), 0)
}

// open returns the meeting of a token; errForged when we did not make it, errStale when
// it was shown too long ago. One step ahead is accepted: the clocks of two machines.
func (s signer) open(token string, now time.Time) (meetingID string, err error) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return "", errForged
	}
	body := token[:i]
	mac, err := base64.RawURLEncoding.Strict().DecodeString(token[i+1:])
	if err != nil || !hmac.Equal(mac, s.mac(body)) {
		return "", errForged
	}
	id, at, _ := strings.Cut(body, ".")
	n, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return "", errForged
	}
	if age := step(now) - n; age < -1 || age > codeSteps {
		return "", errStale
	}
	return id, nil
}
