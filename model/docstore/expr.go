package docstore

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// expr computes an aggregation expression for one document; a missing value is val{}.
type expr func(e *env) val

// env is the document under evaluation; vars are bound by $let, $map and $filter.
type env struct {
	root, cur val
	vars      *binding
}

type binding struct {
	name string
	v    val
	up   *binding
}

func (e *env) bind(name string, v val) *env {
	return &env{e.root, e.cur, &binding{name, v, e.vars}}
}

// exprOf compiles an expression.
func exprOf(v val, sc *scope) expr {
	switch v.Type {
	case tString:
		s := str(v)
		switch {
		case strings.HasPrefix(s, "$$"):
			return variable(s[2:], sc)
		case strings.HasPrefix(s, "$"):
			check(len(s) > 1 && !strings.HasPrefix(s, "$.") && !strings.Contains(s, "..") && !strings.HasSuffix(s, "."), 16872, "'%s' is not a valid field path", s)
			parts := strings.Split(s[1:], ".")
			return func(e *env) val { return pathValue(e.cur, parts) }
		}
	case tArray:
		var xs []expr
		for _, x := range items(v) {
			xs = append(xs, exprOf(x, sc))
		}
		return func(e *env) val {
			vs := make([]val, len(xs))
			for i, x := range xs {
				vs[i] = orNull(x(e))
			}
			return array(vs)
		}
	case tDoc:
		es := subfields(v)
		if len(es) > 0 && strings.HasPrefix(es[0].key, "$") {
			check(len(es) == 1, 15983, "an object representing an expression must have exactly one field: %s", bson.Raw(v.Data))
			return operator(es[0].key, es[0].val, sc)
		}
		xs := make([]expr, len(es))
		for i, x := range es {
			check(!strings.HasPrefix(x.key, "$") && !strings.Contains(x.key, "."), 16410, "field names in an expression object may not hold '.' or begin with '$': %s", x.key)
			xs[i] = exprOf(x.val, sc)
		}
		return func(e *env) val {
			b := newDoc()
			for i, x := range xs {
				if r := x(e); r.Type != 0 {
					b.add(es[i].key, r)
				}
			}
			return vDoc(b.done())
		}
	}
	return func(*env) val { return v }
}

func orNull(v val) val {
	if v.Type == 0 {
		return vNull
	}
	return v
}

func variable(s string, sc *scope) expr {
	name, path, more := strings.Cut(s, ".")
	var parts []string
	if more {
		parts = strings.Split(path, ".")
	}
	switch name {
	case "ROOT":
		return func(e *env) val { return pathValue(e.root, parts) }
	case "CURRENT":
		return func(e *env) val { return pathValue(e.cur, parts) }
	case "NOW":
		if now := sc.now; !now.IsZero() {
			return func(*env) val { return pathValue(vDate(now.UnixMilli()), parts) }
		}
	case "REMOVE":
		return func(*env) val { return val{} }
	}
	fixed, known := sc.vars[name]
	check(known, 17276, "Use of undefined variable: %s", name)
	return func(e *env) val {
		for b := e.vars; b != nil; b = b.up {
			if b.name == name {
				return pathValue(b.v, parts)
			}
		}
		return pathValue(fixed, parts)
	}
}

// with is the scope in which the named variables are known as well.
func (sc *scope) with(names ...string) *scope {
	n := *sc
	n.vars = maps.Clone(sc.vars)
	for _, k := range names {
		n.set(k, val{})
	}
	return &n
}

// pathValue follows a path as expressions do: through an array it gives the array of what
// the elements hold.
func pathValue(v val, parts []string) val {
	for i, p := range parts {
		switch v.Type {
		case tDoc:
			v = sub(v, p)
		case tArray:
			var out []val
			for _, e := range items(v) {
				if r := pathValue(e, parts[i:]); r.Type != 0 && (e.Type == tDoc || e.Type == tArray) {
					out = append(out, r)
				}
			}
			return array(out)
		default:
			return val{}
		}
	}
	return v
}

// operands compiles the arguments of an operator that takes between lo and hi of them (hi < 0:
// any number); one argument may stand without an array.
func operands(op string, v val, sc *scope, lo, hi int) []expr {
	list := []val{v}
	if v.Type == tArray {
		list = items(v)
	}
	check(len(list) >= lo && (hi < 0 || len(list) <= hi), 16020, "Expression %s takes %d to %d arguments. %d were passed in.", op, lo, hi, len(list))
	xs := make([]expr, len(list))
	for i, a := range list {
		xs[i] = exprOf(a, sc)
	}
	return xs
}

// known are the arguments of an operator that takes a document of them; the first need must
// be there.
func known(op string, v val, need int, all ...string) args {
	check(v.Type == tDoc, 9, "%s only supports an object as its argument", op)
	a := args(subfields(v))
	for _, f := range a {
		check(slices.Contains(all, f.key), 9, "Unrecognized argument to %s: %s", op, f.key)
	}
	for _, n := range all[:need] {
		check(a.arg(n).Type != 0, 9, "Missing '%s' parameter to %s", n, op)
	}
	return a
}

// named compiles such arguments.
func named(op string, v val, sc *scope, need int, all ...string) map[string]expr {
	m := map[string]expr{}
	for _, f := range known(op, v, need, all...) {
		m[f.key] = exprOf(f.val, sc)
	}
	return m
}

func number(op string, v val) val {
	check(isNum(v), 14, "%s only supports numeric types, not %s", op, typeName(v.Type))
	return v
}

func operator(op string, v val, sc *scope) expr {
	if f, ok := simpleOps[op]; ok {
		xs := operands(op, v, sc, f.lo, f.hi)
		return func(e *env) val {
			vs := make([]val, len(xs))
			for i, x := range xs {
				vs[i] = x(e)
				if f.null && isNull(vs[i]) {
					return vNull
				}
			}
			return f.call(op, vs)
		}
	}
	switch op {
	case "$literal":
		return func(*env) val { return v }
	case "$and", "$or":
		xs := operands(op, v, sc, 0, -1)
		return func(e *env) val {
			for _, x := range xs {
				if truthy(x(e)) != (op == "$and") {
					return vBool(op == "$or")
				}
			}
			return vBool(op == "$and")
		}
	case "$cond":
		var xs []expr
		if v.Type == tDoc {
			m := named(op, v, sc, 3, "if", "then", "else")
			xs = []expr{m["if"], m["then"], m["else"]}
		} else {
			xs = operands(op, v, sc, 3, 3)
		}
		return func(e *env) val {
			if truthy(xs[0](e)) {
				return xs[1](e)
			}
			return xs[2](e)
		}
	case "$ifNull":
		xs := operands(op, v, sc, 2, -1)
		return func(e *env) (r val) {
			for _, x := range xs {
				if r = x(e); !isNull(r) {
					break
				}
			}
			return r
		}
	case "$switch":
		m := named(op, v, sc, 1, "branches", "default")
		branches := sub(v, "branches")
		check(len(items(branches)) > 0, 40068, "$switch requires at least one branch, in an array")
		var conds, thens []expr
		for _, b := range items(branches) {
			n := named(op, b, sc, 2, "case", "then")
			conds, thens = append(conds, n["case"]), append(thens, n["then"])
		}
		return func(e *env) val {
			for i, c := range conds {
				if truthy(c(e)) {
					return thens[i](e)
				}
			}
			check(m["default"] != nil, 40066, "$switch could not find a matching branch for an input, and no default was specified.")
			return m["default"](e)
		}
	case "$let":
		vars := subfields(known(op, v, 2, "vars", "in").arg("vars"))
		var names []string
		xs := make([]expr, len(vars))
		for i, f := range vars {
			names = append(names, f.key)
			xs[i] = exprOf(f.val, sc)
		}
		in := exprOf(sub(v, "in"), sc.with(names...))
		return func(e *env) val {
			inner := e
			for i, x := range xs {
				inner = inner.bind(names[i], x(e))
			}
			return in(inner)
		}
	case "$map", "$filter":
		as, body := "this", "in"
		if op == "$filter" {
			body = "cond"
		}
		if a := known(op, v, 2, "input", body, "as").arg("as"); a.Type != 0 {
			as = str(a)
			check(as != "", 16866, "the variable of %s must be a non-empty string", op)
		}
		input, in := exprOf(sub(v, "input"), sc), exprOf(sub(v, body), sc.with(as))
		return func(e *env) val {
			a := input(e)
			if isNull(a) {
				return vNull
			}
			check(a.Type == tArray, 28651, "input to %s must be an array not %s", op, typeName(a.Type))
			var out []val
			for _, x := range items(a) {
				r := in(e.bind(as, x))
				if op == "$map" {
					out = append(out, orNull(r))
				} else if truthy(r) {
					out = append(out, x)
				}
			}
			return array(out)
		}
	case "$reduce":
		known(op, v, 3, "input", "initialValue", "in")
		input, init := exprOf(sub(v, "input"), sc), exprOf(sub(v, "initialValue"), sc)
		in := exprOf(sub(v, "in"), sc.with("this", "value"))
		return func(e *env) val {
			a, acc := input(e), init(e)
			if isNull(a) {
				return vNull
			}
			check(a.Type == tArray, 40080, "$reduce requires that 'input' be an array, found: %s", typeName(a.Type))
			for _, x := range items(a) {
				acc = in(e.bind("this", x).bind("value", acc))
			}
			return acc
		}
	case "$dateToString":
		return dateToString(named(op, v, sc, 0, "format", "date", "timezone", "onNull"))
	case "$regexMatch":
		m := named(op, v, sc, 2, "input", "regex", "options")
		rv, ov := sub(v, "regex"), sub(v, "options")
		constant := func(v val) bool { return v.Type == tString && !strings.HasPrefix(str(v), "$") }
		check((rv.Type == tRegex || constant(rv)) && (ov.Type == 0 || constant(ov)), 238, "$regexMatch is supported with a constant regex only")
		pattern, opts := str(rv), str(ov)
		if rv.Type == tRegex {
			p, o := rv.Regex()
			pattern, opts = p, o+opts
		}
		re, _ := compileRegex(pattern, opts)
		return func(e *env) val { in := m["input"](e); return vBool(in.Type == tString && re.MatchString(str(in))) }
	case "$sum", "$avg", "$min", "$max":
		xs := operands(op, v, sc, 0, -1)
		return func(e *env) val {
			acc := accumulators[op]()
			for _, x := range xs {
				r := x(e)
				if r.Type == tArray && len(xs) == 1 {
					for _, y := range items(r) {
						acc.add(y)
					}
				} else {
					acc.add(r)
				}
			}
			return acc.result()
		}
	}
	if parts, ok := dateParts[op]; ok {
		var date, zone expr
		if v.Type == tDoc && sub(v, "date").Type != 0 {
			m := named(op, v, sc, 1, "date", "timezone")
			date, zone = m["date"], m["timezone"]
		} else {
			date = operands(op, v, sc, 1, 1)[0]
		}
		return func(e *env) val {
			d := date(e)
			if isNull(d) {
				return vNull
			}
			return vInt(int32(parts(timeOf(op, d, zoneOf(zone, e)))))
		}
	}
	panic(fail(168, "Unrecognized expression '%s'", op))
}

// simpleOps take evaluated arguments; null marks those that give null for a null argument.
var simpleOps map[string]simpleOp

type simpleOp struct {
	lo, hi int
	null   bool
	call   func(op string, a []val) val
}

func init() {
	simpleOps = map[string]simpleOp{
		"$not":      {1, 1, false, func(_ string, a []val) val { return vBool(!truthy(a[0])) }},
		"$cmp":      {2, 2, false, func(_ string, a []val) val { return vInt(int32(order(a[0], a[1]))) }},
		"$eq":       {2, 2, false, func(_ string, a []val) val { return vBool(order(a[0], a[1]) == 0) }},
		"$ne":       {2, 2, false, func(_ string, a []val) val { return vBool(order(a[0], a[1]) != 0) }},
		"$gt":       {2, 2, false, func(_ string, a []val) val { return vBool(order(a[0], a[1]) > 0) }},
		"$gte":      {2, 2, false, func(_ string, a []val) val { return vBool(order(a[0], a[1]) >= 0) }},
		"$lt":       {2, 2, false, func(_ string, a []val) val { return vBool(order(a[0], a[1]) < 0) }},
		"$lte":      {2, 2, false, func(_ string, a []val) val { return vBool(order(a[0], a[1]) <= 0) }},
		"$add":      {0, -1, true, addAll},
		"$multiply": {0, -1, true, multiplyAll},
		"$subtract": {2, 2, true, subtract},
		"$divide":   {2, 2, true, divide},
		"$mod":      {2, 2, true, modulo},
		"$abs":      {1, 1, true, round},
		"$ceil":     {1, 1, true, round},
		"$floor":    {1, 1, true, round},
		"$round":    {1, 2, true, round},
		"$trunc":    {1, 2, true, round},
		"$sqrt": {1, 1, true, func(op string, a []val) val {
			f := asFloat(number(op, a[0]))
			check(!(f < 0), 28714, "$sqrt's argument must be greater than or equal to 0")
			return vDbl(math.Sqrt(f))
		}},
		"$concat": {0, -1, true, func(op string, a []val) val {
			var s strings.Builder
			for _, x := range a {
				check(x.Type == tString, 16702, "$concat only supports strings, not %s", typeName(x.Type))
				s.WriteString(str(x))
			}
			return vStr(s.String())
		}},
		"$toLower":  {1, 1, false, func(op string, a []val) val { return vStr(strings.ToLower(str(toText(op, a)))) }},
		"$toUpper":  {1, 1, false, func(op string, a []val) val { return vStr(strings.ToUpper(str(toText(op, a)))) }},
		"$strLenCP": {1, 1, false, func(op string, a []val) val { return vInt(int32(utf8.RuneCountInString(text(op, a[0])))) }},
		"$substrCP": {3, 3, false, substr},
		"$split":    {2, 2, true, split},
		"$size":     {1, 1, false, func(op string, a []val) val { return vInt(int32(len(list(op, a[0])))) }},
		"$isArray":  {1, 1, false, func(_ string, a []val) val { return vBool(a[0].Type == tArray) }},
		"$first":    {1, 1, true, func(op string, a []val) val { return elemAt(list(op, a[0]), 0) }},
		"$last":     {1, 1, true, func(op string, a []val) val { return elemAt(list(op, a[0]), -1) }},
		"$type":     {1, 1, false, func(_ string, a []val) val { return vStr(typeName(a[0].Type)) }},
		"$toString": {1, 1, true, toText},
		"$toInt":    {1, 1, true, toNumber},
		"$toLong":   {1, 1, true, toNumber},
		"$toDouble": {1, 1, true, toNumber},
		"$toBool":   {1, 1, true, func(_ string, a []val) val { return vBool(truthy(a[0])) }},
		"$toDate":   {1, 1, true, toDate},
		"$setUnion": {0, -1, true, setUnion},
		"$arrayElemAt": {2, 2, true, func(op string, a []val) val {
			i, ok := asInt(a[1])
			check(ok, 28690, "$arrayElemAt's second argument must be an integer")
			return elemAt(list(op, a[0]), int(i))
		}},
		"$in": {2, 2, false, func(op string, a []val) val {
			for _, x := range list(op, a[1]) {
				if order(x, a[0]) == 0 {
					return vTrue
				}
			}
			return vFalse
		}},
		"$concatArrays": {0, -1, true, func(op string, a []val) val {
			var out []val
			for _, x := range a {
				out = append(out, list(op, x)...)
			}
			return array(out)
		}},
		"$slice": {2, 3, true, func(op string, a []val) val {
			xs := list(op, a[0])
			n, ok := asInt(a[len(a)-1])
			check(ok && (len(a) == 2 || n > 0), 28724, "$slice takes integers, and a positive number after a position")
			if len(a) == 3 {
				skip, ok := asInt(a[1])
				check(ok, 28725, "$slice takes integers")
				return array(sliced(xs, int(skip), int(n)))
			}
			return array(sliceN(xs, int(n)))
		}},
		"$mergeObjects": {0, -1, false, func(op string, a []val) val {
			n := newNode(vDoc(emptyDoc))
			for _, x := range a {
				check(isNull(x) || x.Type == tDoc, 40400, "$mergeObjects requires object inputs")
				for _, f := range subfields(x) {
					n.set(f.key, newNode(f.val))
				}
			}
			return n.value()
		}},
	}
}

// order compares in an expression, where a missing value is less than null.
func order(a, b val) int {
	if a.Type == 0 || b.Type == 0 {
		return int(b2i(a.Type != 0)) - int(b2i(b.Type != 0))
	}
	return compare(a, b)
}

func b2i(b bool) int8 {
	if b {
		return 1
	}
	return 0
}

func text(op string, v val) string {
	check(v.Type == tString, 16702, "%s requires a string argument, found: %s", op, typeName(v.Type))
	return str(v)
}

func list(op string, v val) []val {
	check(v.Type == tArray, 17124, "The argument to %s must be an array, but was of type: %s", op, typeName(v.Type))
	return items(v)
}

func elemAt(xs []val, i int) val {
	if i < 0 {
		i += len(xs)
	}
	if i < 0 || i >= len(xs) {
		return val{}
	}
	return xs[i]
}

// sliceN is the first n elements, or the last -n.
func sliceN(xs []val, n int) []val {
	if n >= 0 {
		return xs[:min(n, len(xs))]
	}
	return xs[max(0, len(xs)+n):]
}

// sliced is n elements after skip, counted from the end when skip is negative.
func sliced(xs []val, skip, n int) []val {
	if skip < 0 {
		skip = max(0, len(xs)+skip)
	}
	return sliceN(xs[min(skip, len(xs)):], n)
}
