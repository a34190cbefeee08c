package records

import (
	"context"
	"slices"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Schema is what the clients build the pages of a type from.
type Schema struct {
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Fields      []*Field        `json:"fields"`
	Permissions map[string]bool `json:"permissions"`
	Actions     []Offer         `json:"actions"`
	Importable  bool            `json:"importable"`
	Exportable  bool            `json:"exportable"`
	DefaultSort string          `json:"defaultSort"`
	Related     []Related       `json:"related,omitempty"`
}

// Offer is an action as a page sees it.
type Offer struct {
	Action[model.Document]
	Many bool `json:"many,omitempty"` // for ticked rows too
	File bool `json:"file,omitempty"` // its answer is a file
}

func (t *recordType) schema(ctx context.Context) (any, error) {
	if err := t.can(ctx, "view"); err != nil {
		return nil, err
	}
	c := kit.CallerOf(ctx)
	writes := !t.topOnly() || c.TopLevel || c.Kind == kit.Member
	may := func(verb string) bool { return t.can(ctx, verb) == nil }
	s := Schema{
		Type: t.Name, Title: t.Title, Fields: []*Field{},
		Importable: len(t.Columns) > 0, Exportable: !t.NoExport, DefaultSort: "-createdAt", Related: t.Related,
		Permissions: map[string]bool{
			"view":   true,
			"create": !never(c, t.NoCreate) && writes && may("create"),
			"update": !never(c, t.NoUpdate) && writes && may("update"),
			"delete": !never(c, t.NoDelete) && writes && may("delete"),
			"import": len(t.Columns) > 0 && writes && may("import"),
			"export": !t.NoExport && may("export"),
			"reveal": t.reveals() && t.mayReveal(ctx) == nil,
		},
	}
	if t.DefaultSort != "" {
		s.DefaultSort = t.DefaultSort
	}
	if c.Kind == kit.Member {
		s.Fields = t.ownFields()
	} else {
		for _, f := range t.fields {
			if f.Blind != "" && f.Search && !may("lookup") {
				plain := *f
				plain.Search = false
				f = &plain
			}
			if f.List || f.Form || f.Search || f.Below {
				s.Fields = append(s.Fields, f)
			}
		}
	}
	actions := []Offer{}
	for _, a := range t.Actions {
		ok := t.mayAct(c, a)
		s.Permissions[a.Key] = ok
		if ok {
			actions = append(actions, Offer{a, t.many(&a), a.Print != nil})
		}
	}
	s.Actions = actions
	return s, nil
}

// info is the type as menus and roles see it.
func (t *recordType) info() *gen.TypeInfo {
	out := &gen.TypeInfo{Type: t.Name, Title: t.Title, Menu: t.Menu, Own: t.Own != nil, Collection: t.Collection.Mongo().Name()}
	out.Icon, out.Section, out.Tab = t.Icon, t.Section, t.Tab
	if t.Own != nil {
		out.Place = t.Own.Place
	}
	if t.Quiet {
		out.Collection = ""
	}
	add := func(ok bool, verb, label string) {
		if ok {
			out.Permissions = append(out.Permissions, &gen.Permission{Key: t.Name + "." + verb, Label: label})
		}
	}
	add(true, "view", "查看")
	add(!t.NoCreate, "create", "添加")
	add(!t.NoUpdate, "update", "修改")
	add(!t.NoDelete, "delete", "删除")
	add(len(t.Columns) > 0, "import", "导入")
	add(!t.NoExport, "export", "导出")
	add(t.reveals(), "reveal", "查看完整信息")
	add(t.looksUp(), "lookup", "按证件号或手机号查找")
	if x := t.Todo; x != nil {
		a := t.action(x.Verb)
		out.Todo = &gen.Todo{Title: x.Title, Filter: x.Filter, Value: x.Value, Permission: t.permission(*a)}
	}
	out.Verbs = map[string]string{}
	for _, a := range t.Actions {
		out.Verbs[a.Key] = a.Title
		if a.Phone {
			continue
		}
		key := t.permission(a)
		if !slices.ContainsFunc(out.Permissions, func(p *gen.Permission) bool { return p.Key == key }) {
			out.Permissions = append(out.Permissions, &gen.Permission{Key: key, Label: a.Title})
		}
	}
	return out
}
