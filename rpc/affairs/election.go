package affairs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var electionForms = map[string]string{"memberMeeting": "党员大会选举", "congress": "党员代表大会选举", "appointed": "上级任命"}

// mostApprovals is how many 批复 an election keeps.
const mostApprovals = 20

// electionType is 组织换届 (spec/records.md 3).
func (s *Service) electionType() *records.Type[*model.Election] {
	return &records.Type[*model.Election]{
		Name: "election", Title: "组织换届", Menu: "组织管理", Icon: "election", Section: "5.3", Collection: s.elections, NameKey: "electionName",
		Fields: []records.Field{
			{Key: "orgId", Label: "换届组织", Ref: "organization", Required: true, List: true, Form: true, Search: true, Fixed: true, After: records.First, Width: 180},
			{Key: "state", Label: "状态", List: true, Virtual: true},
		},
		Unique: []records.Unique{{Keys: []string{"orgId", "electedOn"}, Field: "electedOn", Message: "该组织已有同一天的换届"}},
		Actions: []records.Action[*model.Election]{
			{Key: "leadership", Title: "领导班子", Permission: "leadershipMember.view"},
			{Key: "approval", Title: "上传批复", Permission: "election.update",
				Fields: []records.Field{{Key: "approvalFiles", Label: "批复", Type: "files", Required: true, Form: true, Max: mostApprovals}},
				Do: func(_ context.Context, e *model.Election, in records.Input) error {
					files, _ := in["approvalFiles"].([]model.File)
					if len(e.ApprovalFiles)+len(files) > mostApprovals {
						return kit.InvalidFields(map[string]string{"approvalFiles": "批复文件过多，请先在修改页面移除"})
					}
					e.ApprovalFiles = slices.Concat(e.ApprovalFiles, files)
					return nil
				}},
		},
		Life: &records.Life[*model.Election]{
			Field: "state", Load: s.loadLatest, At: electionState,
			States: []records.State{
				{Value: "current", Label: "当前", Color: "success"}, {Value: "due", Label: "即将到期", Color: "warning"},
				{Value: "overdue", Label: "已到期", Color: "danger"}, {Value: "historical", Label: "历史", Color: "info"},
			},
		},
		Related: []records.Related{{Type: "leadershipMember", Field: "electionId", Title: "领导班子"}},
		BeforeSave: func(_ context.Context, _, e *model.Election) error {
			if e.TermYears != 3 && e.TermYears != 5 {
				return kit.InvalidFields(map[string]string{"termYears": "任期应为3年或5年"})
			}
			on, err := time.Parse(time.DateOnly, e.ElectedOn)
			if err != nil {
				return kit.InvalidFields(map[string]string{"electedOn": "换届时间填写有误"})
			}
			e.NextElectionOn = on.AddDate(e.TermYears, 0, 0).Format(time.DateOnly)
			e.ElectionName = e.ElectedOn + "换届"
			return nil
		},
	}
}

// electionState is where a day lies to the term of an election that is its organisation's
// newest (A46).
func electionState(e *model.Election, now time.Time) string {
	switch today := now.Format(time.DateOnly); {
	case e.Followed:
		return "historical"
	case e.NextElectionOn <= today:
		return "overdue"
	case kit.MonthsBefore(e.NextElectionOn, 6) <= today:
		return "due"
	}
	return "current"
}

// loadLatest tells of elections whether others followed them.
func (s *Service) loadLatest(ctx context.Context, docs []*model.Election) error {
	orgs := make(bson.A, len(docs))
	for i, d := range docs {
		orgs[i] = d.OrgID
	}
	latest, err := s.latestElections(ctx, bson.D{{Key: "orgId", Value: bson.D{{Key: "$in", Value: orgs}}}})
	for _, d := range docs {
		d.Followed = latest[d.OrgID] != d.ElectedOn
	}
	return err
}

// latestElections are the days of the newest elections, by organisation.
func (s *Service) latestElections(ctx context.Context, filter bson.D) (map[string]string, error) {
	cur, err := s.elections.Mongo().Aggregate(ctx, bson.A{
		bson.D{{Key: "$match", Value: append(slices.Clip(filter), bson.E{Key: "deleted", Value: false})}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$orgId"}, {Key: "on", Value: bson.D{{Key: "$max", Value: "$electedOn"}}}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("latest elections: %w", err)
	}
	var found []struct {
		ID string `bson:"_id"`
		On string `bson:"on"`
	}
	if err := cur.All(ctx, &found); err != nil {
		return nil, fmt.Errorf("latest elections: %w", err)
	}
	out := make(map[string]string, len(found))
	for _, f := range found {
		out[f.ID] = f.On
	}
	return out, nil
}

// reminderSteps are the months before the due date at which a reminder is given (A46).
var reminderSteps = []int{6, 3, 1, 0}

// RemindElections reminds of every current election that a step of its due date has been
// reached. A step is given once; of steps that passed while nobody looked, the last.
func (s *Service) RemindElections(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	now := s.d.Clock.Now()
	today := now.Format(time.DateOnly)
	due, err := s.elections.Find(ctx, model.Everything,
		bson.D{{Key: "nextElectionOn", Value: bson.D{{Key: "$lte", Value: now.AddDate(0, 7, 0).Format(time.DateOnly)}}}}, model.Page{})
	if err != nil {
		return nil, err
	}
	latest, err := s.latestElections(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, e := range due {
		step := reachedStep(e.NextElectionOn, today)
		if latest[e.OrgID] != e.ElectedOn || step < 0 || e.Reminded.DueOn == e.NextElectionOn && e.Reminded.Months <= step {
			continue
		}
		errs = append(errs, s.remind(ctx, e.ID, step))
	}
	return &recordsgen.Empty{}, errors.Join(errs...)
}

// reachedStep is the step whose day has come last, -1 when none has.
func reachedStep(dueOn, today string) int {
	reached := -1
	for _, m := range reminderSteps {
		if kit.MonthsBefore(dueOn, m) <= today {
			reached = m
		}
	}
	return reached
}

// remind marks the step and emits its event in one write.
func (s *Service) remind(ctx context.Context, id string, step int) error {
	_, err := s.elections.Update(ctx, model.Everything, id, func(e *model.Election) error {
		if e.Reminded.DueOn == e.NextElectionOn && e.Reminded.Months <= step {
			return model.ErrUnchanged
		}
		o, err := s.d.Party.GetOrganization(ctx, &party.OrgReq{OrgId: e.OrgID})
		if err != nil {
			return err
		}
		secretary, err := s.secretaryOf(ctx, o, e.ID)
		if err != nil {
			return err
		}
		e.Reminded = model.ElectionReminder{DueOn: e.NextElectionOn, Months: step}
		e.Tell(kit.KeyID("election", e.ID, e.NextElectionOn, fmt.Sprint(step)), s.d.Clock.Now(), reminder(e, o.OrgName, secretary))
		return nil
	})
	if errors.Is(err, model.ErrNotFound) || errors.Is(err, kit.ErrNotFound) {
		return nil // it is gone, or its organisation
	}
	return err
}

// reminder tells the admins of an organisation on site that it has to elect in so many
// months, or that it is due with 0, and its secretary, "" when he is not known, by WeChat
// too (ELEC-02).
func reminder(e *model.Election, orgName, secretary string) model.Told {
	left := fmt.Sprintf("距换届到期还有%d个月", e.Reminded.Months)
	if e.Reminded.Months == 0 {
		left = "换届已到期"
	}
	day := e.NextElectionOn
	if d, err := time.Parse(time.DateOnly, day); err == nil {
		day = d.Format("2006年01月02日")
	}
	t := model.Told{
		Kind: "electionDue", Title: "换届提醒", Content: fmt.Sprintf("%s%s，应于%s前完成换届选举", orgName, left, day),
		TargetType: "election", TargetID: e.ID, Page: "pages/messages/index",
		Fields: map[string]string{"org": orgName, "date": day, "left": left}, AdminsOf: e.OrgID,
	}
	if secretary != "" {
		t.MemberIDs = []string{secretary}
	}
	return t
}

// secretaryOf is the member who is 书记 by the election, or who bears the name of the
// organisation's 负责人; "" when that is not one person.
func (s *Service) secretaryOf(ctx context.Context, o *party.Organization, electionID string) (string, error) {
	l, err := s.leaders.FindOne(ctx, model.Everything, bson.D{{Key: "electionId", Value: electionID}, {Key: "position", Value: "secretary"}})
	if err == nil && l.MemberID != "" {
		return l.MemberID, nil
	}
	if err != nil && !errors.Is(err, model.ErrNotFound) {
		return "", err
	}
	name := o.Secretary
	if err == nil {
		name = l.Name
	}
	all, err := s.d.Party.ListMembers(ctx, &party.OrgReq{OrgId: o.Id})
	if err != nil {
		return "", err
	}
	id := ""
	for _, m := range all.Members {
		if m.Name != name {
			continue
		}
		if id != "" {
			return "", nil
		}
		id = m.Id
	}
	return id, nil
}
