package wechat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhihuidangjian/conf"
)

// Callback opens the messages the official account pushes to us (a follower
// comes or goes, a menu is tapped). Secure mode only: without <Encrypt> and
// msg_signature nothing is believed, whatever encrypt_type says.
type Callback struct {
	token, appID string
	key          []byte // nil when not configured
}

// Message is a pushed message; what its type does not have is empty.
type Message struct {
	ToUserName   string
	FromUserName string // the openid
	CreateTime   int64
	MsgType      string // text, event, …
	Event        string // subscribe, unsubscribe, SCAN, CLICK, TEMPLATESENDJOBFINISH, …
	EventKey     string
	Content      string
	MsgID        int64 `xml:"MsgId"`
	Status       string
}

func newCallback(cfg conf.WeChat) *Callback {
	key, err := base64.StdEncoding.DecodeString(cfg.AESKey + "=")
	if err != nil || len(key) != 32 {
		return &Callback{}
	}
	return &Callback{token: cfg.Token, appID: cfg.AppID, key: key}
}

// Echo answers the request by which WeChat checks the address.
func (c *Callback) Echo(query url.Values) (string, error) {
	if c.key == nil || !c.signed(query.Get("signature"), query.Get("timestamp"), query.Get("nonce")) {
		return "", forged("callback does not verify")
	}
	return query.Get("echostr"), nil
}

// Open verifies and decrypts a pushed message.
func (c *Callback) Open(query url.Values, body []byte) (Message, error) {
	var envelope struct {
		Encrypt string `xml:"Encrypt"`
	}
	if c.key == nil || len(body) > MaxNotice || xml.Unmarshal(body, &envelope) != nil || envelope.Encrypt == "" {
		return Message{}, forged("message is not encrypted")
	}
	sent, err := strconv.ParseInt(query.Get("timestamp"), 10, 64)
	if age := time.Since(time.Unix(sent, 0)); err != nil || age.Abs() > 5*time.Minute {
		return Message{}, forged("message is old")
	}
	if !c.signed(query.Get("msg_signature"), query.Get("timestamp"), query.Get("nonce"), envelope.Encrypt) {
		return Message{}, forged("message does not verify")
	}
	plain, ok := c.decrypt(envelope.Encrypt)
	var m Message
	if !ok || xml.Unmarshal(plain, &m) != nil {
		return Message{}, forged("message does not decrypt")
	}
	return m, nil
}

func (c *Callback) signed(signature string, parts ...string) bool {
	parts = append(parts, c.token)
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(signature)) == 1
}

// decrypt opens AES-256-CBC with padding to 32 bytes: 16 random bytes, the
// length, the message, our appid.
func (c *Callback) decrypt(text string) ([]byte, bool) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, false
	}
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return nil, false
	}
	cipher.NewCBCDecrypter(block, c.key[:aes.BlockSize]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 || len(data)-pad < 20 {
		return nil, false
	}
	data = data[:len(data)-pad]
	size := int(binary.BigEndian.Uint32(data[16:20]))
	if size > len(data)-20 || !bytes.Equal(data[20+size:], []byte(c.appID)) {
		return nil, false
	}
	return data[20 : 20+size], true
}
