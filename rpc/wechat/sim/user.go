package sim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// User is a person with WeChat on the phone.
type User struct {
	ID       string    `json:"id"`
	Nickname string    `json:"nickname"`
	Phone    string    `json:"phone"`
	Unfollow bool      `json:"unfollow"` // does not follow the official account: 43004
	Snapshot bool      `json:"snapshot"` // opened the page in WeChat's snapshot mode
	Created  time.Time `json:"created"`
}

// openID is the user's under one appid; it differs between appids.
func (u *User) openID(appID string) string {
	h := sha256.Sum256([]byte(appID + " " + u.ID))
	return "o" + base64.RawURLEncoding.EncodeToString(h[:])[:27]
}

// unionID is the user's under the open-platform account.
func (u *User) unionID() string {
	h := sha256.Sum256([]byte("union " + u.ID))
	return "o6_" + base64.RawURLEncoding.EncodeToString(h[:])[:25]
}

// CreateUser adds a WeChat user; scripts and demo data use it.
func (s *Sim) CreateUser(nickname, phone string) User {
	return s.addUser(User{Nickname: nickname, Phone: phone})
}

func (s *Sim) addUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.NextUser++
	u.ID, u.Created = fmt.Sprintf("u%d", s.state.NextUser), s.now()
	s.state.Users = append(s.state.Users, &u)
	s.dirty = true
	return u
}

// OpenID returns the openid of a user under an appid, "" for an unknown user.
func (s *Sim) OpenID(userID, appID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(userID); u != nil {
		return u.openID(appID)
	}
	return ""
}

// user and the following need s.mu.
func (s *Sim) user(id string) *User {
	for _, u := range s.state.Users {
		if u.ID == id {
			return u
		}
	}
	return nil
}

func (s *Sim) userByOpenID(appID, openID string) *User {
	for _, u := range s.state.Users {
		if u.openID(appID) == openID {
			return u
		}
	}
	return nil
}

// codeLife is how long a code may be redeemed, once.
const codeLife = 5 * time.Minute

// code is what the phone hands to the product to recognise its user.
type code struct {
	purpose string // oauth, session, phone
	user    *User
	scope   string
	expires time.Time
	used    bool
}

// issue makes a code. What is long expired is forgotten.
func (s *Sim) issue(purpose string, u *User, scope string) string {
	for text, c := range s.codes {
		if s.now().Sub(c.expires) > time.Hour {
			delete(s.codes, text)
		}
	}
	text := "0" + strings.ToLower(rand.Text()) + purpose[:1]
	s.codes[text] = &code{purpose: purpose, user: u, scope: scope, expires: s.now().Add(codeLife)}
	return text
}

// redeem uses a code up, or says why not with WeChat's errcode.
func (s *Sim) redeem(purpose, text string) (*code, int) {
	c := s.codes[text]
	switch {
	case text == "":
		return nil, 41008
	case c == nil || c.purpose != purpose || s.now().After(c.expires):
		return nil, 40029
	case c.used:
		return nil, 40163
	}
	c.used = true
	return c, 0
}

// Code issues a code for a user, as the phone would: purpose oauth, session
// (wx.login) or phone (the phone number button). "" for an unknown user.
func (s *Sim) Code(purpose, userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(userID)
	if u == nil {
		return ""
	}
	return s.issue(purpose, u, "snsapi_userinfo")
}

// Consent lets the mini-program send one more subscribe message of a kind.
func (s *Sim) Consent(userID, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Consents[userID+" "+kind]++
	s.dirty = true
}
