package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// event is what a document carries for others until they have taken it.
type event struct {
	ID      string    `bson:"id"`
	Kind    string    `bson:"kind"`
	OrgID   string    `bson:"orgId"`
	At      time.Time `bson:"at"`
	Payload []byte    `bson:"payload"` // JSON
}

// says are the payloads and messages that an event of the domains becomes.
type says func(context.Context, Store, event) ([]event, error)

// domains are the events that messages and points were once made of by those who followed.
var domains = map[string]says{
	"dues.paid": duesPaid, "dues.reversed": duesReversed, "dues.reconciled": duesReconciled,
	"meeting.started": meetingStarted, "meeting.signedIn": checkedIn,
	"record.submitted": submitted, "record.decided": decided, "election.due": electionDue,
	"member.rewarded": rewarded, "member.unrewarded": unrewarded, "members.told": toldMembers,
}

// finishEvents puts into final words what documents still have to tell, and into points what
// they still have to earn. The events keep their ids, by which followers that have taken one
// of the older form take it no second time.
func finishEvents(ctx context.Context, s Store) error {
	names, err := s.DB.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return err
	}
	var kinds bson.A
	for kind := range domains {
		kinds = append(kinds, kind)
	}
	carrying := bson.D{{Key: "pending.at", Value: bson.D{{Key: "$gt", Value: time.Time{}}}}, {Key: "pending.kind", Value: bson.D{{Key: "$in", Value: kinds}}}}
	for _, name := range names {
		c := s.DB.Collection(name)
		for {
			n, err := s.finishSome(ctx, c, carrying)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

// some are documents of one trip.
const some = 500

// finishSome changes some documents and tells how many there were.
func (s Store) finishSome(ctx context.Context, c *mongo.Collection, carrying bson.D) (int, error) {
	cur, err := c.Find(ctx, carrying, options.Find().SetProjection(bson.D{{Key: "pending", Value: 1}}).SetLimit(some))
	if err != nil {
		return 0, err
	}
	var list []struct {
		ID      string        `bson:"_id"`
		Pending bson.RawValue `bson:"pending"`
	}
	if err := cur.All(ctx, &list); err != nil || len(list) == 0 {
		return 0, err
	}
	writes := make([]mongo.WriteModel, 0, len(list))
	for _, doc := range list {
		var pending []event
		if err := doc.Pending.Unmarshal(&pending); err != nil {
			return 0, fmt.Errorf("events of %s: %w", doc.ID, err)
		}
		finished := []event{}
		for _, e := range pending {
			become := domains[e.Kind]
			if become == nil {
				finished = append(finished, e)
				continue
			}
			all, err := become(ctx, s, e)
			if err != nil {
				return 0, fmt.Errorf("event %s of %s: %w", e.ID, doc.ID, err)
			}
			finished = append(finished, all...)
		}
		// Unless an older program that still runs has taken some meanwhile: then again.
		writes = append(writes, mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: doc.ID}, {Key: "pending", Value: doc.Pending}}).
			SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "pending", Value: finished}}}}))
	}
	_, err = c.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	return len(list), err
}

// object is a payload.
type object map[string]any

// as makes of an event one of another kind, under the same id.
func (e event) as(kind string, payload object) event {
	e.Kind = kind
	e.Payload, _ = json.Marshal(payload) // texts, numbers, and lists and objects of them
	return e
}

// read reads an event's payload.
func read[T any](e event) (p T, err error) {
	err = json.Unmarshal(e.Payload, &p)
	return p, err
}

// duesOrder is the payload of dues.paid and dues.reversed.
type duesOrder struct {
	OrderID, OrderNo, MemberID, MemberName, OrgID, FromMonth, ToMonth string
	Orgs, Months                                                      []string
	Amount                                                            int64
	PaidAt                                                            time.Time
}

func (p duesOrder) yuan() string { return fmt.Sprintf("%d.%02d", p.Amount/100, p.Amount%100) }

func duesPaid(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[duesOrder](e)
	if err != nil {
		return nil, err
	}
	months := p.FromMonth
	if p.ToMonth != p.FromMonth {
		months += "至" + p.ToMonth
	}
	var shares []object
	for _, month := range p.Months {
		source := "党费 " + month
		shares = append(shares,
			object{"dimension": "personal", "item": "dues", "subjectId": p.MemberID, "orgId": p.OrgID, "orgs": p.Orgs, "units": 1, "due": month, "source": source},
			object{"dimension": "organisation", "item": "dues", "subjectId": p.OrgID, "orgId": p.OrgID, "orgs": p.Orgs, "units": 1, "due": month, "source": p.MemberName + " " + source})
	}
	return []event{
		e.as("told", object{
			"kind": "duesReceipt", "title": "党费缴纳成功", "content": fmt.Sprintf("您已缴纳%s党费%s元", months, p.yuan()),
			"fields":     object{"name": p.MemberName, "month": months, "amount": p.yuan(), "time": minute(p.PaidAt), "orderNo": p.OrderNo},
			"targetType": "duesOrder", "targetId": p.OrderID, "page": "pages/dues/result?id=" + p.OrderID,
			"memberIds": []string{p.MemberID}, "channels": []string{"site", "wechat", "sms"},
		}),
		e.as("earned", object{"sourceType": "duesOrder", "sourceId": p.OrderID, "at": p.PaidAt, "shares": shares}),
	}, nil
}

func duesReversed(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[duesOrder](e)
	if err != nil {
		return nil, err
	}
	return []event{
		e.as("told", object{
			"kind": "duesReversed", "title": "党费缴纳已撤销",
			"content":    fmt.Sprintf("%s至%s的党费%s元（现金）已由党组织撤销，如有疑问请联系党组织", p.FromMonth, p.ToMonth, p.yuan()),
			"targetType": "duesOrder", "targetId": p.OrderID, "memberIds": []string{p.MemberID}, "channels": []string{"site"},
		}),
		e.as("unearned", object{"sourceType": "duesOrder", "sourceId": p.OrderID}),
	}, nil
}

func duesReconciled(_ context.Context, _ Store, e event) (all []event, err error) {
	p, err := read[struct {
		ReportID, Day string
		Lines         []string
	}](e)
	const most = 20
	if more := len(p.Lines) - most; more > 0 {
		p.Lines = append(p.Lines[:most:most], fmt.Sprintf("另有%d笔差异，请查看对账记录", more))
	}
	for i, text := range p.Lines {
		x := e.as("told", object{
			"kind": "duesReconcile", "title": "微信对账差异 " + p.Day, "content": text,
			"targetType": "duesReconcile", "targetId": p.ReportID, "adminsOf": "root", "permission": "duesReconcile.view",
		})
		x.ID = fmt.Sprint(e.ID, "/", i)
		all = append(all, x)
	}
	return all, err
}

func meetingStarted(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[struct {
		MeetingID, Title, Place  string
		StartAt                  time.Time
		NoticeForm, Participants []string
		Notify                   bool
	}](e)
	if err != nil || !p.Notify {
		return nil, err
	}
	place := p.Place
	if place == "" {
		place = "线上"
	}
	return []event{e.as("told", object{
		"kind": "meetingStarted", "title": "会议通知", "content": fmt.Sprintf("“%s”将于%s开始，地点：%s", p.Title, minute(p.StartAt), place),
		"fields":     object{"title": p.Title, "time": minute(p.StartAt), "place": place},
		"targetType": "meeting", "targetId": p.MeetingID, "page": "pages/meeting/detail?id=" + p.MeetingID,
		"memberIds": p.Participants, "channels": p.NoticeForm, "traced": true,
	})}, nil
}

func checkedIn(ctx context.Context, s Store, e event) ([]event, error) {
	p, err := read[struct {
		MeetingID, Title, MeetingForm, MemberID, MemberName, OrgID string
		Orgs                                                       []string
		At                                                         time.Time
	}](e)
	if err != nil || p.MeetingForm != "offline" {
		return nil, err
	}
	shares := []object{{
		"dimension": "personal", "item": "offlineActivity", "subjectId": p.MemberID, "orgId": p.OrgID, "orgs": p.Orgs, "units": 1, "source": p.Title,
	}}
	var host struct{ Orgs []string }
	err = s.DB.Collection("organizations").FindOne(ctx, bson.D{{Key: "_id", Value: e.OrgID}}).Decode(&host)
	switch {
	case err == nil:
		shares = append(shares, object{
			"dimension": "organisation", "item": "offlineQuality", "subjectId": e.OrgID, "orgId": e.OrgID, "orgs": host.Orgs, "units": 1,
			"source": p.Title + " " + p.MemberName,
		})
	case !errors.Is(err, mongo.ErrNoDocuments): // nobody ranks an organisation that is gone
		return nil, err
	}
	return []event{e.as("earned", object{"sourceType": "meeting", "sourceId": p.MeetingID, "at": p.At, "shares": shares})}, nil
}

func submitted(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[struct{ Type, Title, Name, TargetID, Permission, MemberName, OrgID string }](e)
	if err != nil {
		return nil, err
	}
	return []event{e.as("told", object{
		"kind": "submitted", "title": p.Title + "待处理", "content": fmt.Sprintf("%s提交了%s“%s”", p.MemberName, p.Title, p.Name),
		"targetType": p.Type, "targetId": p.TargetID, "adminsOf": p.OrgID, "permission": p.Permission,
	})}, nil
}

func decided(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[struct {
		Type, Title, Name, TargetID, MemberID, SubmittedBy, Opinion string
		Approved                                                    bool
	}](e)
	if err != nil {
		return nil, err
	}
	result := "未通过"
	if p.Approved {
		result = "已通过"
	}
	content := fmt.Sprintf("%s“%s”%s", p.Title, p.Name, result)
	if p.Opinion != "" {
		content += "，意见：" + p.Opinion
	}
	t := object{
		"kind": "decided", "title": p.Title + "审批结果", "content": content, "fields": object{"title": p.Title, "result": result, "opinion": p.Opinion},
		"targetType": p.Type, "targetId": p.TargetID, "page": "pages/records/detail?type=" + p.Type + "&id=" + p.TargetID,
	}
	if p.MemberID != "" {
		t["memberIds"] = []string{p.MemberID}
	}
	if p.SubmittedBy != "" && p.SubmittedBy != p.MemberID {
		t["userIds"] = []string{p.SubmittedBy}
	}
	return []event{e.as("told", t)}, nil
}

func electionDue(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[struct {
		ElectionID, OrgID, OrgName, DueOn, SecretaryID string
		Months                                         int
	}](e)
	if err != nil {
		return nil, err
	}
	left := fmt.Sprintf("距换届到期还有%d个月", p.Months)
	if p.Months == 0 {
		left = "换届已到期"
	}
	day := p.DueOn
	if d, err := time.Parse(time.DateOnly, p.DueOn); err == nil {
		day = d.Format("2006年01月02日")
	}
	t := object{
		"kind": "electionDue", "title": "换届提醒", "content": fmt.Sprintf("%s%s，应于%s前完成换届选举", p.OrgName, left, day),
		"fields":     object{"org": p.OrgName, "date": day, "left": left},
		"targetType": "election", "targetId": p.ElectionID, "page": "pages/messages/index", "adminsOf": p.OrgID,
	}
	if p.SecretaryID != "" {
		t["memberIds"] = []string{p.SecretaryID}
	}
	return []event{e.as("told", t)}, nil
}

// reward is the payload of member.rewarded and member.unrewarded.
type reward struct {
	Item, RecordID, Title, MemberID, OrgID string
	Orgs                                   []string
}

func rewarded(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[reward](e)
	if err != nil {
		return nil, err
	}
	label, units := "奖励 ", 1
	if p.Item == "sanction" {
		label, units = "处分 ", -1
	}
	return []event{e.as("earned", object{"sourceType": p.Item, "sourceId": p.RecordID, "at": e.At, "shares": []object{{
		"dimension": "personal", "item": p.Item, "subjectId": p.MemberID, "orgId": p.OrgID, "orgs": p.Orgs, "units": units, "source": label + p.Title,
	}}})}, nil
}

func unrewarded(_ context.Context, _ Store, e event) ([]event, error) {
	p, err := read[reward](e)
	return []event{e.as("unearned", object{"sourceType": p.Item, "sourceId": p.RecordID})}, err
}

// toldMembers had its final words already.
func toldMembers(_ context.Context, _ Store, e event) ([]event, error) {
	e.Kind = "told"
	return []event{e}, nil
}

// minute is a time as messages write it.
func minute(t time.Time) string {
	return t.In(time.FixedZone("Asia/Shanghai", 8*3600)).Format("2006年01月02日 15:04")
}
