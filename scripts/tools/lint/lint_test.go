package main

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// TestAgain looks at two packages: what a function of one writes is known in the other.
func TestAgain(t *testing.T) {
	excused = map[string]string{
		"(*zhihuidangjian/rpc/party.Service).known reduce": "meant so",
		"zhihuidangjian/rpc/party.mended write":            "mended meanwhile",
	}
	analysistest.Run(t, analysistest.TestData(), again, "zhihuidangjian/store", "zhihuidangjian/rpc/party")
}

func TestProduct(t *testing.T) {
	starters = []string{"zhihuidangjian/waits.Start"}
	// Together, since each would miss what the others find in the same file.
	all := &analysis.Analyzer{Name: "all", Doc: "all of them", Run: func(pass *analysis.Pass) (any, error) {
		for _, a := range []*analysis.Analyzer{contexts, goroutines, sleeps} {
			if _, err := a.Run(pass); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}}
	analysistest.Run(t, analysistest.TestData(), all, "zhihuidangjian/waits", "zhihuidangjian/scripts/tidy")
}

// TestGoroutinesWait: without a helper that recovers there is nothing to ask for.
func TestGoroutinesWait(t *testing.T) {
	starters = nil
	if found := analysistest.Run(silent{t}, analysistest.TestData(), goroutines, "zhihuidangjian/waits"); len(found[0].Diagnostics) > 0 {
		t.Errorf("found %v", found[0].Diagnostics)
	}
}

// silent does not mind what the file says about other checks.
type silent struct{ t *testing.T }

func (silent) Errorf(string, ...any) {}

func TestOurs(t *testing.T) {
	for pkg, want := range map[string]bool{
		"zhihuidangjian": true, "zhihuidangjian/rpc/dues": true, "zhihuidangjian/rpc/dues_test": true,
		"zhihuidangjian/idl/gen/dues/dues": true, "zhihuidangjianer": false, "net/http": false,
	} {
		if got := ours(pkg); got != want {
			t.Errorf("%s: %v, want %v", pkg, got, want)
		}
	}
}
