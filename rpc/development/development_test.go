package development_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	development "zhihuidangjian/idl/gen/development"
	"zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/calendar"
	dev "zhihuidangjian/rpc/development"
	"zhihuidangjian/rpc/kit"
)

// fakeParty is one committee R with the branch A.
type fakeParty struct{ partysvc.Client }

func (fakeParty) GetOrganization(_ context.Context, req *party.OrgReq) (*party.Organization, error) {
	if req.OrgId == "R" {
		return &party.Organization{Id: "R", OrgName: "党委", OrgType: "committee", Orgs: []string{"R"}}, nil
	}
	return &party.Organization{Id: "A", OrgName: "A支部", OrgType: "branch", Orgs: []string{"R", "A"}}, nil
}

func (fakeParty) GetMembers(_ context.Context, req *party.MembersReq) (*party.Members, error) {
	return &party.Members{Members: []*party.Member{{Id: req.MemberIds[0], Name: "甲", OrgId: "A", OrgName: "A支部"}}}, nil
}

func (fakeParty) GetPlaces(_ context.Context, req *party.PlacesReq) (*party.OrgPlaces, error) {
	out := &party.OrgPlaces{}
	for _, id := range req.OrgIds {
		out.Places = append(out.Places, &party.OrgPlace{Id: id, OrgName: id})
	}
	return out, nil
}

// TestVersions: a case keeps the process that it began under.
func TestVersions(t *testing.T) {
	blobs, err := blob.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := &kit.Clock{}
	days, err := calendar.Load("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := dev.New(dev.Deps{DB: modeltest.DB(t), Clock: clock, Blobs: blobs, Seal: modeltest.Sealer(t), Party: fakeParty{}, Calendar: days})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	begin := func(id, memberType string, at time.Time) string {
		t.Helper()
		clock.SetOffset(time.Until(at))
		if _, err := s.BeginCase(kit.AsSystem(t.Context()), &development.BeginReq{MemberId: id, MemberType: memberType, OrgId: "A", Orgs: []string{"R", "A"}, ActivistOn: "2025-01-10"}); err != nil {
			t.Fatal(err)
		}
		return kit.KeyID("development", id)
	}
	see := func(id string) map[string]*development.Step {
		t.Helper()
		c, err := s.GetCase(kit.WithCaller(t.Context(), kit.Caller{Kind: kit.User, UserID: "u", OrgID: "R", Orgs: []string{"R"}, Permissions: []string{"*"}}), &development.CaseReq{Id: id})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]*development.Step{"": {Name: c.Process}}
		for _, st := range c.Stages {
			for _, x := range st.Steps {
				out[x.Name] = x
			}
		}
		return out
	}
	old := begin("m1", "applicant", time.Date(2026, 4, 1, 10, 0, 0, 0, kit.Shanghai))
	recent := begin("m2", "applicant", time.Date(2026, 6, 1, 10, 0, 0, 0, kit.Shanghai))
	t.Run("PLUS-05 one begun under 2014 keeps its steps when 2026 is in force, a new one gets the new ones; version and article are shown", func(t *testing.T) {
		was, now := see(old), see(recent)
		if was[""].Name != "中国共产党发展党员工作细则（2014年）" || now[""].Name != "中国共产党发展党员工作细则（2026年）" {
			t.Errorf("%s, %s", was[""].Name, now[""].Name)
		}
		notice := func(s *development.Step) bool {
			return slices.Contains(s.Required, "公示材料")
		}
		if notice(was["确定发展对象"]) || !notice(now["确定发展对象"]) {
			t.Error("the notice of 2026 is in the wrong one")
		}
		if now["确定发展对象"].Article != "第十三条" {
			t.Errorf("article %q", now["确定发展对象"].Article)
		}
		if len(was) != len(now) {
			t.Errorf("%d and %d steps", len(was), len(now))
		}
	})
	t.Run("a case begins where its member stands, once", func(t *testing.T) {
		for memberType, step := range map[string]string{"activist": "指定培养联系人", "developmentTarget": "确定入党介绍人", "probationaryMember": "编入党支部和党小组"} {
			id := begin("at-"+memberType, memberType, time.Date(2026, 6, 2, 10, 0, 0, 0, kit.Shanghai))
			begin("at-"+memberType, memberType, time.Date(2026, 6, 3, 10, 0, 0, 0, kit.Shanghai))
			if x := see(id)[step]; x.State != "current" {
				t.Errorf("%s: %s is %s", memberType, step, x.State)
			}
		}
	})
}

// TestProcessDir: what is local is a file, and no file breaks the cases under way.
func TestProcessDir(t *testing.T) {
	dir := t.TempDir()
	shipped, err := os.ReadFile("process/2026.json")
	if err != nil {
		t.Fatal(err)
	}
	open := func(content string) error {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "local.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		days, err := calendar.Load("")
		if err != nil {
			t.Fatal(err)
		}
		blobs, err := blob.Dir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		s, err := dev.New(dev.Deps{DB: modeltest.DB(t), Clock: &kit.Clock{}, Blobs: blobs, Seal: modeltest.Sealer(t), Party: fakeParty{}, Calendar: days, ProcessDir: dir})
		if err == nil {
			s.Close()
		}
		return err
	}
	for what, content := range map[string]string{
		"a local term":  strings.Replace(string(shipped), `"months": 1,`, `"months": 2,`, 1),
		"a new version": strings.Replace(string(shipped), `"version": "2026"`, `"version": "2031"`, 1),
	} {
		if err := open(content); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, content := range map[string]string{
		"no JSON": `{`, "other steps": strings.Replace(string(shipped), `"key": "talk"`, `"key": "chat"`, 1), "steps out of order": strings.Replace(string(shipped), `"no": 2,`, `"no": 3,`, 1),
	} {
		if err := open(content); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
