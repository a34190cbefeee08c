package kit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"
	"github.com/cloudwego/kitex/transport"

	gen "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/account/account"
	"zhihuidangjian/idl/gen/records"
)

// listed answers GetMe with nobody, and keeps who asked.
type listed struct {
	gen.Account
	mu     sync.Mutex
	caller *Caller
}

func (l *listed) GetMe(ctx context.Context, _ *records.Empty) (*gen.Me, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caller = CallerOf(ctx)
	return &gen.Me{}, nil
}

func (l *listed) asked() *Caller {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.caller
	l.caller = nil
	return c
}

// logged is what the process logs while a test runs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	l.b.Reset()
	return s
}

func newPeers(t *testing.T, secret string) *Peers {
	t.Helper()
	p, err := NewPeers([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPeers calls a real Kitex server as strangers do: whatever caller they name, nobody
// without the key is believed.
func TestPeers(t *testing.T) {
	const secret = "the secret of one installation, 32+"
	out := &logged{}
	usual := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(out, nil)))
	t.Cleanup(func() { slog.SetDefault(usual) })

	ours := newPeers(t, secret)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opts, err := ServerOptions("127.0.0.1:0", "account", nil, ours)
	if err != nil {
		t.Fatal(err)
	}
	service := &listed{}
	s := server.NewServer(append(opts, server.WithListener(l))...)
	if err := account.RegisterService(s, service); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	Go("serve", func() error { served <- s.Run(); return nil })
	t.Cleanup(func() {
		if err := errors.Join(s.Stop(), <-served); err != nil {
			t.Error(err)
		}
	})

	dial := func(opts ...client.Option) account.Client {
		t.Helper()
		c, err := account.NewClient(Dial("account"), append(opts, client.WithHostPorts(l.Addr().String()))...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	peer := func(p *Peers) account.Client {
		t.Helper()
		opts, err := ClientOptions(nil, p, Idempotent)
		if err != nil {
			t.Fatal(err)
		}
		return dial(opts...)
	}
	// By hand: what a stranger, or a thief of messages, puts beside a call.
	const caller = `{"k":"system"}`
	byHand := func(beside ...string) account.Client {
		return dial(client.WithTransportProtocol(transport.TTHeader),
			client.WithMetaHandler(transmeta.ClientTTHeaderHandler), client.WithMetaHandler(transmeta.MetainfoClientHandler),
			client.WithMiddleware(func(next endpoint.Endpoint) endpoint.Endpoint {
				return func(ctx context.Context, req, resp any) error {
					return next(metainfo.WithValues(ctx, beside...), req, resp)
				}
			}))
	}
	system := WithCaller(t.Context(), Caller{Kind: System, RequestID: "12345678"})
	call := func(c account.Client) error {
		_, err := c.GetMe(system, &records.Empty{})
		return err
	}

	if err := call(peer(newPeers(t, secret))); err != nil {
		t.Fatal(err)
	}
	if c := service.asked(); c == nil || c.Kind != System || c.RequestID != "12345678" {
		t.Fatalf("called by %+v", c)
	}
	used := ours.sign("Account.GetMe", caller, time.Now())
	if err := call(byHand(callerKey, caller, signatureKey, used)); err != nil {
		t.Fatalf("signed by hand: %v", err)
	}
	service.asked()
	out.take()
	for _, refused := range []struct {
		what string
		by   account.Client
		why  string
	}{
		{"PLUS-56 nothing beside it", dial(), "not signed"},
		{"PLUS-56 no signature", byHand(callerKey, caller), "not signed"},
		{"PLUS-56 no signature, a visitor", byHand(), "not signed"},
		{"PLUS-56 noise", byHand(callerKey, caller, signatureKey, "AAAA"), "another key"},
		{"PLUS-56 another key", peer(newPeers(t, secret+"!")), "another key"},
		{"PLUS-56 another caller", byHand(callerKey, `{"k":"user"}`, signatureKey, ours.sign("Account.GetMe", caller, time.Now())), "another call"},
		{"PLUS-56 another method", byHand(callerKey, caller, signatureKey, ours.sign("Account.Logout", caller, time.Now())), "another call"},
		{"PLUS-56 another service", byHand(callerKey, caller, signatureKey, ours.sign("Party.GetMe", caller, time.Now())), "another call"},
		{"PLUS-56 an old message", byHand(callerKey, caller, signatureKey, ours.sign("Account.GetMe", caller, time.Now().Add(-peerSkew-time.Second))), "too old"},
		{"PLUS-56 one of tomorrow", byHand(callerKey, caller, signatureKey, ours.sign("Account.GetMe", caller, time.Now().Add(24*time.Hour))), "clocks"},
		{"PLUS-56 a message twice", byHand(callerKey, caller, signatureKey, used), "sent before"},
	} {
		t.Run(refused.what, func(t *testing.T) {
			if err := call(refused.by); err == nil || !strings.Contains(err.Error(), errPeer.Error()) {
				t.Errorf("answered %v", err)
			}
			if c := service.asked(); c != nil {
				t.Errorf("it reached the service as %+v", c)
			}
			if line := out.take(); !strings.Contains(line, "call refused") || !strings.Contains(line, refused.why) {
				t.Errorf("logged %q", line)
			}
		})
	}
}

// TestPeersRemember keeps a call in mind for as long as its signature is believed, and no
// longer.
func TestPeersRemember(t *testing.T) {
	p, start := newPeers(t, "the secret of one installation, 32+"), time.Now()
	early := p.sign("m", "c", start.Add(peerSkew)) // from the fastest clock
	for after := time.Duration(0); after <= 2*peerSkew; after += peerSkew / 4 {
		if err := p.check("m", "c", early, start.Add(after)); (err == nil) != (after == 0) {
			t.Fatalf("after %v: %v", after, err)
		}
		if err := p.check("m", "c", p.sign("m", "c", start.Add(after)), start.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		at := start.Add(time.Duration(10+3*i) * peerSkew)
		if err := p.check("m", "c", p.sign("m", "c", at), at); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.seen) + len(p.before); n > 2 {
		t.Fatalf("%d calls are still in mind", n)
	}
}

func BenchmarkPeers(b *testing.B) {
	p, err := NewPeers([]byte("the secret of one installation, 32+"))
	if err != nil {
		b.Fatal(err)
	}
	caller := `{"k":"user","u":"0000","n":"系统管理员","o":"root","os":["root"],"p":["` + strings.Repeat(`member.create","`, 60) + `"]}`
	for b.Loop() {
		now := time.Now()
		if err := p.check("Party.List", caller, p.sign("Party.List", caller, now), now); err != nil {
			b.Fatal(err)
		}
	}
}
