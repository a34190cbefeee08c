package arrows

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors are the files of the record engine from below: what a file names of the package stands
// in its own floor or below it.
var floors = [][]string{
	// What a record type is, what is known of one, and how records are read and said.
	{"type", "engine", "recordtype", "adapt", "part", "life", "approval", "refs", "audit", "reasons", "told", "follow", "encode", "words", "personal", "list"},
	// Parts, and what is done to records.
	{"period", "aboutmember", "category", "party", "recognise", "unique", "attachment", "save", "act", "actmany", "print", "application", "exporting", "escalate"},
	// Many records at once: sheets out, rows in.
	{"sheet", "rows"},
	{"imports", "preview", "round"},
	// The engine whole: declared, checked, opened, served.
	{"schema", "check", "setup", "declaration", "open", "serve"},
}

// TestFloors: no arrow of the record engine runs up.
func TestFloors(t *testing.T) {
	up, err := upward("../../rpc/records", floors)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range up {
		t.Error(a)
	}
	// It can fail.
	turned := slices.Clone(floors)
	slices.Reverse(turned)
	if up, err = upward("../../rpc/records", turned); err != nil || len(up) < 50 {
		t.Errorf("upside down there are %d arrows up, %v", len(up), err)
	}
}

// upward are the arrows between files of a package that run up.
func upward(dir string, floors [][]string) ([]string, error) {
	at := map[string]int{}
	for i, floor := range floors {
		for _, name := range floor {
			at[name+".go"] = i
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		if _, ok := at[filepath.Base(p)]; !ok {
			return nil, fmt.Errorf("%s stands on no floor: say in scripts/arrows on which", filepath.Base(p))
		}
		f, err := parser.ParseFile(set, p, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) != len(at) {
		return nil, fmt.Errorf("%d files stand on floors, and there are %d", len(at), len(files))
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// What other packages hold does not matter, so that what is missing of them does not either.
	conf := types.Config{Importer: nothing{}, Error: func(error) {}, FakeImportC: true}
	pkg, _ := conf.Check("records", set, files, info)
	file := func(p token.Pos) string { return filepath.Base(set.Position(p).Filename) }
	said := map[string]bool{}
	for id, o := range info.Uses {
		if v, ok := o.(*types.Var); o.Pkg() != pkg || ok && !v.IsField() && v.Parent() != pkg.Scope() {
			continue
		}
		if from, to := file(id.Pos()), file(o.Pos()); at[to] > at[from] {
			said[fmt.Sprintf("%s names %s of %s, which stands above it", from, o.Name(), to)] = true
		}
	}
	var out []string
	for s := range said {
		out = append(out, s)
	}
	slices.Sort(out)
	return out, nil
}

// nothing imports packages without what is in them.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	if !strings.Contains(path, ".") && !strings.HasPrefix(path, module) {
		return importer.Default().Import(path)
	}
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}
