package main

import (
	"go/token"

	"golang.org/x/tools/go/analysis"
	"honnef.co/go/tools/unused"
)

// unusedCode reports what staticcheck's U1000 finds, which leaves the reporting to its own
// driver. Go vet looks at a package together with its tests: what only they use is used.
var unusedCode = &analysis.Analyzer{
	Name: "U1000", Doc: "report code that nobody uses",
	Requires: []*analysis.Analyzer{unused.Analyzer.Analyzer},
	Run: func(pass *analysis.Pass) (any, error) {
		for _, o := range pass.ResultOf[unused.Analyzer.Analyzer].(unused.Result).Unused {
			pass.Reportf(posOf(pass.Fset, o.Position), "%s %s is unused", o.Kind, o.Name)
		}
		return nil, nil
	},
}

func posOf(files *token.FileSet, at token.Position) (pos token.Pos) {
	for f := range files.Iterate {
		if f.Name() == at.Filename {
			return f.LineStart(at.Line) + token.Pos(at.Column-1)
		}
	}
	return token.NoPos
}
