// Command idl writes the Go of idl/*.thrift: the messages by thriftgo, as structs and nothing
// else, and for each service a package with its methods and a client (see idl/call). It refuses
// a method that does not say who may call it.
//
//	idl -o idl/gen idl/*.thrift
package main

import (
	"bytes"
	"embed"
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/cloudwego/thriftgo/generator"
	"github.com/cloudwego/thriftgo/generator/backend"
	"github.com/cloudwego/thriftgo/generator/golang"
	"github.com/cloudwego/thriftgo/parser"
	"github.com/cloudwego/thriftgo/plugin"
	"github.com/cloudwego/thriftgo/semantic"
	"github.com/cloudwego/thriftgo/version"
)

const gen = "zhihuidangjian/idl/gen"

// messages are thriftgo's options: structs with the tags that frugal and JSON read.
var messages = []plugin.Option{
	{Name: "template", Desc: "raw_struct"}, {Name: "package_prefix", Desc: gen}, {Name: "naming_style", Desc: "golint"},
	{Name: "ignore_initialisms"}, {Name: "compatible_names"}, {Name: "frugal_tag"}, {Name: "always_gen_json_tag"},
	{Name: "lower_camel_style_json_tag"}, {Name: "reserve_comments"}, {Name: "skip_empty"},
}

//go:embed *.tmpl
var files embed.FS

var pages = template.Must(template.ParseFS(files, "*.tmpl"))

func main() {
	log.SetFlags(0)
	log.SetPrefix("idl: ")
	to := flag.String("o", "idl/gen", "where to write")
	flag.Parse()
	for _, file := range flag.Args() {
		if err := write(*to, file); err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
}

func write(to, file string) error {
	tree, err := parser.ParseFile(file, nil, true)
	if err != nil {
		return err
	}
	services := tree.Services
	tree.Services = nil // of which thriftgo knows nothing
	if err := writeMessages(to, tree); err != nil {
		return err
	}
	for _, s := range services {
		described, err := describe(file, tree, s)
		if err != nil {
			return err
		}
		for page, name := range map[string]string{
			"interface.tmpl": filepath.Join(to, described.Own, "service.go"),
			"service.tmpl":   filepath.Join(to, described.Own, described.Package, described.Package+".go"),
		} {
			if err := render(page, described, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeMessages runs thriftgo.
func writeMessages(to string, tree *parser.Thrift) error {
	if err := semantic.ResolveSymbols(tree); err != nil {
		return err
	}
	var g generator.Generator
	if err := g.RegisterBackend(new(golang.GoBackend)); err != nil {
		return err
	}
	return g.Persist(g.Generate(&generator.Arguments{
		Out: &generator.LangSpec{Language: "go", Options: messages}, Log: backend.DummyLogFunc(),
		Req: &plugin.Request{Version: version.ThriftgoVersion, Language: "go", OutputPath: to, AST: tree},
	}))
}

func render(page string, s service, name string) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, page, s); err != nil {
		return err
	}
	source, err := format.Source(b.Bytes())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, source, 0o644)
}

// service and method are what the templates show.
type service struct {
	File, Name string
	Own        string   // package of its interface and its own messages
	Package    string   // package below, of its clients
	Imports    []string // packages of messages
	Methods    []method
}

type method struct {
	Name, Comment, Request, Answer string // messages with their package
	May                            []string
	Idempotent                     bool
}

// OwnPath is where its own messages are.
func (s service) OwnPath() string { return gen + "/" + s.Own }

// Local is what a message is called beside the interface.
func (s service) Local(message string) string { return strings.TrimPrefix(message, s.Own+".") }

// describe reads a service.
func describe(file string, tree *parser.Thrift, s *parser.Service) (service, error) {
	out := service{File: filepath.Base(file), Name: s.Name, Own: namespace(tree), Package: strings.ToLower(s.Name)}
	if s.Extends != "" {
		return out, fmt.Errorf("service %s extends another: a process serves both beside each other", s.Name)
	}
	out.Imports = []string{out.OwnPath()}
	for _, f := range s.Functions {
		m, err := methodOf(f)
		if err != nil {
			return out, fmt.Errorf("%s.%s: %w", s.Name, f.Name, err)
		}
		for _, typ := range []*string{&m.Request, &m.Answer} {
			of, message, included := strings.Cut(*typ, ".")
			if !included {
				of, message = out.Own, *typ
			} else if of, err = namespaceOf(tree, of); err != nil {
				return out, fmt.Errorf("%s.%s: %w", s.Name, f.Name, err)
			}
			*typ = of + "." + message
			if !slices.Contains(out.Imports, gen+"/"+of) {
				out.Imports = append(out.Imports, gen+"/"+of)
			}
		}
		out.Methods = append(out.Methods, m)
	}
	slices.Sort(out.Imports)
	return out, nil
}

// methodOf reads a method: one message in, one out, and the annotations may and idempotent.
func methodOf(f *parser.Function) (m method, err error) {
	if f.Oneway || f.Void || len(f.Throws) > 0 || len(f.Arguments) != 1 {
		return m, fmt.Errorf("a method takes one message and answers one")
	}
	m = method{Name: f.Name, Comment: strings.TrimSpace(f.ReservedComments), Request: f.Arguments[0].Type.Name, Answer: f.FunctionType.Name}
	for _, a := range f.Annotations {
		switch value := strings.Join(a.Values, " "); a.Key {
		case "may":
			m.May = strings.Fields(value)
		case "idempotent":
			m.Idempotent = value == "true"
		default:
			return m, fmt.Errorf("annotation %q: there are may and idempotent", a.Key)
		}
	}
	if len(m.May) == 0 {
		return m, fmt.Errorf(`say who may call it: (may = "…")`)
	}
	return m, nil
}

func namespace(tree *parser.Thrift) string {
	for _, n := range tree.Namespaces {
		if n.Language == "go" {
			return n.Name
		}
	}
	return strings.TrimSuffix(filepath.Base(tree.Filename), ".thrift")
}

// namespaceOf is the Go package of an included file.
func namespaceOf(tree *parser.Thrift, file string) (string, error) {
	for _, i := range tree.Includes {
		if strings.TrimSuffix(filepath.Base(i.Path), ".thrift") == file {
			return namespace(i.Reference), nil
		}
	}
	return "", fmt.Errorf("%s is not included", file)
}
