// Package development proves 发展党员 and 思想汇报 (manual 6.2): the way from an application to full
// membership, in the console and on the phone.
package development

import (
	"fmt"
	"testing"
	"time"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
)

func TestMain(m *testing.M) { Main(m) }

const (
	cases     = "developmentCase"
	materials = "developmentMaterial"
	reports   = "thoughtReport"
)

type step struct {
	No                                     int
	Name, State, Handler, Department, Date string
	Opinion, HandledBy                     string
	Required, Missing, Warnings            []string
	Works, Candidate, HandedIn, NeedsVotes bool
	NeedsPublicity                         bool
	Publicity, Signers, NeedsSigners       string
	Materials                              []struct {
		ID, Kind, By string
		Files        []struct{ ID, Name string }
	}
	History []struct {
		Passed      bool
		Opinion, By string
	}
	Corrections []struct{ Was, Becomes, Reason, By string }
	Votes       *struct{ Words string }
}

type dossier struct {
	ID, Name, MemberType, OrgName, Stage, State, Process string
	CurrentStepNo                                        int
	Stages                                               []struct {
		Key, Title string
		Steps      []step
	}
}

func (d dossier) step(no int) step {
	for _, s := range d.Stages {
		for _, x := range s.Steps {
			if x.No == no {
				return x
			}
		}
	}
	return step{}
}

func see(t *testing.T, b *bfftest.Browser, id string) (d dossier) {
	t.Helper()
	b.Get("/api/console/development/"+id, &d)
	return d
}

func mine(t *testing.T, phone *bfftest.Browser) (d dossier) {
	t.Helper()
	phone.Get("/api/member/development", &d)
	return d
}

// candidate is somebody of A who stands at a point of the way, and his case.
func candidate(t *testing.T, memberType string, more Form) (bfftest.Person, string) {
	t.Helper()
	p := NewPerson()
	f := MemberForm(p, OrgA(t)).With(Form{"memberType": memberType, "joinedOn": nil, "regularizedOn": nil}).With(more)
	p.ID = IDOf(Add(t, Root(t), "member", f))
	var id string
	bfftest.Eventually(t, "his case", func() bool {
		l := AdminA(t).List(cases, "f.memberId="+p.ID).Items
		if len(l) == 1 {
			id = IDOf(l[0])
		}
		return len(l) == 1
	})
	return p, id
}

func pdf(name string) *bfftest.Upload {
	return &bfftest.Upload{Name: name, Data: []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")}
}

// upload adds a material as a user of the console.
func upload(t *testing.T, b *bfftest.Browser, id string, no int, kind string) *bfftest.Answer {
	t.Helper()
	a := b.Do("POST", Path(materials)+"/upload?field=files", pdf(kind+".pdf"))
	if a.Status != 200 {
		return a
	}
	var f Item
	a.Into(t, &f)
	return b.Do("POST", Path(materials), Form{"caseId": id, "stepNo": no, "kind": kind, "files": []any{f}})
}

func act(b *bfftest.Browser, id, verb string, f Form) *bfftest.Answer {
	return b.Do("POST", Path(cases)+"/"+id+"/actions/"+verb, f)
}

// handler is who works on a step: the branch's admin, or the committee's.
func handler(t *testing.T, s step) *bfftest.Browser {
	t.Helper()
	switch s.Department {
	case "党支部":
		return AdminA(t)
	case "党委":
		return AdminP(t)
	}
	return Root(t)
}

// pass brings all materials of the current step and passes it on a day.
func pass(t *testing.T, id, on string) {
	t.Helper()
	d := see(t, Root(t), id)
	s := d.step(d.CurrentStepNo)
	passBy(t, handler(t, s), id, s, on)
}

// passBy does so as one who works on the step.
func passBy(t *testing.T, b *bfftest.Browser, id string, s step, on string) {
	t.Helper()
	if s.NeedsPublicity && s.Publicity == "" {
		at, err := time.Parse(time.DateOnly, on)
		if err != nil {
			t.Fatal(err)
		}
		act(b, id, "publicize", Form{"from": at.AddDate(0, 0, -21).Format(time.DateOnly), "to": at.AddDate(0, 0, -1).Format(time.DateOnly), "result": "公示期间未收到异议"}).Into(t, &Item{})
	}
	for _, kind := range s.Missing {
		upload(t, b, id, s.No, kind).Into(t, &Item{})
	}
	f, verb := Form{"on": on, "opinion": "同意"}, "pass"
	if s.NeedsSigners != "" {
		f["signers"] = "王联络、李介绍"
	}
	if s.NeedsVotes {
		verb = "passVote"
		f = f.With(Form{"due": 9, "present": 8, "for": 7, "against": 1, "abstain": 0})
	}
	if a := act(b, id, verb, f); a.Status != 200 {
		t.Fatalf("step %d: %d %s", s.No, a.Status, a.Body)
	}
}

// passTo passes steps until one is current.
func passTo(t *testing.T, id string, no int, on string) {
	t.Helper()
	for range 30 {
		if see(t, Root(t), id).CurrentStepNo >= no {
			return
		}
		pass(t, id, on)
	}
	t.Fatalf("never at step %d", no)
}

func quarter(t time.Time) string {
	t = t.In(time.FixedZone("Asia/Shanghai", 8*3600))
	return fmt.Sprintf("%dQ%d", t.Year(), (int(t.Month())+2)/3)
}
