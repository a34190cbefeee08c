package main

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// contexts: a context is an argument. Where a struct must hold one all the same, a comment
// at the field that begins with "ctx:" says why.
var contexts = &analysis.Analyzer{
	Name: "contexts", Doc: "report a context in a struct without a reason",
	Run: func(pass *analysis.Pass) (any, error) {
		inspect(pass, func(n ast.Node) {
			s, ok := n.(*ast.StructType)
			if !ok {
				return
			}
			for _, field := range s.Fields.List {
				if t := pass.TypesInfo.TypeOf(field.Type); t != nil && t.String() == "context.Context" && !reasoned(field.Doc) && !reasoned(field.Comment) {
					pass.Reportf(field.Pos(), `a struct holds a context: pass it as an argument, or say why not in a comment "// ctx: …" at the field`)
				}
			}
		})
		return nil, nil
	},
}

func reasoned(comment *ast.CommentGroup) bool { return strings.HasPrefix(comment.Text(), "ctx: ") }
