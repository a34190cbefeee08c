package meeting

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	meeting "zhihuidangjian/idl/gen/meeting"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/kit"
)

// hall is a service with a running meeting of n participants, and its token.
func hall(b *testing.B, n int) (*Service, string) {
	s, err := New(Deps{DB: modeltest.DB(b), Clock: &kit.Clock{}, Secret: make([]byte, 32)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	now := time.Now()
	m := &model.Meeting{
		Base: model.Base{ID: "m", OrgID: "b1", Orgs: []string{"root", "b1"}}, State: model.MeetingStateStarted,
		NeedSignIn: true, StartAt: now.Add(-time.Hour), EndAt: now.Add(time.Hour), MeetingForm: model.FormOffline,
	}
	for i := range n {
		m.ParticipantIDs = append(m.ParticipantIDs, fmt.Sprint("p", i))
	}
	if err := s.meetings.Insert(b.Context(), m); err != nil {
		b.Fatal(err)
	}
	token, _ := s.signer.token("m", now)
	return s, token
}

// BenchmarkSignIn is a hall of people scanning at once, each on disk before the answer.
func BenchmarkSignIn(b *testing.B) {
	s, token := hall(b, b.N)
	var next atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprint("p", next.Add(1)-1)
			ctx := kit.WithCaller(b.Context(), kit.Caller{Kind: kit.Member, MemberID: id, OrgID: "b1", Orgs: []string{"root", "b1"}})
			if r, err := s.SignIn(ctx, &meeting.CheckInReq{Token: token}); err != nil || r.Already {
				b.Error(r, err)
			}
		}
	})
}

// BenchmarkRepeatedScan is somebody who scans again and again.
func BenchmarkRepeatedScan(b *testing.B) {
	s, token := hall(b, 1)
	ctx := kit.WithCaller(b.Context(), kit.Caller{Kind: kit.Member, MemberID: "p0", OrgID: "b1", Orgs: []string{"root", "b1"}})
	for b.Loop() {
		if _, err := s.SignIn(ctx, &meeting.CheckInReq{Token: token}); err != nil {
			b.Fatal(err)
		}
	}
}
