// Package meeting holds meetings with sign-in (manual 9.2): the record type, starting,
// the check-in code, checking in, and who came.
package meeting

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/skip2/go-qrcode"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	meeting "zhihuidangjian/idl/gen/meeting"
	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps is what the service needs.
type Deps struct {
	DB        *mongo.Database
	Redis     redis.UniversalClient
	Clock     *kit.Clock
	Party     partysvc.Client
	Secret    []byte // signs check-in codes; the same in every process
	PublicURL string // what the check-in code leads to, without a slash at the end
	Blobs     blob.Store
}

// Service implements idl/meeting.thrift.
type Service struct {
	*records.Engine
	d        Deps
	meetings *model.Collection[*model.Meeting]
	checkins *model.Collection[*model.CheckIn]
	signer   signer
	live     *kit.Recent[*liveMeeting]
	came     arrivals
	arriving *kit.Batcher[*model.CheckIn, error]
}

// New opens the service and creates its indexes.
func New(d Deps) (*Service, error) {
	if len(d.Secret) < 32 {
		return nil, errors.New("meeting: the secret must have at least 32 bytes")
	}
	s := &Service{
		d:        d,
		meetings: model.NewCollection[*model.Meeting](d.DB, "meetings", d.Clock.Now),
		checkins: model.NewCollection[*model.CheckIn](d.DB, "checkIns", d.Clock.Now),
	}
	s.live = kit.NewRecent(meetingAge, s.loadLive)
	s.arriving = kit.NewBatcher(arrivalsAtOnce, s.storeArrivals)
	var err error
	if s.signer, err = newSigner(d.Secret); err != nil {
		return nil, fmt.Errorf("meeting: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// Nothing but the outbox: check-ins are found by ranges of _id, and every further
	// index is paid for by everybody in the queue.
	err = model.EnsureIndexes(ctx, s.checkins.Mongo(), model.Index{Keys: bson.D{{Key: "pending.at", Value: 1}}, Sparse: true})
	if err != nil {
		return nil, fmt.Errorf("meeting: %w", err)
	}
	if s.Engine, err = s.newEngine(ctx); err != nil {
		return nil, fmt.Errorf("meeting: %w", err)
	}
	return s, nil
}

// get returns a meeting within the calling admin's subtree.
func (s *Service) get(ctx context.Context, id string) (*model.Meeting, error) {
	c, err := kit.RequireUser(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.meetings.Get(ctx, model.Within(c.OrgID), id)
	return m, records.Mapped(err)
}

// startAction publishes a meeting (MEET-12): its participants see it and are told by its
// forms of notice, unless it is over already (MEET-06).
func (s *Service) startAction() records.Action[*model.Meeting] {
	return records.Action[*model.Meeting]{
		Key: "start", Title: "启动", Confirm: "启动后不可修改，并通知参加对象。确定启动？",
		Do: func(ctx context.Context, m *model.Meeting, _ records.Input) error {
			start(m, kit.CallerOf(ctx).UserID, s.d.Clock.Now())
			return nil
		},
		Done: func(m *model.Meeting) string {
			if !m.EndAt.After(*m.StartedAt) {
				return "会议已启动。会议结束时间已过，不再通知参加对象"
			}
			return fmt.Sprintf("会议已启动，正在通知%d名参加对象", len(m.ParticipantIDs))
		},
	}
}

// start is the step draft → started.
func start(m *model.Meeting, by string, now time.Time) {
	m.State, m.StartedAt, m.StartedBy = model.MeetingStateStarted, &now, by
	if m.EndAt.After(now) { // nobody is told of one that is over (MEET-06)
		m.Tell(kit.KeyID("meeting.started", m.ID), now, invitation(m))
	}
}

// GetQR returns the code to show now (MEET-13): only of a started meeting that needs
// sign-in (MEET-14) and is not over.
func (s *Service) GetQR(ctx context.Context, req *meeting.MeetingReq) (*meeting.QR, error) {
	m, err := s.get(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	now := s.d.Clock.Now()
	if _, err := life.Step(kit.CallerOf(ctx), m, "qr", now); err != nil {
		return nil, err
	}
	token, until := s.signer.token(m.ID, now)
	url := s.d.PublicURL + "/m/#/pages/sign-in/index?t=" + token
	png, err := qrcode.Encode(url, qrcode.Medium, 512)
	if err != nil {
		return nil, fmt.Errorf("draw the code: %w", err)
	}
	return &meeting.QR{
		Url: url, Image: "data:image/png;base64," + base64.StdEncoding.EncodeToString(png),
		RefreshAt: until.UnixMilli(), Title: m.Title,
	}, nil
}

// ListMine returns the started meetings that the caller is a participant of, the latest
// to begin first (MEET-07), those of other organisations as far as he is still their guest.
func (s *Service) ListMine(ctx context.Context, _ *recordsgen.Empty) (*meeting.MyMeetings, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.meetings.Find(ctx, model.Everything,
		bson.D{{Key: "participantIds", Value: c.MemberID}, {Key: "state", Value: model.MeetingStateStarted}},
		model.Page{Sort: bson.D{{Key: "startAt", Value: -1}}, Limit: 100})
	if err != nil {
		return nil, err
	}
	came, err := s.cameTo(ctx, list, []string{c.MemberID})
	if err != nil {
		return nil, err
	}
	if list, err = s.reachable(ctx, c, list, came); err != nil {
		return nil, err
	}
	names := map[string]string{}
	out := &meeting.MyMeetings{}
	for _, m := range list {
		if _, ok := names[m.OrgID]; !ok {
			if names[m.OrgID], err = s.orgName(ctx, m.OrgID); err != nil {
				return nil, err
			}
		}
		out.Meetings = append(out.Meetings, s.mine(m, names[m.OrgID], came[m.ID]))
	}
	return out, nil
}

// GetMine returns one meeting to its participant; anybody else's is not found.
func (s *Service) GetMine(ctx context.Context, req *meeting.MeetingReq) (*meeting.MyMeeting, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.meetings.Get(ctx, model.Everything, req.Id)
	if err != nil {
		return nil, records.Mapped(err)
	}
	if m.State != model.MeetingStateStarted || !m.Expects(c.MemberID) {
		return nil, kit.ErrNotFound
	}
	var at time.Time
	switch d, err := s.checkins.Get(ctx, model.Everything, model.CheckInID(m.ID, c.MemberID)); {
	case err == nil:
		at = d.CreatedAt
	case !errors.Is(err, model.ErrNotFound):
		return nil, err
	}
	if left, err := s.reachable(ctx, c, []*model.Meeting{m}, map[string]time.Time{m.ID: at}); err != nil {
		return nil, err
	} else if len(left) == 0 {
		return nil, kit.ErrNotFound
	}
	name, err := s.orgName(ctx, m.OrgID)
	if err != nil {
		return nil, err
	}
	return s.mine(m, name, at), nil
}

// reachable leaves out meetings of organisations that the member was a guest of, unless
// he took part and they are over (PART-13, RPIN-13).
func (s *Service) reachable(ctx context.Context, c *kit.Caller, list []*model.Meeting, came map[string]time.Time) ([]*model.Meeting, error) {
	elsewhere := func(m *model.Meeting) bool { return !slices.Contains(c.Orgs, m.OrgID) }
	if !slices.ContainsFunc(list, elsewhere) {
		return list, nil
	}
	guests, err := s.d.Party.ListGuests(kit.AsSystem(ctx), &partygen.MemberReq{MemberId: c.MemberID})
	if err != nil {
		return nil, err
	}
	now := s.d.Clock.Now()
	return slices.DeleteFunc(list, func(m *model.Meeting) bool {
		ended := false
		for _, g := range guests.Members {
			if slices.Contains(g.Orgs, m.OrgID) {
				if g.Status == "active" {
					return false
				}
				ended = true
			}
		}
		return ended && elsewhere(m) && (now.Before(m.EndAt) || came[m.ID].IsZero() && m.NeedSignIn)
	}), nil
}

// orgName is the name of an organisation, "" when it is gone.
func (s *Service) orgName(ctx context.Context, id string) (string, error) {
	o, err := s.d.Party.GetOrganization(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: id})
	if errors.Is(kit.FromError(err), kit.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return o.OrgName, nil
}

func (s *Service) mine(m *model.Meeting, orgName string, at time.Time) *meeting.MyMeeting {
	r := &meeting.MyMeeting{
		Id: m.ID, Title: m.Title, State: m.Shown(s.d.Clock.Now()), StartAt: m.StartAt.UnixMilli(), EndAt: m.EndAt.UnixMilli(),
		Place: m.Place, Agenda: m.Agenda, OrgName: orgName, NeedSignIn: m.NeedSignIn, MeetingForm: m.MeetingForm, Host: m.Host,
	}
	if !at.IsZero() {
		r.SignedInAt = at.UnixMilli()
	}
	return r
}
