package party

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

var (
	errParent     = kit.InvalidFields(map[string]string{"parentId": "上级组织选择有误"})
	errOwnOrg     = kit.Conflict("organization.own", "不能删除本级组织！")
	errHasMembers = kit.Conflict("organization.members", "该组织或其下级组织存在党员，不允许删除！")
	errHasOrgs    = kit.Conflict("organization.children", "请先删除下级组织")
)

// orgTypes says what a type of organisation is called.
var orgTypes = records.OptionLabels[model.Organization]()

// organizationType is 党组织 (spec/records.md 1).
func (s *Service) organizationType() *records.Type[*model.Organization] {
	return &records.Type[*model.Organization]{
		Name: "organization", Title: "党组织", Menu: "组织管理", Icon: "organization", Section: "5.1", Collection: s.orgs, SharedIndexes: true,
		Fields: []records.Field{{Key: "memberCount", Label: "党员数", Type: "int", List: true, Virtual: true}},
		Unique: []records.Unique{
			{Keys: []string{"parentId", "orgName"}, Field: "orgName", Message: "同一上级组织下已有同名组织"},
			{Keys: []string{"orgCode"}, Field: "orgCode", Message: "组织编码已存在"},
		},
		// The header that ORG-15 names.
		Columns: []string{"orgName", "orgType", "parentId", "secretary", "secretaryPhone", "contactName", "contactPhone", "address"},
		// Those that ORG-18 names.
		Exports:     []string{"orgName", "orgCode", "orgType", "parentId", "secretary", "secretaryPhone", "contactName", "contactPhone", "address", "memberCount"},
		ImportChunk: 1, // a row may be the parent of the next one
		NameKey:     "orgName",
		// Both are pages of their own.
		Actions: []records.Action[*model.Organization]{
			{Key: "leadership", Title: "领导班子", Permission: "organization.view"},
			{Key: "map", Title: "组织地图", Permission: partysvc.GetMap.Permission()},
		},
		// Members look for one to apply to.
		Own: &records.Own[*model.Organization]{
			Where: func(*kit.Caller) bson.D { return nil }, Fields: []string{"orgName", "parentId"},
		},
		BeforeSave: s.checkOrg,
		Follow: func(ctx context.Context, _ *model.Organization) error {
			s.treeChanged(ctx)
			return nil
		},
		BeforeDelete: s.checkOrgDelete,
		Present:      s.presentOrgs,
		Life: &records.Life[*model.Organization]{Verbs: []records.Verb[*model.Organization]{{
			Key: "delete",
			If: func(c *kit.Caller, o *model.Organization, _ time.Time) *kit.Error {
				if o.ID == c.OrgID || o.ParentID == "" {
					return errOwnOrg
				}
				return nil
			},
		}}},
	}
}

// superiors are the kinds of organisation that a kind may stand under (ORG-04): 党章
// article 30 (总支 and 支部 are set up under a 基层委员会, a 支部 also under a 总支), article
// 10 and the 党的工作机关条例(试行) (a 党工委 is sent out by a committee and leads those of
// its area), 党支部工作条例(试行) chapter 2 (党小组 are parts of a branch).
var superiors = map[string][]string{
	"committee":     {"committee", "workCommittee"},
	"workCommittee": {"committee", "workCommittee"},
	"generalBranch": {"committee", "workCommittee"},
	"branch":        {"committee", "workCommittee", "generalBranch"},
	"jointBranch":   {"committee", "workCommittee", "generalBranch"},
	"group":         {"branch", "jointBranch"},
}

// wrongSuperior says why one kind of organisation cannot stand under another; "" if it can.
func wrongSuperior(kind, superior string) string {
	if slices.Contains(superiors[kind], superior) {
		return ""
	}
	may := make([]string, len(superiors[kind]))
	for i, k := range superiors[kind] {
		may[i] = orgTypes("orgType", k)
	}
	return fmt.Sprintf("%s，%s的上级应为%s", errParent.Fields["parentId"], orgTypes("orgType", kind), strings.Join(may, "、"))
}

// checkOrg keeps the tree a tree: a parent in the caller's scope that may have children,
// and never the organisation itself or one below it.
func (s *Service) checkOrg(ctx context.Context, old, o *model.Organization) error {
	o.OrgID = o.ID
	if wrong := checkPlace(o.Longitude, o.Latitude); wrong != nil {
		return kit.InvalidFields(wrong)
	}
	if old != nil && old.ParentID == "" && o.ParentID == "" { // the root
		return nil
	}
	if o.ParentID == "" {
		return kit.InvalidFields(map[string]string{"parentId": "请填写上级组织"})
	}
	parent, err := s.orgs.Get(ctx, model.Everything, o.ParentID)
	if errors.Is(err, model.ErrNotFound) {
		return errParent
	}
	if err != nil {
		return err
	}
	if slices.Contains(parent.Orgs, o.ID) {
		return errParent
	}
	if old == nil {
		if !visible(ctx, parent) {
			return errParent
		}
	} else if old.ParentID != o.ParentID {
		// A move takes members and records along; that is 整建制转移, not an edit.
		return kit.InvalidFields(map[string]string{"parentId": "变更上级组织请办理整建制转移"})
	}
	// What stands wrongly since before there was the rule can be corrected field by field.
	if old == nil || old.OrgType != o.OrgType {
		if say := wrongSuperior(o.OrgType, parent.OrgType); say != "" {
			return kit.InvalidFields(map[string]string{"parentId": say})
		}
	}
	if old != nil && old.OrgType != o.OrgType {
		if err := s.checkOrgType(ctx, o); err != nil {
			return err
		}
	}
	o.Orgs = append(slices.Clone(parent.Orgs), o.ID)
	return nil
}

// checkOrgType refuses a new type that what the organisation holds does not fit.
func (s *Service) checkOrgType(ctx context.Context, o *model.Organization) error {
	below, err := s.orgs.Find(ctx, model.Everything, bson.D{{Key: "parentId", Value: o.ID}}, model.Page{})
	if err != nil {
		return err
	}
	for _, b := range below {
		if wrongSuperior(b.OrgType, o.OrgType) != "" {
			label := orgTypes("orgType", o.OrgType)
			return kit.InvalidFields(map[string]string{"orgType": fmt.Sprintf("该组织有下级组织“%s”（%s），不能改为%s", b.OrgName, orgTypes("orgType", b.OrgType), label)})
		}
	}
	if home(o) {
		return nil
	}
	n, err := s.members.Count(ctx, model.Everything, bson.D{{Key: "orgId", Value: o.ID}, {Key: "status", Value: "active"}})
	if err != nil {
		return err
	}
	if n > 0 {
		return kit.InvalidFields(map[string]string{"orgType": "该组织有直属党员，组织性质只能为党支部、联合支部或党小组"})
	}
	return nil
}

func (s *Service) checkOrgDelete(ctx context.Context, o *model.Organization) error {
	members, err := s.members.Count(ctx, model.Within(o.ID), active)
	if err != nil {
		return err
	}
	if members > 0 {
		return errHasMembers
	}
	below, err := s.orgs.Count(ctx, model.Everything, bson.D{{Key: "parentId", Value: o.ID}})
	if err != nil {
		return err
	}
	if below > 0 {
		return errHasOrgs
	}
	return nil
}

func (s *Service) presentOrgs(ctx context.Context, docs []*model.Organization, rows []records.Row) error {
	ids := make(bson.A, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	// By (orgId, status): members of the node itself.
	own, err := s.countBy(ctx, "orgId", bson.D{{Key: "orgId", Value: bson.D{{Key: "$in", Value: ids}}}, ofParty})
	if err != nil {
		return err
	}
	for i, d := range docs {
		rows[i]["memberCount"] = own[d.ID]
		rows[i]["icon"] = icon(d.OrgType)
	}
	return nil
}

// countBy counts who is in the register by one of its fields; ofParty leaves the members.
func (s *Service) countBy(ctx context.Context, key string, filter bson.D) (map[string]int, error) {
	cur, err := s.members.Mongo().Aggregate(ctx, bson.A{
		bson.D{{Key: "$match", Value: append(slices.Clip(filter), bson.E{Key: "status", Value: "active"}, bson.E{Key: "deleted", Value: false})}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$" + key}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("count members: %w", err)
	}
	var rows []struct {
		ID string `bson:"_id"`
		N  int    `bson:"n"`
	}
	if err := cur.All(ctx, &rows); err != nil {
		return nil, fmt.Errorf("count members: %w", err)
	}
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.ID] = r.N
	}
	return counts, nil
}

var degreesPattern = regexp.MustCompile(`^-?\d{1,3}(\.\d{1,6})?$`)

// checkPlace wants both coordinates or none.
func checkPlace(longitude, latitude string) map[string]string {
	if longitude == "" && latitude == "" {
		return nil
	}
	wrong := map[string]string{}
	for _, c := range []struct {
		key, label, text string
		limit            float64
	}{{"longitude", "经度", longitude, 180}, {"latitude", "纬度", latitude, 90}} {
		d, err := strconv.ParseFloat(c.text, 64)
		switch {
		case c.text == "":
			wrong[c.key] = "经度和纬度应同时填写"
		case err != nil || !degreesPattern.MatchString(c.text):
			wrong[c.key] = c.label + "应为数字，最多6位小数"
		case math.Abs(d) > c.limit:
			wrong[c.key] = fmt.Sprintf("%s应在-%v至%v之间", c.label, c.limit, c.limit)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return wrong
}
