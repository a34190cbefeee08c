package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"zhihuidangjian/idl/gen/account"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/notify"
)

// offices is an account service that knows one admin of the root who may see the bills.
type offices struct{ accountsvc.Client }

func (offices) FindAdmins(_ context.Context, q *account.AdminsReq) (*account.Admins, error) {
	if q.OrgId != model.RootOrg || q.Permission != "duesReconcile.view" {
		return nil, fmt.Errorf("asked for %v", q)
	}
	return &account.Admins{UserIds: []string{"boss"}}, nil
}

// TestReconciled: every difference of WeChat's bill is told to the top level (trust.md,
// Money 5).
func TestReconciled(t *testing.T) {
	s, err := notify.New(notify.Deps{DB: modeltest.DB(t), Clock: &kit.Clock{}, Seal: modeltest.Sealer(t), Account: offices{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	tell := func(id string, lines ...string) {
		t.Helper()
		b, err := json.Marshal(model.DuesReconciled{ReportID: "r1", Day: "2026-11-21", Lines: lines})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the relay hands on at least once
			r, err := s.HandleEvents(kit.AsSystem(t.Context()), &recordsgen.Events{Events: []*recordsgen.Event{{Id: id, Kind: model.EventDuesReconciled, Payload: b}}})
			if err != nil || len(r.Refused) > 0 {
				t.Fatal(err, r)
			}
		}
	}
	boss := kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: "boss", OrgID: model.RootOrg})
	read := func() (texts []string) {
		t.Helper()
		list, err := s.ListMine(boss, &recordsgen.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list.Notifications {
			texts = append(texts, n.Title+" "+n.Content)
			if n.TargetType != "duesReconcile" || n.TargetId != "r1" {
				t.Errorf("leads to %s %s", n.TargetType, n.TargetId)
			}
		}
		return texts
	}
	tell("e1", "甲", "乙")
	if got := read(); len(got) != 2 {
		t.Fatalf("%q", got)
	}
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprint("差异", i)
	}
	tell("e2", many...)
	if got := read(); len(got) != 2+20+1 {
		t.Fatalf("%d notices of 300 differences", len(got))
	}
}
