package meeting

import (
	"context"
	"errors"
	"sync"
	"time"

	meeting "zhihuidangjian/idl/gen/meeting"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// The reasons why a scan does not sign in.
var (
	errGone           = &kit.Error{Code: 40400, Key: "meeting.gone", Message: "会议不存在或已删除"}
	errNotParticipant = kit.Forbidden("meeting.notParticipant", "您不在参加对象中")
	errNotStarted     = kit.Conflict("meeting.notStarted", "会议未启动，暂不能签到")
	errNoSignIn       = kit.Conflict("meeting.noSignIn", "本次会议不需要签到")
	errTooEarly       = kit.Conflict("meeting.tooEarly", "未到签到时间，会议开始前30分钟起可以签到")
	errClosed         = kit.Conflict("meeting.closed", "会议已结束，不能签到")
)

// arrivalsAtOnce bounds one write of check-ins.
const arrivalsAtOnce = 256

// storeArrivals stores check-ins in one write and answers each one's error.
func (s *Service) storeArrivals(ctx context.Context, docs []*model.CheckIn) ([]error, error) {
	failed, err := s.checkins.InsertMany(ctx, docs)
	if err != nil {
		return nil, err
	}
	out := make([]error, len(docs))
	for i := range docs {
		out[i] = failed[i]
	}
	return out, nil
}

// SignIn is the hot path: a hall of people scans within a minute. A check-in is one
// document that carries its outbox event, and those that arrive together are stored
// together; the meeting comes from memory; a repeated scan costs nothing on the process
// that took the first, one refused document and one read on another.
func (s *Service) SignIn(ctx context.Context, req *meeting.CheckInReq) (*meeting.CheckIn, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	now := s.d.Clock.Now()
	id, err := s.signer.open(req.Token, now)
	if err != nil {
		return nil, err
	}
	m, err := s.live.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !m.expects(c.MemberID) {
		return nil, errNotParticipant
	}
	checkID := model.CheckInID(id, c.MemberID)
	if at, ok := s.came.get(checkID); ok {
		return signedIn(&m.Meeting, at, true), nil
	}
	if err := open(&m.Meeting, now); err != nil {
		return nil, err
	}
	doc := checkIn(&m.Meeting, c, now)
	already := false
	refused, err := s.arriving.Do(ctx, doc)
	if err != nil {
		return nil, err
	}
	if errors.Is(refused, model.ErrDuplicate) {
		already = true
		doc, refused = s.checkins.Get(ctx, model.Everything, checkID)
	}
	if refused != nil {
		return nil, refused
	}
	s.came.put(checkID, doc.CreatedAt)
	return signedIn(&m.Meeting, doc.CreatedAt, already), nil
}

// checkIn is a member's check-in at a meeting with what it earns.
func checkIn(m *model.Meeting, c *kit.Caller, at time.Time) *model.CheckIn {
	at = at.Truncate(time.Millisecond) // as the store keeps it
	id := model.CheckInID(m.ID, c.MemberID)
	doc := &model.CheckIn{
		Base:      model.Base{ID: id, OrgID: c.OrgID, Orgs: c.Orgs, CreatedBy: c.MemberID, CreatedAt: at},
		MeetingID: m.ID, MemberID: c.MemberID, MemberName: c.Name,
	}
	if m.MeetingForm == model.FormOffline {
		doc.Earn(kit.KeyID("meeting.signedIn", id), at, attendance(m, c, at))
	}
	return doc
}

// open refuses a scan outside the time of the meeting (MEET-15).
func open(m *model.Meeting, now time.Time) error {
	switch {
	case m.State != model.MeetingStateStarted:
		return errNotStarted
	case !m.NeedSignIn:
		return errNoSignIn
	case now.Before(m.StartAt.Add(-model.EarlyCheckIn)):
		return errTooEarly
	case now.After(m.EndAt):
		return errClosed
	}
	return nil
}

func signedIn(m *model.Meeting, at time.Time, already bool) *meeting.CheckIn {
	r := &meeting.CheckIn{MeetingId: m.ID, Title: m.Title, Place: m.Place, SignedInAt: at.UnixMilli(), Already: already, Message: "签到成功"}
	if already {
		r.Message = "您已于" + at.In(kit.Shanghai).Format("15:04:05") + "签到，无需重复签到"
	}
	return r
}

// liveMeeting is a meeting in memory with its participants as a set.
type liveMeeting struct {
	model.Meeting
	participants map[string]struct{}
}

func (m *liveMeeting) expects(memberID string) bool {
	_, ok := m.participants[memberID]
	return ok
}

// meetingAge is how long a meeting is remembered: a deletion is seen that late.
const meetingAge = time.Second

// loadLive reads a meeting for a burst of scans. What would refuse a scan is not remembered: a meeting started
// elsewhere a moment ago is open at once.
func (s *Service) loadLive(ctx context.Context, id string) (*liveMeeting, bool, error) {
	doc, err := s.meetings.Get(ctx, model.Everything, id)
	if errors.Is(err, model.ErrNotFound) {
		return nil, false, errGone
	}
	if err != nil {
		return nil, false, err
	}
	m := &liveMeeting{Meeting: *doc, participants: make(map[string]struct{}, len(doc.ParticipantIDs))}
	for _, p := range doc.ParticipantIDs {
		m.participants[p] = struct{}{}
	}
	return m, doc.State == model.MeetingStateStarted, nil
}

// cameSize bounds each half of the memory of check-ins, some 10 MB.
const cameSize = 50_000

// arrivals remembers who was signed in and when, for repeated scans. It holds the last
// one to two cameSize check-ins; an older one is read from the store again. Check-ins
// never change, so that nothing here can be out of date.
type arrivals struct {
	mu       sync.Mutex
	now, old map[string]time.Time
}

func (a *arrivals) get(id string) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.now[id]; ok {
		return at, true
	}
	at, ok := a.old[id]
	return at, ok
}

func (a *arrivals) put(id string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.now) >= cameSize {
		a.old, a.now = a.now, nil
	}
	if a.now == nil {
		a.now = make(map[string]time.Time, 256)
	}
	a.now[id] = at
}
