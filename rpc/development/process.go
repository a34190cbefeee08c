package development

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"zhihuidangjian/rpc/kit"
)

// The process is data: one file a version of the regulation, shipped with the product. A case keeps
// the version it began under (PLUS-05).
//
//go:embed process/*.json
var files embed.FS

// process is one version of 《中国共产党发展党员工作细则》 as steps.
type process struct {
	Version   string `json:"version"`
	Title     string `json:"title"`
	ValidFrom string `json:"validFrom"` // yyyy-MM-dd
	Steps     []step `json:"steps"`
}

// step is one of them.
type step struct {
	No          int      `json:"no"`
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Stage       string   `json:"stage"`
	Department  string   `json:"department"` // branch, committee, upper: who handles it
	Article     string   `json:"article"`
	Description string   `json:"description"`
	Materials   []string `json:"materials"` // required kinds
	Candidate   bool     `json:"candidate"` // he has to do it, and hands it in
	Opinion     bool     `json:"opinion"`   // an approval: an opinion is required
	Vote        bool     `json:"vote"`      // a 支部大会 votes
	Becomes     string   `json:"becomes"`   // what the member is after it
	Earliest    *term    `json:"earliest"`
	Deadline    *term    `json:"deadline"`
	Publicity   *notice  `json:"publicity"` // a 公示 comes before it
	Signers     *signers `json:"signers"`   // who is named, or signs
}

// signers are those whose names go into the file with a step.
type signers struct {
	Label string `json:"label"`
	Least int    `json:"least"`
}

// signs is what those who sign a step are called; "" where nobody has to.
func (p *step) signs() string {
	if p.Signers == nil {
		return ""
	}
	return p.Signers.Label
}

// notice is how long a 公示 lasts at least, and what is said of a shorter one.
type notice struct {
	Workdays int    `json:"workdays"`
	Code     string `json:"code"`
	Say      string `json:"say"`
}

// term is a time after another step, and what is said when it is not kept. Terms warn; an
// organisation decides.
type term struct {
	After  int    `json:"after"`
	Months int    `json:"months"`
	Code   string `json:"code"`
	Say    string `json:"say"`
}

// day is the day of a term after a date; at the end of a shorter month its last day.
func (t *term) day(on string) string { return kit.MonthsBefore(on, -t.Months) }

var stages = []struct{ key, title string }{
	{"application", "申请入党"}, {"activist", "积极分子确定和培养"}, {"target", "发展对象确定和考察"}, {"admission", "预备党员接收"}, {"probation", "预备党员教育考察和转正"},
}

var departments = map[string]string{"branch": "党支部", "committee": "党委", "upper": "上级党委组织部门"}

// load reads the shipped versions, and those of a folder ("" for none), the oldest first, and refuses one
// whose steps are not in order. What the regulations leave open, or local rules settle, is set by a file
// there: one of a version that is shipped takes its place, for the cases under way too, and must keep its
// steps.
func load(dir string) ([]*process, error) {
	all, err := read(files, "process")
	if err != nil || dir == "" {
		return all, err
	}
	local, err := read(os.DirFS(dir), ".")
	if err != nil {
		return nil, err
	}
	for _, p := range local {
		i := slices.IndexFunc(all, func(x *process) bool { return x.Version == p.Version })
		switch {
		case i < 0:
			all = append(all, p)
			continue
		case !slices.EqualFunc(all[i].Steps, p.Steps, func(a, b step) bool { return a.Key == b.Key }):
			return nil, fmt.Errorf("process %s: its steps are not those of the shipped version, under which cases are", p.Version)
		}
		all[i] = p
	}
	slices.SortFunc(all, func(a, b *process) int { return compare(a.ValidFrom, b.ValidFrom) })
	return all, nil
}

func read(from fs.FS, dir string) ([]*process, error) {
	names, err := fs.Glob(from, path.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []*process
	for _, name := range names {
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		p := &process{}
		if err := json.Unmarshal(b, p); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i, s := range p.Steps {
			if s.No != i+1 || departments[s.Department] == "" || !slices.ContainsFunc(stages, func(x struct{ key, title string }) bool { return x.key == s.Stage }) {
				return nil, fmt.Errorf("%s: step %d is out of order, or of no stage or department", name, s.No)
			}
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *process) int { return compare(a.ValidFrom, b.ValidFrom) })
	return all, nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// version is the process of a name; the one that was shipped first for cases from before there were
// versions.
func (s *Service) version(name string) *process {
	for _, p := range s.processes {
		if p.Version == name {
			return p
		}
	}
	return s.processes[0]
}

// on is the process in force on a day.
func (s *Service) on(day string) *process {
	p := s.processes[0]
	for _, x := range s.processes {
		if x.ValidFrom <= day {
			p = x
		}
	}
	return p
}
