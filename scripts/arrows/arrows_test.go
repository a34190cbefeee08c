// Package arrows guards the house's floors: arrows run down only, bff → idl/gen ←
// rpc/<domain> → model, and a domain knows another only through its generated interface.
package arrows

import (
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "zhihuidangjian/"

// rule says what a package may import of ours, in code that is not a test, and why no more.
// A name that ends in "/..." means the folder and all below it; "rpc/*" any folder in rpc.
type rule struct {
	of  string
	may []string
	why string
}

// rules: the first line that names a package is its rule.
var rules = []rule{
	{"conf", nil, "conf knows the environment and nothing of ours"},
	{"idl/call", nil, "it describes methods and knows none"},
	{"idl/gen/...", []string{"idl/call", "idl/gen/..."}, "what is generated stands by itself"},

	{"model", []string{"model/docstore"}, "model lies below everything but the document store"},
	{"model/docstore", nil, "the document store knows bytes, not our documents"},
	{"model/docstore/serve", []string{"model/docstore"}, "serve is the document store as a process"},
	{"model/mongotest", nil, "it gives tests a database on any server, ours included"},
	{"model/modeltest", []string{"model", "model/docstore", "model/mongotest"}, "it gives tests a database, and knows no domain"},

	{"rpc/kit", []string{"idl/call", "idl/gen/account"}, "kit carries calls, and the caller, whom account describes, and lies below records and all domains"},
	{"rpc/blob", nil, "blob holds bytes and knows nothing of ours"},
	{"rpc/paper", []string{"rpc/kit"}, "paper is drawn of whatever is written on it"},
	{"rpc/calendar", nil, "a calendar knows days and nothing of ours"},
	{"rpc/film", nil, "a film is bytes, whoever shows it"},
	{"rpc/film/filmtest", nil, "it makes films for tests"},
	{"rpc/trail", []string{"model", "rpc/kit"}, "trail says who did what, of whatever record"},
	{"rpc/normal", nil, "one form of names and numbers, for whoever stores or compares them"},
	{"rpc/migrate", []string{"model", "rpc/kit", "rpc/normal"}, "a migration names data as they were at its time, and leans on no domain of today"},
	{"rpc/records/workbook", nil, "a reader of workbooks knows nothing of records"},
	{"rpc/records/field", []string{"model", "rpc/kit", "rpc/normal", "rpc/records/workbook"}, "the ground floor: fields and values, of no record type, caller or store"},
	{"rpc/records/files", []string{"rpc/records/field"}, "beside sheet, on field: what a file is"},
	{"rpc/records/sheet", []string{"rpc/normal", "rpc/records/field", "rpc/records/workbook"}, "beside files, on field: people's workbooks as rows"},
	{"rpc/records", []string{"idl/gen/party/...", "idl/gen/records/...", "model", "rpc/blob", "rpc/calendar", "rpc/kit", "rpc/normal", "rpc/records/field", "rpc/records/files", "rpc/records/sheet", "rpc/records/workbook", "rpc/trail"}, "the engine, on top of its floors, knows no domain; party's interface names members and places"},
	{"rpc/sms", []string{"conf"}, "an outside system needs its credentials only"},
	{"rpc/sms/sim", []string{"conf", "rpc/sms"}, "a simulator knows the system it simulates"},
	{"rpc/wechat", []string{"conf", "rpc/kit"}, "an outside system needs its credentials, and kit for errors and clock"},
	{"rpc/wechat/sim", []string{"conf", "rpc/kit", "rpc/sms/sim", "rpc/wechat"}, "a simulator knows the system it simulates; one phone shows WeChat and SMS"},
	{"rpc/wechat/sim/serve", []string{"rpc/kit", "rpc/wechat/sim"}, "serve is the simulators as a process"},
	{"rpc/suite", []string{"conf", "idl/call", "idl/gen/...", "model", "model/docstore", "rpc/..."}, "suite puts the domains together, and lies below bff and job"},
	{"rpc", []string{"conf", "rpc/suite"}, "a main starts what suite puts together"},
	{"rpc/notify", append([]string{"conf"}, domain...), "notify reads the templates that conf names; a domain knows another only through its generated interface"},
	{"rpc/*", domain, "a domain knows another only through its generated interface, handed to New"},

	{"job/outbox", []string{"idl/gen/...", "model", "rpc/kit"}, "the relay reads events of model and hands them to generated interfaces"},
	{"job/schedule", []string{"idl/gen/...", "rpc/kit", "rpc/records"}, "schedules call generated interfaces; the engine says which imports wait"},
	{"job/work", []string{"job/outbox", "job/schedule", "rpc/kit", "rpc/suite"}, "job knows no domain: suite hands it the clients"},
	{"job", []string{"conf", "job/work", "rpc/suite"}, "a main starts what suite puts together"},

	{"bff/web", nil, "it embeds the built pages"},
	{"bff/route", []string{"idl/call", "idl/gen/records", "rpc/kit"}, "a route is a line over a generated method, whatever the domain"},
	{"bff/edge", []string{"bff/route", "bff/web", "idl/call", "idl/gen/...", "model", "rpc/kit", "rpc/records", "rpc/suite", "rpc/trail", "rpc/wechat"},
		"bff holds no rule of a domain: it has the clients of suite, the engine's wire types, WeChat's doors, and of model and trail the event of a refusal"},
	{"bff", []string{"bff/edge", "conf", "job/work", "rpc/kit", "rpc/suite"}, "a main starts what suite puts together; in one process job works beside it"},
	{"bff/bfftest", []string{"bff/edge", "conf", "idl/gen/...", "job/work", "model", "model/mongotest", "rpc/kit", "rpc/suite"}, "it stands the whole product up for tests"},
	{"bff/acceptance/world", []string{"bff/bfftest", "rpc/film/filmtest", "rpc/suite"}, "it holds what the tests of all chapters share"},

	{"scripts/...", []string{"..."}, "scripts may import anything"},
}

// domain is what every domain may import.
var domain = []string{"idl/gen/...", "model", "rpc/blob", "rpc/calendar", "rpc/film", "rpc/kit", "rpc/normal", "rpc/paper", "rpc/records", "rpc/sms", "rpc/trail", "rpc/wechat"}

// apart are packages that no product needs.
var apart = []string{"model/modeltest", "model/mongotest", "bff/acceptance/...", "bff/bfftest", "rpc/film/filmtest", "scripts/..."}

func TestArrows(t *testing.T) {
	packages, err := read("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range wrong(rules, packages) {
		t.Error(sentence)
	}
	for _, r := range rules {
		if r.of != "rpc/*" && !slices.ContainsFunc(packages, func(p imports) bool { return matches(r.of, p.of) }) {
			t.Errorf("a rule speaks of %s, which is gone", r.of)
		}
	}
}

// TestWrong proves that the test above can fail.
func TestWrong(t *testing.T) {
	for _, c := range []struct{ of, what, want string }{
		{"rpc/dues", "rpc/party", "rpc/dues imports rpc/party: a domain knows another only through its generated interface, handed to New"},
		{"rpc/ballot", "rpc/meeting", "rpc/ballot imports rpc/meeting: a domain knows another only through its generated interface, handed to New"},
		{"rpc/ballot", "rpc/suite", "rpc/ballot imports rpc/suite: a domain knows another only through its generated interface, handed to New"},
		{"rpc/ballot", "idl/gen/meeting/meeting", ""},
		{"bff/edge", "rpc/dues", "bff/edge imports rpc/dues: bff holds no rule of a domain: it has the clients of suite, the engine's wire types, WeChat's doors, and of model and trail the event of a refusal"},
		{"job/work", "rpc/points", "job/work imports rpc/points: job knows no domain: suite hands it the clients"},
		{"model", "rpc/kit", "model imports rpc/kit: model lies below everything but the document store"},
		{"rpc/kit", "rpc/records", "rpc/kit imports rpc/records: kit carries calls, and the caller, whom account describes, and lies below records and all domains"},
		{"rpc/records", "rpc/party", "rpc/records imports rpc/party: the engine, on top of its floors, knows no domain; party's interface names members and places"},
		{"rpc/records/field", "rpc/records/files", "rpc/records/field imports rpc/records/files: the ground floor: fields and values, of no record type, caller or store"},
		{"rpc/records/sheet", "rpc/records", "rpc/records/sheet imports rpc/records: beside files, on field: people's workbooks as rows"},
		{"conf", "model", "conf imports model: conf knows the environment and nothing of ours"},
		{"rpc/suite", "rpc/dues", ""},
		{"rpc/suite", "bff/edge", "rpc/suite imports bff/edge: suite puts the domains together, and lies below bff and job"},
		{"bff", "bff/bfftest", "bff imports bff/bfftest, which is for tests and scripts"},
		{"rpc/dues", "model/modeltest", "rpc/dues imports model/modeltest, which is for tests and scripts"},
		{"bff/bfftest", "scripts/bench", "bff/bfftest imports scripts/bench, which is for tests and scripts"},
		{"scripts/bench", "bff/bfftest", ""},
		{"attic", "model", "attic has no rule: say in the table of scripts/arrows what it may import"},
	} {
		got := strings.Join(wrong(rules, []imports{{c.of, []string{c.what}}}), "; ")
		if got != c.want {
			t.Errorf("%s → %s: got %q, want %q", c.of, c.what, got, c.want)
		}
	}
}

// imports are the packages of ours that one of ours imports outside its tests.
type imports struct {
	of   string
	what []string
}

// wrong says in a sentence each what breaks the rules.
func wrong(rules []rule, packages []imports) (sentences []string) {
	for _, p := range packages {
		i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.of, p.of) })
		if i < 0 {
			sentences = append(sentences, p.of+" has no rule: say in the table of scripts/arrows what it may import")
			continue
		}
		for _, what := range p.what {
			switch {
			case oneOf(rules[i].may, what):
			case oneOf(apart, what):
				sentences = append(sentences, fmt.Sprintf("%s imports %s, which is for tests and scripts", p.of, what))
			default:
				sentences = append(sentences, fmt.Sprintf("%s imports %s: %s", p.of, what, rules[i].why))
			}
		}
	}
	return sentences
}

func oneOf(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

func matches(pattern, name string) bool {
	if folder, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(name+"/", folder)
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// read finds the module's packages and what they import. It reads the files itself, and asks
// no go list, so that go test knows when its cached answer is old.
func read(root string) (packages []imports, err error) {
	err = filepath.WalkDir(root, func(dir string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		if slices.Contains([]string{"node_modules", "testdata", "bin", "data"}, e.Name()) || strings.HasPrefix(e.Name(), ".") && dir != root {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && dir != root {
			return fs.SkipDir // another module
		}
		p, err := build.ImportDir(dir, 0)
		if none := (*build.NoGoError)(nil); errors.As(err, &none) {
			return nil
		} else if err != nil {
			return err
		}
		of, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		if len(p.GoFiles) == 0 {
			return nil // nothing but tests
		}
		found := imports{of: filepath.ToSlash(of)}
		for _, name := range p.Imports {
			if ours, ok := strings.CutPrefix(name, module); ok {
				found.what = append(found.what, ours)
			}
		}
		packages = append(packages, found)
		return nil
	})
	return packages, err
}
