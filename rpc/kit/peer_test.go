package kit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
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

	"zhihuidangjian/idl/call"
	gen "zhihuidangjian/idl/gen/account"
	"zhihuidangjian/idl/gen/account/account"
)

// listed answers FindAdmins with nobody, and keeps who asked.
type listed struct {
	gen.Account
	mu     sync.Mutex
	caller *Caller
}

func (l *listed) FindAdmins(ctx context.Context, _ *gen.AdminsReq) (*gen.Admins, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caller = CallerOf(ctx)
	return &gen.Admins{}, nil
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
		c, err := Dial("account", account.Service.ServiceInfo, append(opts, client.WithHostPorts(l.Addr().String()))...)
		if err != nil {
			t.Fatal(err)
		}
		return account.Wrap(c)
	}
	peer := func(p *Peers) account.Client {
		t.Helper()
		opts, err := ClientOptions(nil, p)
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
		_, err := c.FindAdmins(system, &gen.AdminsReq{})
		return err
	}

	if err := call(peer(newPeers(t, secret))); err != nil {
		t.Fatal(err)
	}
	if c := service.asked(); c == nil || c.Kind != System || c.RequestID != "12345678" {
		t.Fatalf("called by %+v", c)
	}
	used := ours.sign("zhihuidangjian.account Account.FindAdmins", caller, time.Now())
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
		{"PLUS-56 another caller", byHand(callerKey, `{"k":"user"}`, signatureKey, ours.sign("zhihuidangjian.account Account.FindAdmins", caller, time.Now())), "another call"},
		{"PLUS-56 another method", byHand(callerKey, caller, signatureKey, ours.sign("zhihuidangjian.account Account.Logout", caller, time.Now())), "another call"},
		{"PLUS-56 another service", byHand(callerKey, caller, signatureKey, ours.sign("zhihuidangjian.account Party.FindAdmins", caller, time.Now())), "another call"},
		{"PLUS-56 the same service of another process", byHand(callerKey, caller, signatureKey, ours.sign("zhihuidangjian.party Account.FindAdmins", caller, time.Now())), "another call"},
		{"PLUS-56 an old message", byHand(callerKey, caller, signatureKey, ours.sign("zhihuidangjian.account Account.FindAdmins", caller, time.Now().Add(-peerSkew-time.Second))), "too old"},
		{"PLUS-56 one of tomorrow", byHand(callerKey, caller, signatureKey, ours.sign("zhihuidangjian.account Account.FindAdmins", caller, time.Now().Add(24*time.Hour))), "clocks"},
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

// TestPermitted calls a real Kitex server as a peer, in the name of callers whom the method
// does not name: they do not reach the service.
func TestPermitted(t *testing.T) {
	peers := newPeers(t, "the secret of one installation, 32+")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opts, err := ServerOptions("127.0.0.1:0", "account", nil, peers)
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
	options, err := ClientOptions(nil, peers)
	if err != nil {
		t.Fatal(err)
	}
	way, err := Dial("account", account.Service.ServiceInfo, append(options, client.WithHostPorts(l.Addr().String()))...)
	if err != nil {
		t.Fatal(err)
	}
	remote, local := account.Wrap(way), account.Wrap(NewLocal(func(s server.Server) error { return account.RegisterService(s, service) }))
	for _, c := range []struct {
		what string
		by   Caller
		want error
	}{
		{"PLUS-56 a visitor", Caller{}, ErrForbidden},
		{"PLUS-56 an admin who may everything", Caller{Kind: User, TopLevel: true, Permissions: []string{"*"}}, ErrForbidden},
		{"PLUS-56 a member", Caller{Kind: Member, MemberID: "m"}, ErrForbidden},
		{"PLUS-56 an unbound WeChat user", Caller{Kind: Member, OpenID: "o"}, ErrForbidden},
		{"PLUS-56 a service", Caller{Kind: System}, nil},
	} {
		for door, service := range map[string]account.Client{"between processes": remote, "in process": local} {
			t.Run(c.what+" "+door, func(t *testing.T) {
				_, err := service.FindAdmins(WithCaller(t.Context(), c.by), &gen.AdminsReq{})
				if c.want == nil && err != nil || c.want != nil && !errors.Is(FromError(err), c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			})
		}
		if reached := service.asked() != nil; reached != (c.want == nil) {
			t.Errorf("%s reached the service: %v", c.what, reached)
		}
	}
}

// TestPermit holds each word of a rule against each kind of caller.
func TestPermit(t *testing.T) {
	callers := map[string]Caller{
		"visitor": {}, "unbound": {Kind: Member, OpenID: "o"}, "member": {Kind: Member, MemberID: "m"}, "system": {Kind: System},
		"bare": {Kind: User}, "admin": {Kind: User, Permissions: []string{"meeting.start"}},
	}
	for may, let := range map[string]string{
		call.Anyone: "admin bare member system unbound visitor", call.Known: "admin bare member system unbound", call.User: "admin bare",
		call.Phone: "member unbound", call.Member: "member", call.System: "system", "meeting.start": "admin system",
		"meeting.start member": "admin member system", "user phone": "admin bare member unbound", "": "", "nobody": "",
	} {
		var in []string
		for name, c := range callers {
			if Permit(WithCaller(t.Context(), c), call.Rule{May: strings.Fields(may)}) == nil {
				in = append(in, name)
			}
		}
		slices.Sort(in)
		if got := strings.Join(in, " "); got != let {
			t.Errorf("%q lets in %q, want %q", may, got, let)
		}
	}
	refused := func(c Caller, may ...string) error { return Permit(WithCaller(t.Context(), c), call.Rule{May: may}) }
	if err := refused(callers["unbound"], "meeting.view", call.Member); !errors.Is(err, ErrUnbound) {
		t.Errorf("who would only have to be bound hears %v", err)
	}
	if err := refused(callers["visitor"], call.Member); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a visitor hears %v", err)
	}
	if err := refused(callers["visitor"], call.System); !errors.Is(err, ErrForbidden) {
		t.Errorf("a visitor whom no log-in helps hears %v", err)
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
