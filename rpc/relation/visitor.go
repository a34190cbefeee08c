package relation

import (
	"context"
	"encoding/json"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/idl/gen/relation"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
)

// mostLooks is how often an account may look for an application by its numbers in an hour, and
// hand one in.
const mostLooks = 10

// visitorForm are the fields that a visitor fills in.
var visitorForm = []string{"name", "gender", "idNumber", "phone", "ethnicity", "education", "memberType", "joinedOn", "regularizedOn", "fromOrgName",
	"toOrgId", "transferType", "letterNo", "letterDate", "validDays", "duesPaidThrough", "reason", "appointmentAt"}

func (s *Service) limit(ctx context.Context, what string) error {
	key := "transfer-in:" + what + ":" + kit.CallerOf(ctx).OpenID
	n, err := s.d.Redis.Incr(ctx, key).Result()
	if err == nil && n == 1 {
		err = s.d.Redis.Expire(ctx, key, time.Hour).Err()
	}
	if err == nil && n > mostLooks {
		return kit.TooMany("transfer.limit", "操作过于频繁，请一小时后再试")
	}
	return err
}

// ApplyTransferIn hands in a transfer-in from the page that needs no binding (8.1.1, MENU-09).
func (s *Service) ApplyTransferIn(ctx context.Context, req *relation.ApplyReq) (*relation.Progress, error) {
	if err := s.limit(ctx, "apply"); err != nil {
		return nil, err
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(req.Json, &sent); err != nil {
		return nil, kit.ErrInvalid.Because(err)
	}
	form := map[string]json.RawMessage{}
	for _, k := range visitorForm {
		if v, ok := sent[k]; ok {
			form[k] = v
		}
	}
	body, err := json.Marshal(form)
	if err != nil {
		return nil, err
	}
	saved, err := s.Save(kit.AsSystem(ctx), &recordsgen.SaveReq{Type: "transferIn", Json: body})
	if err != nil {
		return nil, err
	}
	var row struct{ ID string }
	if err := json.Unmarshal(saved.Json, &row); err != nil {
		return nil, err
	}
	t, err := s.ins.Update(ctx, model.Everything, row.ID, func(t *model.TransferIn) error {
		t.Tell(kit.KeyID("submitted", t.ID), s.d.Clock.Now(), model.Told{
			Kind: "submitted", Title: "关系转入待处理", Content: t.Name + "提交了关系转入申请", TargetType: "transferInApplication", TargetID: t.ID,
			AdminsOf: t.OrgID, Permission: "transferInApplication.approve",
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.progress(ctx, t)
}

// FindTransferIns shows whoever knows both numbers how his applications stand (TRIN-07).
func (s *Service) FindTransferIns(ctx context.Context, req *relation.FindReq) (*relation.Progresses, error) {
	if err := s.limit(ctx, "find"); err != nil {
		return nil, err
	}
	list, err := s.ins.Find(ctx, model.Everything, bson.D{
		{Key: "idBlind", Value: s.d.Seal.Blind(normal.IDNumber(req.IdNumber))}, {Key: "phoneBlind", Value: s.d.Seal.Blind(normal.Phone(req.Phone))},
	}, model.Page{Limit: 20})
	if err != nil {
		return nil, err
	}
	out := &relation.Progresses{Applications: []*relation.Progress{}}
	for _, t := range list {
		p, err := s.progress(ctx, t)
		if err != nil {
			return nil, err
		}
		out.Applications = append(out.Applications, p)
	}
	return out, nil
}

func (s *Service) progress(ctx context.Context, t *model.TransferIn) (*relation.Progress, error) {
	names, err := s.party.OrgNames(ctx, []string{t.ToOrgID})
	if err != nil {
		return nil, err
	}
	p := &relation.Progress{Id: t.ID, ToOrgName: names[t.ToOrgID], AppliedOn: t.AppliedOn, State: t.State, Opinion: t.Opinion}
	if t.AppointmentAt != nil {
		p.AppointmentAt = t.AppointmentAt.UnixMilli()
	}
	return p, nil
}

// FindBranches are the branches that a part of a name finds, ten at most.
func (s *Service) FindBranches(ctx context.Context, req *relation.BranchesReq) (*relation.Branches, error) {
	if len([]rune(req.Keyword)) < 2 {
		return nil, kit.InvalidFields(map[string]string{"keyword": "请至少输入两个字"})
	}
	found, err := s.d.Party.FindBranches(kit.AsSystem(ctx), &party.BranchesReq{Keyword: req.Keyword})
	if err != nil {
		return nil, err
	}
	out := &relation.Branches{Branches: []*relation.Branch{}}
	for _, b := range found.Branches {
		out.Branches = append(out.Branches, &relation.Branch{Id: b.Id, OrgName: b.OrgName, ParentName: b.ParentName})
	}
	return out, nil
}
