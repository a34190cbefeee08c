package sms_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/sms/sim"
)

const phone = "13800138000"

func open(t *testing.T) (*sim.Sim, sms.Sender, *httptest.Server) {
	t.Helper()
	s := sim.New("secret-of-the-sandbox", time.Now)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	sender, err := sms.New(s.Config(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	return s, sender, server
}

func TestSend(t *testing.T) {
	code := sms.Message{Phone: phone, Kind: "bindCode", Params: map[string]string{"code": "428613"}}

	t.Run("arrives rendered", func(t *testing.T) {
		s, sender, _ := open(t)
		if err := sender.Send(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		inbox := s.Messages(phone)
		if len(inbox) != 1 || inbox[0].Kind != "bindCode" || inbox[0].Params["code"] != "428613" {
			t.Fatalf("inbox %+v", inbox)
		}
		if got, want := inbox[0].Text, "【智慧党建】您的验证码是428613，5分钟内有效。请勿转告他人。"; got != want {
			t.Errorf("text %q, want %q", got, want)
		}
	})

	t.Run("awkward characters survive the signature", func(t *testing.T) {
		s, sender, _ := open(t)
		m := sms.Message{Phone: phone, Kind: "meetingStarted", Params: map[string]string{"title": "党员大会 *~+&=%/“七一”", "time": "7月1日 9:00", "place": "二楼"}}
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := s.Messages("")[0].Params["title"]; got != m.Params["title"] {
			t.Errorf("title %q", got)
		}
	})

	t.Run("PLUS-47 what is longer than a variable may be is cut, what is empty is a dash", func(t *testing.T) {
		s, sender, _ := open(t)
		long := sms.Message{Phone: phone, Kind: "meetingStarted", Params: map[string]string{"title": strings.Repeat("题", 60), "time": "2026年07月01日 09:00", "place": ""}}
		if err := sender.Send(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		m := s.Messages("")[0]
		if m.Params["title"] != strings.Repeat("题", 34)+"…" || m.Params["time"] != long.Params["time"] || m.Params["place"] != "-" {
			t.Errorf("%+v", m.Params)
		}
		if m.Text != sms.Render(long.Kind, long.Params) {
			t.Errorf("the log says %q, what was sent %q", sms.Render(long.Kind, long.Params), m.Text)
		}
	})

	t.Run("business errors come as HTTP 200", func(t *testing.T) {
		for code, kind := range map[string]sms.Kind{
			sms.CodeLimit: sms.KindUser, sms.CodeBadNumber: sms.KindUser,
			"isv.AMOUNT_NOT_ENOUGH": sms.KindConfig, "isp.SYSTEM_ERROR": sms.KindRetryable,
		} {
			s, sender, _ := open(t)
			s.Fail(code, 1)
			err := sender.Send(t.Context(), sms.Message{Phone: phone, Kind: "bindCode", Params: map[string]string{"code": "428613"}})
			if sms.CodeOf(err) != code || sms.KindOf(err) != kind {
				t.Errorf("%s: %v of kind %s", code, err, sms.KindOf(err))
			}
		}
	})

	t.Run("a timeout is unknown, and the message may be there", func(t *testing.T) {
		s, sender, _ := open(t)
		s.Fail("lost", 1)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := sender.Send(ctx, code)
		if sms.KindOf(err) != sms.KindUnknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v of kind %s", err, sms.KindOf(err))
		}
		if n := len(s.Messages(phone)); n != 1 {
			t.Errorf("%d messages, want exactly 1: a blind resend", n)
		}
	})

	t.Run("wrong secret", func(t *testing.T) {
		s, _, server := open(t)
		cfg := s.Config(server.URL)
		cfg.AccessKeySecret = "guessed"
		sender, err := sms.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = sender.Send(t.Context(), code)
		if sms.KindOf(err) != sms.KindConfig {
			t.Errorf("error %v of kind %s", err, sms.KindOf(err))
		}
		noSecrets(t, err, "guessed", phone, "428613")
	})

	t.Run("unreachable has no effect and tells no number", func(t *testing.T) {
		_, sender, server := open(t)
		server.Close()
		err := sender.Send(t.Context(), code)
		if sms.KindOf(err) != sms.KindRetryable {
			t.Errorf("error %v of kind %s", err, sms.KindOf(err))
		}
		noSecrets(t, err, phone, "428613", "secret-of-the-sandbox")
	})

	t.Run("refuses what is no mobile number", func(t *testing.T) {
		_, sender, _ := open(t)
		for _, bad := range []string{"", "12345", "13800138000,13800138001", "+8613800138000"} {
			if err := sender.Send(t.Context(), sms.Message{Phone: bad, Kind: "bindCode"}); sms.CodeOf(err) != sms.CodeBadNumber {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})

	t.Run("concurrent", func(t *testing.T) {
		s, sender, _ := open(t)
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				if err := sender.Send(t.Context(), code); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(s.Messages(phone)); n != 32 {
			t.Errorf("%d messages, want 32", n)
		}
	})
}

func TestRender(t *testing.T) {
	for _, c := range []struct {
		kind   string
		params map[string]string
		want   string
	}{
		{"bindCode", map[string]string{"code": "1"}, "【智慧党建】您的验证码是1，5分钟内有效。请勿转告他人。"},
		{"other", map[string]string{"b": "2", "a": "1"}, "【智慧党建】a：1，b：2"},
		{"other", nil, "【智慧党建】"},
	} {
		if got := sms.Render(c.kind, c.params); got != c.want {
			t.Errorf("%s: %q, want %q", c.kind, got, c.want)
		}
	}
}

func noSecrets(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range secrets {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("%q is told by %q", secret, e)
			}
		}
	}
}
