package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// again: what may run more than once before its result is stored must not write elsewhere.
// That is the closure of Collection.Update and SoftDelete, which starts again when somebody
// else was faster, and the hooks that an engine calls inside it. A write of theirs stays when
// the document's own is refused; it belongs into After, Follow or Effect.
var again = &analysis.Analyzer{
	Name: "again", Doc: "report writes in code that may run more than once",
	FactTypes: []analysis.Fact{(*writes)(nil)},
	Run:       findAgain,
}

// hooks are the fields of rpc/records' types that hold such code.
var hooks = []string{"Do", "When", "OnApprove", "BeforeSave", "BeforeDelete"}

// excused are findings that stand, by the function they are in and what it calls, with the
// reason. One that is gone must go from here too: again says so.
var excused = map[string]string{
	"(*zhihuidangjian/rpc/account.Service).userType passwordOf":       "notes a refused password, which is refused and written down as often as it is tried",
	"(*zhihuidangjian/rpc/dues.Service).reductionType checkReduction": "finishes what a crash left half-done of earlier payments, as often as it is asked",
	"(*zhihuidangjian/rpc/records.recordType).do claim":               "is meant to come before the write: it may be repeated, and what nobody stores is swept",
}

// writers are the methods that write, by package; of a generated service all do but those
// whose names begin like a reader's.
var (
	writers = map[string][]string{
		module + "/model": {
			"Collection.Insert", "Collection.InsertMany", "Collection.SaveMany", "Collection.Update", "Collection.Replace", "Collection.SoftDelete",
		},
		module + "/rpc/records": {
			"Engine.Save", "Engine.Delete", "Engine.Act", "Engine.ActMany", "Engine.Upload", "Engine.Rehome", "Engine.Resume", "Engine.StartImport", "Engine.RunImport",
		},
		"go.mongodb.org/mongo-driver/v2/mongo": {
			"Collection.InsertOne", "Collection.InsertMany", "Collection.UpdateOne", "Collection.UpdateMany", "Collection.UpdateByID",
			"Collection.ReplaceOne", "Collection.DeleteOne", "Collection.DeleteMany", "Collection.BulkWrite",
			"Collection.FindOneAndUpdate", "Collection.FindOneAndReplace", "Collection.FindOneAndDelete",
		},
	}
	readers = []string{"Get", "List", "Find", "Check", "Schema", "Template", "Export", "Types", "Download"}
)

// writes is what again knows of a function that writes: through which call.
type writes struct{ By string }

func (*writes) AFact()           {}
func (w *writes) String() string { return "writes by " + w.By }

func findAgain(pass *analysis.Pass) (any, error) {
	c := &checker{pass: pass, closures: map[types.Object]*ast.FuncLit{}, seen: map[string]bool{}}
	var functions []function
	for _, file := range pass.Files {
		for _, d := range file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				functions = append(functions, function{c.object(d.Name).(*types.Func), c.calls(d)})
			}
		}
		ast.Inspect(file, c.remember)
	}
	spread(pass, functions)
	for _, file := range pass.Files {
		if !inProduct(pass, pass.Fset.Position(file.Package).Filename) {
			continue
		}
		for _, d := range file.Decls {
			c.in = pass.Pkg.Path()
			if d, ok := d.(*ast.FuncDecl); ok {
				c.in = c.object(d.Name).(*types.Func).FullName()
			}
			ast.Inspect(d, func(n ast.Node) bool {
				for _, code := range c.repeated(n) {
					c.check(code)
				}
				return true
			})
		}
	}
	for finding := range excused {
		if in, _, _ := strings.Cut(finding, " "); strings.Contains(in, pass.Pkg.Path()+".") && !c.seen[finding] {
			pass.Reportf(pass.Files[0].Package, "%q is gone: take it from what lint excuses", finding)
		}
	}
	return nil, nil
}

// methodOf is the package of a function, and its name as Type.Method if it is one.
func methodOf(f *types.Func) (pkg, name string) {
	if f.Pkg() == nil {
		return "", f.Name()
	}
	if recv := f.Signature().Recv(); recv != nil {
		t := recv.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if t, ok := t.(*types.Named); ok {
			name = t.Obj().Name() + "."
		}
	}
	return f.Pkg().Path(), name + f.Name()
}

// function is one of the package, and whom it calls.
type function struct {
	is    *types.Func
	calls []*types.Func
}

// spread exports a fact of each function that writes, itself or through another.
func spread(pass *analysis.Pass, functions []function) {
	for again := true; again; {
		again = false
		for _, f := range functions {
			if pass.ImportObjectFact(f.is, new(writes)) {
				continue
			}
			for _, callee := range f.calls {
				if by := writesBy(pass, callee); by != "" {
					pass.ExportObjectFact(f.is, &writes{by})
					again = true
					break
				}
			}
		}
	}
}

// writesBy is through which calls a function writes; "" if it does not.
func writesBy(pass *analysis.Pass, f *types.Func) string {
	pkg, name := methodOf(f)
	_, method, remote := strings.Cut(name, ".") // messages have no methods
	reads := slices.ContainsFunc(readers, func(r string) bool { return strings.HasPrefix(method, r) })
	if slices.Contains(writers[pkg], name) || remote && !reads && strings.HasPrefix(pkg, module+"/idl/gen/") {
		return name
	}
	var w writes
	if pass.ImportObjectFact(f, &w) {
		return f.Name() + " → " + w.By
	}
	return ""
}

// checker looks at one package.
type checker struct {
	pass     *analysis.Pass
	closures map[types.Object]*ast.FuncLit // of the variables that hold one
	in       string                        // the function looked at
	seen     map[string]bool               // the excused findings that are still there
}

func (c *checker) object(name *ast.Ident) types.Object { return c.pass.TypesInfo.ObjectOf(name) }

// calls are the functions that one calls. A closure in a field is left out: it runs when
// whoever reads the field says so.
func (c *checker) calls(d *ast.FuncDecl) (list []*types.Func) {
	later := map[ast.Expr]bool{}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := typeutil.Callee(c.pass.TypesInfo, n).(*types.Func); ok {
				list = append(list, f.Origin())
			}
		case *ast.KeyValueExpr:
			later[n.Value] = true
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if _, field := lhs.(*ast.SelectorExpr); field && len(n.Lhs) == len(n.Rhs) {
					later[n.Rhs[i]] = true
				}
			}
		case *ast.FuncLit:
			return !later[n]
		}
		return true
	})
	return list
}

// remember notes which variable holds which closure.
func (c *checker) remember(n ast.Node) bool {
	if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
		for i, value := range a.Rhs {
			name, named := a.Lhs[i].(*ast.Ident)
			if closure, ok := value.(*ast.FuncLit); ok && named {
				c.closures[c.object(name)] = closure
			}
		}
	}
	return true
}

// repeated is the code at n that may run more than once.
func (c *checker) repeated(n ast.Node) (code []ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if f := typeutil.StaticCallee(c.pass.TypesInfo, n); f != nil {
			if pkg, name := methodOf(f); pkg == module+"/model" && (name == "Collection.Update" || name == "Collection.SoftDelete") {
				code = append(code, n.Args[len(n.Args)-1])
			}
		}
	case *ast.KeyValueExpr: // records.Type[D]{BeforeSave: …}
		if name, ok := n.Key.(*ast.Ident); ok && c.isHook(name) {
			code = append(code, n.Value)
		}
	case *ast.AssignStmt: // t.BeforeSave = …
		for i, lhs := range n.Lhs {
			if field, ok := lhs.(*ast.SelectorExpr); ok && len(n.Lhs) == len(n.Rhs) && c.isHook(field.Sel) {
				code = append(code, n.Rhs[i])
			}
		}
	}
	return code
}

func (c *checker) isHook(field *ast.Ident) bool {
	v, ok := c.object(field).(*types.Var)
	return ok && v.IsField() && v.Pkg() != nil && v.Pkg().Path() == module+"/rpc/records" && slices.Contains(hooks, v.Name())
}

// check reports the writes of code: a closure, the name of a function, or a call that makes one.
func (c *checker) check(code ast.Expr) {
	switch code := ast.Unparen(code).(type) {
	case *ast.FuncLit:
		ast.Inspect(code.Body, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				c.report(call, typeutil.Callee(c.pass.TypesInfo, call))
			}
			return true
		})
	case *ast.CallExpr:
		c.report(code, typeutil.Callee(c.pass.TypesInfo, code))
	case *ast.SelectorExpr:
		c.report(code, c.object(code.Sel))
	case *ast.Ident:
		if closure := c.closures[c.object(code)]; closure != nil {
			c.check(closure)
		} else {
			c.report(code, c.object(code))
		}
	}
}

func (c *checker) report(at ast.Node, called types.Object) {
	f, ok := called.(*types.Func)
	if !ok {
		return
	}
	by := writesBy(c.pass, f.Origin())
	if by == "" {
		return
	}
	finding := c.in + " " + f.Name()
	if excused[finding] != "" {
		c.seen[finding] = true
		return
	}
	c.pass.Reportf(at.Pos(), "what may run more than once writes by %s: let it follow the write", by)
}
