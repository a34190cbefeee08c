package edge

import (
	"slices"
	"testing"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/call"
)

// TestRules: a route lets nobody to a method whom its rule would turn away whatever he holds,
// and no route is without a rule.
func TestRules(t *testing.T) {
	e, _ := newEdge(t)
	opens := map[route.Access][]string{
		route.Public:  {call.Anyone},
		route.Console: {call.User, call.Known},
		route.Phone:   {call.Phone, call.Member, call.Known},
	}
	for _, r := range e.table {
		rule := r.Handler.Rule
		if !rule.Valid() {
			t.Errorf("%s %s has no rule: %q", r.Method, r.Path, rule.May)
		}
		if !slices.ContainsFunc(rule.May, func(m string) bool {
			return slices.Contains(opens[r.Access], m) || r.Access == route.Console && call.IsPermission(m)
		}) {
			t.Errorf("%s %s is for %s, its method for %q", r.Method, r.Path, r.Access, rule.May)
		}
	}
}
