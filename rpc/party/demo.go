package party

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// The invented data of a first start. Ids sort before those of real records, so that
// what a newcomer adds is on top.
const (
	demoMembers = 204
	demoRegion  = "990101" // no real person's ID number begins so
)

var demoOrgs = []struct{ name, kind, parent, secretary, address string }{
	{"机关党总支", "generalBranch", "", "周建国", "示范市人民路1号"},
	{"街道党总支", "generalBranch", "", "吴秀英", "示范市解放路18号"},
	{"机关第一党支部", "branch", "机关党总支", "郑文博", "示范市人民路1号2号楼"},
	{"机关第二党支部", "branch", "机关党总支", "冯丽华", "示范市人民路1号3号楼"},
	{"退休干部党支部", "branch", "机关党总支", "陈国强", "示范市人民路3号"},
	{"东湖社区党支部", "branch", "街道党总支", "褚晓梅", "示范市东湖路66号"},
	{"西园社区党支部", "branch", "街道党总支", "卫志远", "示范市西园路9号"},
	{"两新组织联合党支部", "jointBranch", "街道党总支", "蒋思雨", "示范市创业园A座"},
}

// SeedDemo adds the invented organisations and members below the root, and the root last:
// who finds it finds them all. Done again, it changes nothing.
func (s *Service) SeedDemo(ctx context.Context) error {
	if err := kit.RequireSystem(ctx); err != nil {
		return err
	}
	defer s.treeChanged(ctx)
	orgs, branches := demoTree(model.RootOrg)
	if err := model.Seeded(s.orgs.InsertMany(ctx, orgs)); err != nil {
		return fmt.Errorf("demo organisations: %w", err)
	}
	units := demoUnits(branches)
	if err := model.Seeded(s.units.InsertMany(ctx, slices.Collect(maps.Values(units)))); err != nil {
		return fmt.Errorf("demo units: %w", err)
	}
	members := make([]*model.Member, demoMembers)
	for i := range members {
		m := demoMember(i, s.d.Clock.Now())
		branch := branches[i%len(branches)]
		m.OrgID, m.Orgs, m.UnitID = branch.ID, branch.Orgs, units[branch.ID].ID
		s.d.Seal.Close(m)
		members[i] = m
	}
	if err := model.Seeded(s.members.InsertMany(ctx, members)); err != nil {
		return fmt.Errorf("demo members: %w", err)
	}
	if err := s.EnsureRoot(ctx); err != nil {
		return err
	}
	_, err := s.orgs.Update(ctx, model.Everything, model.RootOrg, func(o *model.Organization) error {
		if o.Secretary != "待填写" {
			return model.ErrUnchanged
		}
		o.Secretary, o.SecretaryPhone = "赵明远", "19900008001"
		o.ContactName, o.ContactPhone, o.Address = "钱小慧", "19900008002", "示范市人民路1号"
		return nil
	})
	return err
}

func demoTree(root string) (all, branches []*model.Organization) {
	byName := map[string]*model.Organization{}
	for i, d := range demoOrgs {
		o := &model.Organization{
			OrgName: d.name, OrgType: d.kind, ParentID: root, Secretary: d.secretary, SecretaryPhone: fmt.Sprintf("199000081%02d", i),
			ContactName: d.secretary, ContactPhone: fmt.Sprintf("199000081%02d", i), Address: d.address, SortNo: i + 1, FoundedOn: "2012-07-01",
			Longitude: fmt.Sprintf("120.%03d", 120+i*17%60), Latitude: fmt.Sprintf("30.%03d", 250+i*29%70),
		}
		o.ID, o.CreatedBy = fmt.Sprintf("0000demoorg%02d", i+1), "system"
		o.OrgID, o.Orgs = o.ID, []string{root, o.ID}
		if p := byName[d.parent]; p != nil {
			o.ParentID, o.Orgs = p.ID, []string{root, p.ID, o.ID}
			branches = append(branches, o)
		}
		byName[d.name] = o
		all = append(all, o)
	}
	return all, branches
}

// demoUnits are where the members of each branch work.
func demoUnits(branches []*model.Organization) map[string]*model.Unit {
	units := map[string]*model.Unit{}
	for i, b := range branches {
		u := &model.Unit{
			Base:     model.Base{ID: fmt.Sprintf("0000demounit%02d", i+1), OrgID: b.ID, Orgs: b.Orgs, CreatedBy: "system"},
			UnitName: strings.TrimSuffix(strings.TrimSuffix(b.OrgName, "党支部"), "联合"), UnitNature: "government", OrgForm: "independentBranch", Address: b.Address,
		}
		switch {
		case b.OrgType == "jointBranch":
			u.UnitNature, u.OrgForm = "nonPublic", "jointBranch"
		case strings.Contains(b.OrgName, "社区"):
			u.UnitNature = "community"
		}
		units[b.ID] = u
	}
	return units
}

var (
	demoSurnames = []rune("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜戚谢邹")
	demoMale     = []string{"建军", "志强", "文杰", "国庆", "海涛", "明辉", "俊峰", "永康", "家豪", "思远", "振华", "德胜", "浩然"}
	demoFemale   = []string{"秀兰", "丽娟", "晓燕", "雪梅", "玉珍", "佳怡", "静雯", "春华", "雨欣", "慧敏", "桂芳", "梦洁", "诗涵"}
	demoDegrees  = []string{"bachelor", "college", "postgraduate", "bachelor", "high", "secondary", "bachelor", "junior"}
	demoPeoples  = []string{"汉族", "汉族", "汉族", "汉族", "回族", "汉族", "汉族", "满族", "汉族", "壮族", "汉族", "汉族", "蒙古族"}
)

// demoMember invents the i-th member: the same one each time, but for dates that follow
// today.
func demoMember(i int, now time.Time) *model.Member {
	year, category := 1965+i*7%38, "salaried"
	switch {
	case i%6 == 2: // the branch of the retired
		year, category = 1940+i*5%22, "retired"
	case i%17 == 3:
		category = "farmer"
	case year >= 2000 && i%3 == 0:
		category = "student"
	}
	born := time.Date(year, time.Month(1+i*5%12), 1+i*11%28, 0, 0, 0, 0, kit.Shanghai)
	m := &model.Member{
		Gender: "male", BirthDate: born.Format(time.DateOnly), Ethnicity: demoPeoples[i%len(demoPeoples)],
		Education: demoDegrees[i%len(demoDegrees)], Phone: fmt.Sprintf("1990000%04d", 1+i), Status: "active",
		MemberType: "fullMember", DuesCategory: category,
	}
	given := demoMale[i*3%len(demoMale)]
	if i%5 > 2 {
		m.Gender, given = "female", demoFemale[i*3%len(demoFemale)]
	}
	m.Name = string(demoSurnames[i*7%len(demoSurnames)]) + given
	serial := 10 + i%490*2 // even: female
	if m.Gender == "male" {
		serial++
	}
	digits := fmt.Sprintf("%s%s%03d", demoRegion, born.Format("20060102"), serial)
	m.IDNumber = digits + string(model.IDCheck(digits))
	m.ID, m.CreatedBy = fmt.Sprintf("0000demomember%03d", i+1), "system"
	demoCareer(i, m, born, now)
	return m
}

// demoCareer gives a member the dates of his type.
func demoCareer(i int, m *model.Member, born, now time.Time) {
	joined := born.AddDate(20+i%9, 3, 0)
	retired := m.DuesCategory == "retired"
	switch {
	case !retired && i%20 == 4:
		m.MemberType = "probationaryMember"
		joined = now.AddDate(0, -4, 0)
	case !retired && i%40 == 7:
		m.MemberType = "developmentTarget"
	case !retired && i%40 == 13:
		m.MemberType = "activist"
	case !retired && i%50 == 19:
		m.MemberType = "applicant"
		return
	}
	if joined.After(now.AddDate(-1, -6, 0)) && m.MemberType == "fullMember" {
		joined = now.AddDate(-2, -i%9, 0)
	}
	m.ActivistOn = joined.AddDate(-1, -6, 0).Format(time.DateOnly)
	if m.MemberType == "developmentTarget" || m.MemberType == "activist" {
		m.ActivistOn = now.AddDate(0, -8, 0).Format(time.DateOnly)
		return
	}
	m.JoinedOn = joined.Format(time.DateOnly)
	if m.MemberType == "fullMember" {
		m.RegularizedOn = joined.AddDate(1, 0, 0).Format(time.DateOnly)
	}
	// The dues of the last months follow from the demo's orders.
	m.DuesPaidThrough = kit.AddMonths(kit.Month(now), -4)
}
