package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/serviceinfo"

	"zhihuidangjian/idl/call"
	"zhihuidangjian/rpc/kit"
)

// TestSecondDoor calls every method of every service past the edge, in the name of each kind
// of caller whom its rule does not name: a process of ours, a worker or a job that goes on in
// somebody's name gives him no more than he has.
func TestSecondDoor(t *testing.T) {
	p := platform(t)
	s, err := start(p, nowhere(t), Names)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	callers := map[string]kit.Caller{
		"visitor": {},
		"unbound": {Kind: kit.Member, OpenID: "o", Channel: "oa"},
		"member":  {Kind: kit.Member, OpenID: "o", MemberID: "m", OrgID: "b1", Orgs: []string{"root", "b1"}},
		"bare":    {Kind: kit.User, UserID: "u", OrgID: "root", Orgs: []string{"root"}, TopLevel: true, Permissions: []string{"none.none"}},
		"system":  {Kind: kit.System},
	}
	// named tells whether a rule has a word for a caller.
	named := func(name string, may []string) bool {
		words := map[string][]string{
			"visitor": {call.Anyone}, "unbound": {call.Anyone, call.Known, call.Phone}, "member": {call.Anyone, call.Known, call.Phone, call.Member},
			"bare": {call.Anyone, call.Known, call.User}, "system": {call.Anyone, call.Known, call.System},
		}[name]
		return slices.ContainsFunc(may, func(m string) bool {
			return slices.Contains(words, m) || name == "system" && call.IsPermission(m)
		})
	}
	refusals := 0
	for _, r := range services {
		local := kit.NewLocal(s.register[r.name])
		local.Codec = true
		for _, info := range r.infos {
			for method, m := range info.Methods {
				rule := m.(call.Info).Rule()
				if !rule.Valid() {
					t.Errorf("%s.%s: the IDL does not say who may call it: %q", info.ServiceName, method, rule.May)
				}
				for name, c := range callers {
					if named(name, rule.May) {
						continue
					}
					err := local.Call(kit.WithCaller(t.Context(), c), method, m.NewArgs(), m.NewResult())
					want := kit.ErrForbidden
					switch {
					case name == "visitor" && !slices.Equal(rule.May, []string{call.System}):
						want = kit.ErrUnauthenticated
					case name == "unbound" && slices.Contains(rule.May, call.Member):
						want = kit.ErrUnbound
					}
					if !errors.Is(err, want) {
						t.Errorf("%s of %s: %s.%s as %s (%s): %v", r.name, info.ServiceName, info.ServiceName, method, name, strings.Join(rule.May, " "), err)
					}
					refusals++
				}
			}
		}
	}
	if refusals < 500 {
		t.Errorf("only %d refusals", refusals)
	}
}

// nowhere are clients of services that nobody offers.
func nowhere(t *testing.T) *Clients {
	t.Helper()
	c, err := connect(func(name string, _ *serviceinfo.ServiceInfo) (client.Client, error) {
		return dead(name), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type dead string

func (d dead) Call(context.Context, string, any, any) error { return fmt.Errorf("nobody offers %s", d) }
