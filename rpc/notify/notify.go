// Package notify tells people what happened: in the product itself, by the official
// account, by the mini-program and by SMS (manual 2.6). Every message is one document,
// which is its queue entry and its log row at the same time.
package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/conf"
	accountsvc "zhihuidangjian/idl/gen/account/account"
	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notify "zhihuidangjian/idl/gen/notify"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/sms"
	"zhihuidangjian/rpc/wechat"
)

// subscribeKinds are the kinds of messages that a member may let the mini-program send him:
// the templates which WeChat approves for it.
var subscribeKinds = []string{"meetingStarted", "duesReceipt"}

// Deps is what the service needs.
type Deps struct {
	DB        *mongo.Database
	Redis     redis.UniversalClient
	Clock     *kit.Clock
	Seal      *model.Sealer
	Party     partysvc.Client
	Account   accountsvc.Client // knows who administers an organisation
	Meeting   meetingsvc.Client // knows who may see a meeting
	Messenger wechat.Messenger
	SMS       sms.Sender
	// Subscribes are the mini-program's templates by kind; a consent to another kind
	// is refused.
	Subscribes conf.Templates
	PublicURL  string // without a slash at the end
	Blobs      blob.Store
}

// Service implements idl/notify.thrift.
type Service struct {
	*records.Engine
	d        Deps
	messages *model.Collection[*model.Notification]
	consents *model.Collection[*model.Consent]
}

// New opens the service and creates its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d:        d,
		messages: model.NewCollection[*model.Notification](d.DB, "notifications", d.Clock.Now),
		consents: model.NewCollection[*model.Consent](d.DB, "consents", d.Clock.Now),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := s.messages.EnsureIndexes(ctx,
		model.Index{Keys: bson.D{{Key: "sendState", Value: 1}, {Key: "nextAt", Value: 1}}},                                  // Deliver
		model.Index{Keys: bson.D{{Key: "receiverId", Value: 1}, {Key: "channel", Value: 1}, {Key: "createdAt", Value: -1}}}, // ListMine
		model.Index{Keys: bson.D{{Key: "targetId", Value: 1}, {Key: "sendState", Value: 1}}},                                // ListDeliveries
	)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	// No record type is kept here yet; the engine answers so.
	if s.Engine, err = records.New(ctx, records.Config{
		DB: d.DB, Clock: d.Clock, Seal: d.Seal, Blobs: d.Blobs, Beside: []*mongo.Collection{s.messages.Mongo(), s.consents.Mongo()},
	}); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return s, nil
}

// receiver is who reads: the admin or the bound member who calls.
func receiver(ctx context.Context) (kind, id string, err error) {
	if c := kit.CallerOf(ctx); c.Kind == kit.User {
		return "user", c.UserID, nil
	}
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return "", "", err
	}
	return "member", c.MemberID, nil
}

// mineLimit is how many notices the list shows.
const mineLimit = 100

// ListMine returns the caller's notices on site, newest first.
func (s *Service) ListMine(ctx context.Context, _ *recordsgen.Empty) (*notify.Notifications, error) {
	kind, id, err := receiver(ctx)
	if err != nil {
		return nil, err
	}
	mine := bson.D{{Key: "receiverId", Value: id}, {Key: "channel", Value: model.ChannelSite}, {Key: "receiverType", Value: kind}}
	list, err := s.messages.Find(ctx, model.Everything, mine, model.Page{Sort: bson.D{{Key: "createdAt", Value: -1}}, Limit: mineLimit})
	if err != nil {
		return nil, err
	}
	out := &notify.Notifications{}
	if out.Unread, err = s.messages.Count(ctx, model.Everything, append(mine, bson.E{Key: "readAt", Value: nil})); err != nil {
		return nil, err
	}
	for _, n := range list {
		out.Notifications = append(out.Notifications, wire(n))
	}
	return out, nil
}

func wire(n *model.Notification) *notify.Notification {
	w := &notify.Notification{
		Id: n.ID, Kind: n.Kind, Title: n.Title, Content: n.Content, TargetType: n.TargetType, TargetId: n.TargetID,
		CreatedAt: n.CreatedAt.UnixMilli(), Channel: n.Channel, SendState: n.SendState,
	}
	if n.ReadAt != nil {
		w.ReadAt = n.ReadAt.UnixMilli()
	}
	return w
}

// MarkRead marks one of the caller's notices; the first time stays. Anybody else's is
// not found.
func (s *Service) MarkRead(ctx context.Context, req *notify.ReadReq) (*recordsgen.Empty, error) {
	kind, id, err := receiver(ctx)
	if err != nil {
		return nil, err
	}
	now := s.d.Clock.Now()
	_, err = s.messages.Update(ctx, model.Everything, req.Id, func(n *model.Notification) error {
		if n.ReceiverType != kind || n.ReceiverID != id {
			return model.ErrNotFound
		}
		if n.ReadAt == nil {
			n.ReadAt = &now
		}
		return nil
	})
	switch {
	case errors.Is(err, model.ErrNotFound):
		return nil, kit.ErrNotFound
	case errors.Is(err, model.ErrStale):
		return nil, kit.ErrConflict
	}
	return &recordsgen.Empty{}, err
}

// maxConsents bounds what a client may claim; WeChat keeps the true count and answers
// 43101 when it is used up.
const maxConsents = 50

// Consent remembers that the member accepted one message of each kind (WeChat gives one
// message a consent).
func (s *Service) Consent(ctx context.Context, req *notify.ConsentReq) (*recordsgen.Empty, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(req.Kinds))) {
		if _, _, ok := s.d.Subscribes.Find(kind); !ok || !slices.Contains(subscribeKinds, kind) {
			return nil, kit.Invalid("notify.kind", "没有这种订阅消息")
		}
		if err := s.addConsent(ctx, c, kind); err != nil {
			return nil, err
		}
	}
	return &recordsgen.Empty{}, nil
}

func consentID(memberID, kind string) string { return memberID + ":" + kind }

func (s *Service) addConsent(ctx context.Context, c *kit.Caller, kind string) error {
	id := consentID(c.MemberID, kind)
	for {
		_, err := s.consents.Update(ctx, model.Everything, id, func(q *model.Consent) error {
			q.Count = min(q.Count+1, maxConsents)
			return nil
		})
		if !errors.Is(err, model.ErrNotFound) {
			return err
		}
		q := &model.Consent{Base: model.Base{ID: id, OrgID: c.OrgID, Orgs: c.Orgs}, MemberID: c.MemberID, Kind: kind, Count: 1}
		if err = s.consents.Insert(ctx, q); !errors.Is(err, model.ErrDuplicate) {
			return err
		}
	}
}

// takeConsent takes one message from the quota; false when none is left.
func (s *Service) takeConsent(ctx context.Context, memberID, kind string) (bool, error) {
	r, err := s.consents.Mongo().UpdateOne(ctx,
		bson.D{{Key: "_id", Value: consentID(memberID, kind)}, {Key: "count", Value: bson.D{{Key: "$gt", Value: 0}}}},
		bson.D{{Key: "$inc", Value: bson.D{{Key: "count", Value: -1}, {Key: "version", Value: 1}}}})
	if err != nil {
		return false, fmt.Errorf("take a consent: %w", err)
	}
	return r.ModifiedCount == 1, nil
}

// dropConsents empties the quota: WeChat says that there is no consent (43101).
func (s *Service) dropConsents(ctx context.Context, memberID, kind string) error {
	_, err := s.consents.Mongo().UpdateOne(ctx, bson.D{{Key: "_id", Value: consentID(memberID, kind)}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "count", Value: 0}}}, {Key: "$inc", Value: bson.D{{Key: "version", Value: 1}}}})
	return err
}

// quotas returns which of the members still accept a message of a kind.
func (s *Service) quotas(ctx context.Context, memberIDs []string, kind string) (map[string]bool, error) {
	has := map[string]bool{}
	if len(memberIDs) == 0 {
		return has, nil
	}
	ids := make([]string, len(memberIDs))
	for i, m := range memberIDs {
		ids[i] = consentID(m, kind)
	}
	cur, err := s.consents.Mongo().Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}},
		options.Find().SetProjection(bson.D{{Key: "memberId", Value: 1}, {Key: "count", Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	for cur.Next(ctx) {
		var q model.Consent
		if err := cur.Decode(&q); err != nil {
			return nil, fmt.Errorf("read consents: %w", err)
		}
		has[q.MemberID] = q.Count > 0
	}
	return has, cur.Err()
}

// GetTemplates tells the mini-program which templates to ask consent for.
func (s *Service) GetTemplates(context.Context, *recordsgen.Empty) (*notify.Templates, error) {
	t := &notify.Templates{Templates: map[string]string{}}
	for _, kind := range subscribeKinds {
		if id, _, ok := s.d.Subscribes.Find(kind); ok {
			t.Templates[kind] = id
		}
	}
	return t, nil
}
