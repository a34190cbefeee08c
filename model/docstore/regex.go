package docstore

import (
	"regexp"
	"regexp/syntax"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// regex compiles /pattern/options on a path. Go's engine runs in linear time and lacks
// look-around and back-references; a pattern with one is refused, not approximated.
func (f *filter) regex(path string, parts []string, c, options val) test {
	pattern, opts := str(c), ""
	if c.Type == tRegex {
		pattern, opts = c.Regex()
	}
	check(c.Type == tRegex || c.Type == tString, 2, "$regex has to be a string")
	if options.Type != 0 {
		check(options.Type == tString, 2, "$options has to be a string")
		check(opts == "" || str(options) == "", 51075, "options set in both $regex and $options")
		opts += str(options)
	}
	re, tree := compileRegex(pattern, opts)
	f.exact = false
	if p := literalPrefix(tree); p != "" {
		self := val{Type: tRegex, Data: bsoncore.AppendRegex(nil, pattern, opts)}
		f.conds = append(f.conds, cond{path: path, op: "prefix", v: vStr(p), vs: []val{self}})
	}
	return leaf(parts, true, func(v val) bool {
		switch v.Type {
		case tString, tSymbol:
			return re.Match(v.Data[4 : len(v.Data)-1])
		case tRegex:
			p, o := v.Regex()
			return p == pattern && o == opts
		}
		return false
	})
}

func compileRegex(pattern, opts string) (*regexp.Regexp, *syntax.Regexp) {
	flags := syntax.Perl
	for _, o := range opts {
		switch o {
		case 'i':
			flags |= syntax.FoldCase
		case 'm':
			flags &^= syntax.OneLine
		case 's':
			flags |= syntax.DotNL
		case 'u':
		case 'x':
			panic(fail(238, "the regular expression option x is not supported"))
		default:
			panic(fail(51108, "invalid flag in regex options: %c", o))
		}
	}
	tree, err := syntax.Parse(pattern, flags)
	if err != nil {
		panic(fail(51091, "Regular expression is invalid or uses what this server does not support (look-around, back-references): %v", err))
	}
	re, err := regexp.Compile(perlDollar(tree).String())
	if err != nil {
		panic(fail(51091, "Regular expression is invalid: %v", err))
	}
	return re, tree
}

// perlDollar lets $ match before a newline at the very end too, as in Perl.
func perlDollar(t *syntax.Regexp) *syntax.Regexp {
	if t.Op == syntax.OpEndText && t.Flags&syntax.WasDollar != 0 {
		n, _ := syntax.Parse(`(?:\n?\z)`, syntax.Perl)
		return n
	}
	for i, s := range t.Sub {
		t.Sub[i] = perlDollar(s)
	}
	return t
}

// literalPrefix is the text every match of an anchored pattern begins with.
func literalPrefix(t *syntax.Regexp) string {
	if t.Op != syntax.OpConcat || t.Sub[0].Op != syntax.OpBeginText || t.Sub[1].Op != syntax.OpLiteral || t.Sub[1].Flags&syntax.FoldCase != 0 {
		return ""
	}
	return string(t.Sub[1].Rune)
}
