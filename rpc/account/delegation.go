package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// longest is how long a delegation holds at most.
const longest = 180 * 24 * time.Hour

// delegationType is 审批委托: who is away lets a colleague of his organisation decide in his stead for some
// days. What the colleague does is done, and on record, under his own name.
func (s *Service) delegationType() *records.Type[*model.Delegation] {
	own := func(c *kit.Caller, d *model.Delegation, _ time.Time) *kit.Error {
		if d.UserID != c.UserID {
			return kit.Conflict("delegation.own", "只能更改本人的委托")
		}
		return nil
	}
	return &records.Type[*model.Delegation]{
		Name: "delegation", Title: "审批委托", Menu: "审批事项", Icon: "key", Section: "17.9", Collection: s.delegations, NoExport: true,
		Fields: []records.Field{
			{Key: "delegateId", Label: "受托人", Type: "ref", Ref: "user", Required: true, List: true, Form: true, Search: true, After: "userName", Help: "本组织的其他用户"},
			{Key: "permissions", Label: "委托事项", Type: "permissions", Required: true, Form: true, After: "toOn", Help: "勾选要委托的审批及其查看权限",
				Options: []records.Option{{Value: "approve", Label: "审批"}, {Value: "view", Label: "查看"}}},
		},
		Parts:   []records.Part{records.Period("委托", "fromOn", "toOn")},
		Indexes: []model.Index{{Keys: bson.D{{Key: "delegateId", Value: 1}}}},
		NameOf:  func(d *model.Delegation) string { return d.UserName + "的审批委托" },
		Life:    &records.Life[*model.Delegation]{Verbs: []records.Verb[*model.Delegation]{{Key: "update", If: own}, {Key: "delete", If: own}}},
		BeforeSave: func(ctx context.Context, old, d *model.Delegation) error {
			c := kit.CallerOf(ctx)
			if old == nil {
				d.UserID, d.UserName, d.OrgID, d.Orgs = c.UserID, c.Name, c.OrgID, c.Orgs
			}
			return s.checkDelegation(ctx, d)
		},
		Follow: func(ctx context.Context, _ *model.Delegation) error { return s.rightsChanged(ctx) },
	}
}

func (s *Service) checkDelegation(ctx context.Context, d *model.Delegation) error {
	wrong := map[string]string{}
	u, err := s.users.Get(ctx, model.Everything, d.DelegateID)
	switch {
	case errors.Is(err, model.ErrNotFound) || err == nil && (u.Status != "enabled" || u.OrgID != d.OrgID):
		wrong["delegateId"] = "受托人应为本组织的启用用户"
	case err != nil:
		return err
	case u.ID == d.UserID:
		wrong["delegateId"] = "不能委托给自己"
	}
	decides := false
	for _, p := range d.Permissions {
		approve := strings.HasSuffix(p, ".approve")
		decides = decides || approve
		if !approve && !strings.HasSuffix(p, ".view") {
			wrong["permissions"] = "只能委托审批及其查看权限"
		}
	}
	if !decides {
		wrong["permissions"] = "请勾选要委托的审批"
	}
	if err := mayGive(ctx, d.Permissions); err != nil {
		wrong["permissions"] = err.Error()
	}
	from, err1 := time.Parse(time.DateOnly, d.FromOn)
	to, err2 := time.Parse(time.DateOnly, d.ToOn)
	if err1 == nil && err2 == nil && to.Sub(from) > longest {
		wrong["toOn"] = "委托最长180天"
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	return nil
}

// delegated are the rights that others have delegated to a user for today, as far as they have them
// themselves still, and are of his organisation. What was delegated is not delegated on.
func (s *Service) delegated(ctx context.Context, u *model.User) ([]string, error) {
	today := s.clock.Now().In(kit.Shanghai).Format(time.DateOnly)
	list, err := s.delegations.Find(ctx, model.Everything, bson.D{
		{Key: "delegateId", Value: u.ID}, {Key: "fromOn", Value: bson.D{{Key: "$lte", Value: today}}}, {Key: "toOn", Value: bson.D{{Key: "$gte", Value: today}}},
	}, model.Page{})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var out []string
	for _, d := range list {
		from, err := s.users.Get(ctx, model.Everything, d.UserID)
		if errors.Is(err, model.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if from.Status != "enabled" || from.OrgID != u.OrgID {
			continue
		}
		has, err := s.ownRights(ctx, from)
		if err != nil {
			return nil, err
		}
		for _, p := range d.Permissions {
			if slices.Contains(has, "*") || slices.Contains(has, p) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}
