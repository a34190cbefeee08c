// Lint is what `make test` knows of bad Go: go vet's own checks, staticcheck's, errorlint's,
// those of golang.org/x/tools that go vet leaves out, and a few of this house. It runs as
//
//	go vet -vettool=bin/lint ./...
//
// so that the build cache remembers what it found in packages that have not changed. There
// are no comments that silence it: what does not fit this code is switched off below, for all
// of it, with the reason.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path"
	"slices"
	"strings"

	"codeberg.org/polyfloyd/go-errorlint/errorlint"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/atomicalign"
	"golang.org/x/tools/go/analysis/passes/deepequalerrors"
	"golang.org/x/tools/go/analysis/passes/httpmux"
	"golang.org/x/tools/go/analysis/passes/modernize"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/printf"
	"golang.org/x/tools/go/analysis/passes/reflectvaluecompare"
	"golang.org/x/tools/go/analysis/passes/sortslice"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/suite/vet"
	"golang.org/x/tools/go/analysis/unitchecker"
	"honnef.co/go/tools/analysis/facts/deprecated"
	"honnef.co/go/tools/quickfix"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"
)

// off are the checks that do not fit this code, and why.
var off = map[string]string{
	"QF1001":         "a condition is written as it is meant, not as De Morgan would have it",
	"QF1008":         "s.Engine.Save says whose Save it is",
	"stringsbuilder": "a handful of pieces reads better with +=",
	// golang.org/x/tools' shadow is left out: `if err := …; err != nil` inside a function that
	// has an err is the house's idiom, and 212 of its 222 findings were that.
}

// house are the checks of this product's own rules.
var house = []*analysis.Analyzer{again, contexts, goroutines, sleeps}

func main() {
	log.SetFlags(0)
	if config := os.Args[len(os.Args)-1]; strings.HasSuffix(config, ".cfg") && !ours(packageOf(config)) {
		// Of others' code we only ask what its callers should know.
		unitchecker.Run(config, []*analysis.Analyzer{deprecated.Analyzer, printf.Analyzer})
	}
	unitchecker.Main(checks()...)
}

// checks are all that are on; each signs what it reports with its name.
func checks() []*analysis.Analyzer {
	errorsAs := errorlint.NewAnalyzer()
	if err := errorsAs.Flags.Set("errorf", "true"); err != nil {
		log.Fatal(err)
	}
	all := slices.Concat(house, vet.Suite, modernize.Suite, []*analysis.Analyzer{
		errorsAs, unusedCode,
		atomicalign.Analyzer, deepequalerrors.Analyzer, httpmux.Analyzer, nilness.Analyzer,
		reflectvaluecompare.Analyzer, sortslice.Analyzer, unusedwrite.Analyzer,
	})
	for _, a := range slices.Concat(staticcheck.Analyzers, simple.Analyzers, stylecheck.Analyzers, quickfix.Analyzers) {
		all = append(all, a.Analyzer)
	}
	all = slices.DeleteFunc(all, func(a *analysis.Analyzer) bool { return off[a.Name] != "" })
	for _, a := range all {
		run := a.Run
		a.Run = func(pass *analysis.Pass) (any, error) {
			signed := *pass
			signed.Report = func(d analysis.Diagnostic) {
				d.Message += " (" + a.Name + ")"
				pass.Report(d)
			}
			return run(&signed)
		}
	}
	return all
}

const module = "zhihuidangjian"

// ours tells whether a package is of this product. What is generated stands on what people
// write, and has no findings.
func ours(pkg string) bool {
	return pkg == module || strings.HasPrefix(pkg, module+"/")
}

// inProduct tells whether a file is part of what runs at a user's: no test, and nothing that
// only tests and developers run.
func inProduct(pass *analysis.Pass, file string) bool {
	pkg := strings.TrimPrefix(pass.Pkg.Path(), module+"/")
	apart := strings.HasPrefix(pkg, "scripts/") || strings.HasPrefix(pkg, "bff/acceptance/") || strings.HasSuffix(path.Base(pkg), "test")
	return !apart && !strings.HasSuffix(file, "_test.go")
}

// packageOf reads which package go vet asks about.
func packageOf(config string) string {
	var unit unitchecker.Config
	data, err := os.ReadFile(config)
	if err == nil {
		err = json.Unmarshal(data, &unit)
	}
	if err != nil {
		log.Fatal(err)
	}
	return unit.ImportPath
}
