package party

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

// A whole-organisation transfer changes the tree when it is stored, and again after a
// crash until that is done (Follow). A job then moves the records, one service after the
// other, and notes every step. What somebody wrote with the old path meanwhile, from a
// session or a cache, is found by later looks, the sweeps.

// sweeps are how long after its end, by the machine's clock, a transfer looks again; the
// last one is later than the longest memory of a path.
var sweeps = []time.Duration{2 * time.Second, 20 * time.Second, 3 * time.Minute, 15 * time.Minute}

// transferType is 整建制转移 (spec/records.md 5).
func (s *Service) transferType() *records.Type[*model.OrganizationTransfer] {
	return &records.Type[*model.OrganizationTransfer]{
		Name: "organizationTransfer", Title: "整建制转移", Menu: "组织管理", Icon: "transfer", Section: "5.4", Collection: s.transfers, NoUpdate: true, NoDelete: true, NoExport: true,
		Fields: []records.Field{
			{Key: "transferOrgId", Label: "迁移组织", Ref: "organization", Required: true, List: true, Form: true, Search: true, After: records.First, Width: 180},
		},
		Indexes: []model.Index{{Keys: bson.D{{Key: "sweepAt", Value: 1}}, Sparse: true}},
		Unique: []records.Unique{{Keys: []string{"running"}, Message: "有整建制转移正在进行，请稍后再试",
			Partial: bson.D{{Key: "running", Value: true}}}},
		NameKey:    "transferOrgName",
		BeforeSave: s.checkTransfer,
		FollowWhen: func(t *model.OrganizationTransfer) bool { return t.State == model.TransferRunning },
		Follow:     s.moveTree,
		Rehome:     s.rehomeTransfers,
		Present: func(_ context.Context, docs []*model.OrganizationTransfer, rows []records.Row) error {
			for i, t := range docs { // as they were called that day
				labels := rows[i]["_labels"].(map[string]string)
				labels["transferOrgId"], labels["fromParentId"], labels["toParentId"] = t.TransferOrgName, t.FromParentName, t.ToParentName
			}
			return nil
		},
	}
}

// checkTransfer wants an organisation below the admin's own, and a new superior in his
// scope that may have it.
func (s *Service) checkTransfer(ctx context.Context, _, t *model.OrganizationTransfer) error {
	c := kit.CallerOf(ctx)
	o, err := s.orgs.Get(ctx, model.Everything, t.TransferOrgID)
	if err != nil {
		return records.Mapped(err)
	}
	to, err := s.orgs.Get(ctx, model.Everything, t.ToParentID)
	if err != nil {
		return records.Mapped(err)
	}
	wrong := map[string]string{}
	if o.ID == c.OrgID || o.ParentID == "" {
		wrong["transferOrgId"] = "只能迁移本组织的下级组织"
	}
	switch {
	case slices.Contains(to.Orgs, o.ID):
		wrong["toParentId"] = "新上级组织不能是迁移组织本身或其下级组织"
	case to.ID == o.ParentID:
		wrong["toParentId"] = "新上级组织不能是现在的上级组织"
	case wrongSuperior(o.OrgType, to.OrgType) != "":
		wrong["toParentId"] = wrongSuperior(o.OrgType, to.OrgType)
	default:
		n, err := s.orgs.Count(ctx, model.Everything, bson.D{{Key: "parentId", Value: to.ID}, {Key: "orgName", Value: o.OrgName}})
		if err != nil {
			return err
		}
		if n > 0 {
			wrong["toParentId"] = "新上级组织下已有同名组织"
		}
	}
	if len(wrong) > 0 {
		return kit.InvalidFields(wrong)
	}
	from, err := s.orgs.Get(ctx, model.Everything, o.ParentID)
	if err != nil {
		return err
	}
	t.TransferOrgName, t.FromParentID, t.FromParentName, t.ToParentName = o.OrgName, from.ID, from.OrgName, to.OrgName
	t.OperatorID, t.OperatorName = c.UserID, c.Name
	t.State, t.Running = model.TransferRunning, true
	t.OrgID, t.Orgs = c.OrgID, union(from.Orgs, to.Orgs)
	return nil
}

// union holds everything of both paths, once.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, id := range b {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// moveTree hangs the organisation, with all below it, under its new superior. It may run
// again; once the organisation has moved on, it changes nothing.
func (s *Service) moveTree(ctx context.Context, t *model.OrganizationTransfer) error {
	defer s.treeChanged(ctx)
	o, err := s.orgs.Update(ctx, model.Everything, t.TransferOrgID, func(o *model.Organization) error {
		to, err := s.orgs.Get(ctx, model.Everything, t.ToParentID)
		if err != nil {
			return err
		}
		if o.ParentID != t.FromParentID && o.ParentID != to.ID || slices.Contains(to.Orgs, o.ID) {
			return model.ErrNotFound
		}
		was := *o
		o.ParentID, o.Orgs = to.ID, append(slices.Clone(to.Orgs), o.ID)
		if was.ParentID == o.ParentID { // again, after a crash
			return nil
		}
		return s.Audit(ctx, "organization", "整建制转移", &was, o)
	})
	if errors.Is(err, model.ErrNotFound) || errors.Is(err, model.ErrDuplicate) {
		// Somebody deleted or named something since it was checked: there is no transfer.
		_, cerr := s.transfers.Update(ctx, model.Everything, t.ID, func(t *model.OrganizationTransfer) error {
			t.Deleted, t.Running, t.FollowDue = true, false, false
			return nil
		})
		return errors.Join(kit.Conflict("transfer.changed", "组织结构已变化，请重新办理"), ignore(cerr, model.ErrNotFound))
	}
	if err != nil {
		return err
	}
	return records.Rehome(ctx, s.orgs.Mongo(), o.ID, o.Orgs)
}

func ignore(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return err
}

// rehomeTransfers lets those above the moved superiors see the transfers.
func (s *Service) rehomeTransfers(ctx context.Context, orgID string, _ []string) error {
	all, err := s.tree(ctx)
	if err != nil {
		return err
	}
	list, err := s.transfers.Find(ctx, model.Everything, bson.D{{Key: "orgs", Value: orgID}}, model.Page{})
	if err != nil {
		return err
	}
	for _, t := range list {
		from, to := all[t.FromParentID], all[t.ToParentID]
		if from == nil || to == nil {
			continue // one is deleted: whoever saw it still does
		}
		orgs := union(from.Orgs, to.Orgs)
		_, err := s.transfers.Update(ctx, model.Everything, t.ID, func(t *model.OrganizationTransfer) error {
			if slices.Equal(t.Orgs, orgs) {
				return model.ErrUnchanged
			}
			t.Orgs = orgs
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Rehome moves this service's records with an organisation.
func (s *Service) Rehome(ctx context.Context, req *recordsgen.RehomeReq) (*recordsgen.Empty, error) {
	defer s.treeChanged(ctx)
	s.treeChanged(ctx)
	return s.Engine.Rehome(ctx, req)
}

// ListTransfers are the transfers that have records left to move, or to look for again.
func (s *Service) ListTransfers(ctx context.Context, _ *recordsgen.Empty) (*party.Transfers, error) {
	list, err := s.transfers.Find(ctx, model.Everything, bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "running", Value: true}},
		bson.D{{Key: "sweepAt", Value: bson.D{{Key: "$lte", Value: time.Now()}}}},
	}}}, model.Page{})
	if err != nil {
		return nil, err
	}
	out := &party.Transfers{}
	for _, t := range list {
		if t.FollowDue { // a crash came before the tree was changed
			if err := s.moveTree(ctx, t); err != nil {
				return nil, err
			}
		}
		x := &party.Transfer{Id: t.ID, OrgId: t.TransferOrgID}
		if t.State == model.TransferRunning {
			x.Step = int32(t.Step)
		}
		o, err := s.orgs.Get(ctx, model.Everything, t.TransferOrgID)
		if err == nil {
			x.Path = o.Orgs // of today: it may have moved again
		} else if !errors.Is(err, model.ErrNotFound) {
			return nil, err
		}
		out.Transfers = append(out.Transfers, x)
	}
	return out, nil
}

// StepTransfer notes how many services have moved their records. With the last one the
// transfer, or its sweep, is done.
func (s *Service) StepTransfer(ctx context.Context, req *party.StepReq) (*recordsgen.Empty, error) {
	_, err := s.transfers.Update(ctx, model.Everything, req.Id, func(t *model.OrganizationTransfer) error {
		if t.State == model.TransferRunning {
			t.Step, t.Steps = int(req.Step), int(req.Steps)
		}
		if req.Step < req.Steps {
			return nil
		}
		t.State, t.Running, t.SweepAt = model.TransferDone, false, nil
		if t.Sweeps < len(sweeps) {
			at := time.Now().Add(sweeps[t.Sweeps])
			t.SweepAt = &at
			t.Sweeps++
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("transfer %s: %w", req.Id, records.Mapped(err))
	}
	return &recordsgen.Empty{}, nil
}
