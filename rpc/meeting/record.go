package meeting

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	meetingsvc "zhihuidangjian/idl/gen/meeting/meeting"
	notifysvc "zhihuidangjian/idl/gen/notify/notify"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

const recordType = "meeting"

// errFixed keeps participants and forms of notice as the meeting was made (MEET-09).
var errFixed = kit.Conflict("meeting.fixed", "参加对象和通知形式不可修改")

// newEngine declares the record type.
func (s *Service) newEngine(ctx context.Context) (*records.Engine, error) {
	refs := s.party().Refs()
	refs["member"] = s.party().Participants()
	return records.New(ctx,
		records.Config{
			DB: s.d.DB, Clock: s.d.Clock, Blobs: s.d.Blobs, Beside: []*mongo.Collection{s.checkins.Mongo()},
			Orgs: s.party(), Refs: refs,
		},
		&records.Type[*model.Meeting]{
			Name: recordType, Title: "会议", Menu: "组织生活", Icon: "meeting", Section: "9.2", Collection: s.meetings,
			Indexes: []model.Index{{Keys: bson.D{{Key: "participantIds", Value: 1}, {Key: "_id", Value: -1}}}}, // ListMine
			Fields: []records.Field{
				{Key: "orgId", Label: "组织", Type: "ref", Ref: "organization", List: true, After: "meetingForm", ReadOnly: true},
				// Of the person whose list it is.
				{Key: "attendance", Label: "签到", Virtual: true, Below: true, Options: []records.Option{
					{Value: "signedIn", Label: "已签到"}, {Value: "absent", Label: "未签到"}, {Value: "unneeded", Label: "无需签到"}}},
				{Key: "signedInAt", Label: "签到时间", Type: "datetime", Virtual: true, Below: true},
			},
			NameKey: "title",
			Parts:   []records.Part{records.Period("会议", "startAt", "endAt")},
			Life:    life,
			Actions: []records.Action[*model.Meeting]{
				s.startAction(),
				{Key: "qr", Title: "二维码", Permission: meetingsvc.GetQR.Permission()},
				{Key: "statistics", Title: "统计", Permission: meetingsvc.GetStatistics.Permission()},
				{Key: "deliveries", Title: "送达", Permission: notifysvc.ListDeliveries.Permission()},
			},
			BeforeSave: s.beforeSave,
			Follow:     func(_ context.Context, m *model.Meeting) error { s.live.Forget(m.ID); return nil },
			FollowWhen: func(m *model.Meeting) bool { return m.Deleted },
			Filter:     s.filter,
			Present:    s.present,
		})
}

// present says how many take part in the meetings of a list or, below another record, their names; in a person's list, whether he signed in.
func (s *Service) present(ctx context.Context, docs []*model.Meeting, rows []records.Row) error {
	for i, m := range docs {
		rows[i]["expected"] = len(m.ParticipantIDs)
		if len(docs) > 1 {
			rows[i].Hide("participantIds")
		}
		if labels := rows[i]["_labels"].(map[string]string); labels["participantIds"] == "" {
			labels["participantIds"] = fmt.Sprintf("%d人", len(m.ParticipantIDs)) // too many to name
		}
	}
	person := records.Asked(ctx, "participantIds")
	if person == "" {
		return nil
	}
	_, ids, err := s.party().TookPart(ctx, "participantIds", person)
	if err != nil {
		return err
	}
	came, err := s.cameTo(ctx, docs, ids)
	if err != nil {
		return err
	}
	for i, m := range docs {
		switch at, there := came[m.ID]; {
		case there:
			rows[i]["attendance"], rows[i]["signedInAt"] = "signedIn", at.In(kit.Shanghai).Format(time.RFC3339)
		case m.NeedSignIn:
			rows[i]["attendance"] = "absent"
		default:
			rows[i]["attendance"] = "unneeded"
		}
	}
	return nil
}

// cameTo is when a person, whom any of the ids names, signed in to meetings.
func (s *Service) cameTo(ctx context.Context, list []*model.Meeting, ids []string) (map[string]time.Time, error) {
	var keys []string
	for _, m := range list {
		for _, id := range ids {
			keys = append(keys, model.CheckInID(m.ID, id))
		}
	}
	came := map[string]time.Time{}
	if len(keys) == 0 {
		return came, nil
	}
	return came, s.checkins.Each(ctx, model.Everything, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: keys}}}}, model.Page{}, func(d *model.CheckIn) error {
		came[d.MeetingID] = d.CreatedAt
		return nil
	})
}

func (s *Service) party() records.Party { return records.Party{Client: s.d.Party} }

// filter finds the meetings that a person was called to.
func (s *Service) filter(ctx context.Context, key, value string) (bson.D, bool, error) {
	if key != "participantIds" {
		return nil, false, nil
	}
	part, _, err := s.party().TookPart(ctx, key, value)
	return append(part, bson.E{Key: "state", Value: model.MeetingStateStarted}), true, err
}

// beforeSave keeps the rules of records.md 36.
func (s *Service) beforeSave(ctx context.Context, old, m *model.Meeting) error {
	wrong := map[string]string{}
	if m.MeetingForm == model.FormOffline && m.Place == "" {
		wrong["place"] = "请填写地点"
	}
	if old == nil {
		m.Kind, m.State = "general", model.MeetingStateDraft
		if len(m.ParticipantIDs) == 0 && m.ParticipantOrgID == "" {
			wrong["participantIds"] = "请选择参加对象"
		}
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	if old != nil {
		return nil
	}
	var err error
	m.ParticipantIDs, err = s.party().Gather(ctx, "participantOrgId", m.ParticipantOrgID, "participantIds", m.ParticipantIDs)
	return err
}

// Save refuses what the engine would silently leave as it was: other participants or
// forms of notice than those of the creation (MEET-09).
func (s *Service) Save(ctx context.Context, req *recordsgen.SaveReq) (*recordsgen.JSON, error) {
	if req.Type == recordType && req.Id != "" {
		if err := s.checkFixed(ctx, req); err != nil {
			return nil, err
		}
	}
	return s.Engine.Save(ctx, req)
}

func (s *Service) checkFixed(ctx context.Context, req *recordsgen.SaveReq) error {
	var sent struct {
		NoticeForm       *[]string `json:"noticeForm"`
		ParticipantIDs   *[]string `json:"participantIds"`
		ParticipantOrgID *string   `json:"participantOrgId"`
	}
	if err := json.Unmarshal(req.Json, &sent); err != nil {
		return kit.ErrInvalid.Because(err)
	}
	c := kit.CallerOf(ctx)
	if c.Kind != kit.User {
		return nil // the engine refuses
	}
	m, err := s.meetings.Get(ctx, model.Within(c.OrgID), req.Id)
	if err != nil {
		return records.Mapped(err)
	}
	if _, err := life.Step(c, m, "update", s.d.Clock.Now()); err != nil {
		return err
	}
	changed := func(was []string, now *[]string) bool {
		return now != nil && !slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(*now)))
	}
	if changed(m.NoticeForm, sent.NoticeForm) || changed(m.ParticipantIDs, sent.ParticipantIDs) ||
		sent.ParticipantOrgID != nil && *sent.ParticipantOrgID != m.ParticipantOrgID {
		return errFixed
	}
	return nil
}
