package main

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// sleeps: the product waits on a channel or a timer beside its context, so that it ends when
// it is told to; time is the injected clock's.
var sleeps = &analysis.Analyzer{
	Name: "sleeps", Doc: "report time.Sleep in the product",
	Run: func(pass *analysis.Pass) (any, error) {
		inspect(pass, func(n ast.Node) {
			if call, ok := n.(*ast.CallExpr); ok {
				if f := typeutil.StaticCallee(pass.TypesInfo, call); f != nil && f.FullName() == "time.Sleep" {
					pass.Reportf(call.Pos(), "time.Sleep hears no context: wait on a timer beside ctx.Done()")
				}
			}
		})
		return nil, nil
	},
}

// inspect shows f every node of the product's files.
func inspect(pass *analysis.Pass, f func(ast.Node)) {
	for _, file := range pass.Files {
		if inProduct(pass, pass.Fset.Position(file.Package).Filename) {
			ast.Inspect(file, func(n ast.Node) bool { f(n); return true })
		}
	}
}
