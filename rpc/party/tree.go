package party

import (
	"cmp"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	party "zhihuidangjian/idl/gen/party"
	"zhihuidangjian/model"
)

// orgIcons are what stands before a name in the tree (manual 3 ①).
var orgIcons = map[string]string{
	"committee": "委", "generalBranch": "总", "jointBranch": "联", "branch": "支", "group": "组", "workCommittee": "工",
}

// icon is the sign of a type of organisation; one without a sign of its own has 党.
func icon(orgType string) string {
	if i := orgIcons[orgType]; i != "" {
		return i
	}
	return "党"
}

// GetTree returns the chosen organisation and all below it, parents before children, in
// sort order. Ancestors and siblings of the caller's organisation are never in it.
func (s *Service) GetTree(ctx context.Context, req *party.OrgReq) (*party.Tree, error) {
	root, err := s.scope(ctx, req.OrgId)
	if err != nil {
		return nil, err
	}
	all, err := s.orgs.Find(ctx, model.Within(root.ID), nil, model.Page{})
	if err != nil {
		return nil, err
	}
	counts, err := s.countBy(ctx, "orgId", bson.D{{Key: "orgs", Value: root.ID}, ofParty})
	if err != nil {
		return nil, err
	}
	children := map[string][]*model.Organization{}
	for _, o := range all {
		if o.ID != root.ID {
			children[o.ParentID] = append(children[o.ParentID], o)
		}
	}
	tree := &party.Tree{}
	var add func(o *model.Organization)
	add = func(o *model.Organization) {
		parent := o.ParentID
		if o.ID == root.ID {
			parent = ""
		}
		tree.Nodes = append(tree.Nodes, &party.TreeNode{
			Id: o.ID, ParentId: parent, OrgName: o.OrgName, OrgType: o.OrgType, Icon: icon(o.OrgType), MemberCount: int32(counts[o.ID]),
		})
		below := children[o.ID]
		slices.SortFunc(below, func(a, b *model.Organization) int {
			return cmp.Or(cmp.Compare(a.SortNo, b.SortNo), cmp.Compare(a.ID, b.ID))
		})
		for _, child := range below {
			add(child)
		}
	}
	add(root)
	return tree, nil
}
