package main

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// starters are the functions that may start a goroutine, by full name, e.g.
// "zhihuidangjian/rpc/kit.Go": they recover from its panic. While there are none,
// goroutines says nothing.
var starters []string

// goroutines: a panic in a goroutine ends the process for everybody, so that all start
// through a helper that recovers.
var goroutines = &analysis.Analyzer{
	Name: "goroutines", Doc: "report goroutines that nobody recovers",
	Run: func(pass *analysis.Pass) (any, error) {
		if len(starters) == 0 {
			return nil, nil
		}
		for _, file := range pass.Files {
			if !inProduct(pass, pass.Fset.Position(file.Package).Filename) {
				continue
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && slices.Contains(starters, pass.TypesInfo.Defs[f.Name].(*types.Func).FullName()) {
					continue
				}
				ast.Inspect(d, func(n ast.Node) bool {
					if starts(pass, n) {
						pass.Reportf(n.Pos(), "a panic in this goroutine ends the process: start it by %s", starters[0])
					}
					return true
				})
			}
		}
		return nil, nil
	},
}

func starts(pass *analysis.Pass, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		return true
	case *ast.CallExpr:
		f := typeutil.StaticCallee(pass.TypesInfo, n)
		return f != nil && slices.Contains([]string{
			"(*sync.WaitGroup).Go",
			"(*golang.org/x/sync/errgroup.Group).Go",
			"(*golang.org/x/sync/errgroup.Group).TryGo",
		}, f.FullName())
	}
	return false
}
