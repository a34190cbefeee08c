package route

import (
	"reflect"
	"strings"
)

// OpenAPI describes the routes as an OpenAPI 3.1 document, made from the same table
// that serves them.
func OpenAPI(title string, routes []Route) map[string]any {
	schemas := map[string]any{}
	for _, r := range routes { // first: what is answered is there whole, what is asked may be left out
		content(r.Handler.resp, answers{schemas})
	}
	paths := map[string]map[string]any{}
	for _, r := range routes {
		path, params := openPath(r.Path)
		op := map[string]any{
			"summary": r.Title, "x-access": string(r.Access),
			"responses": map[string]any{
				"200":     map[string]any{"description": "成功", "content": content(r.Handler.resp, answers{schemas})},
				"default": map[string]any{"description": "失败", "content": map[string]any{"application/json": map[string]any{"schema": errorSchema}}},
			},
		}
		if p := r.Permission(); p != "" {
			op["x-permission"] = p
		}
		if t := r.Handler.req; t != nil && t.NumField() > 0 {
			if r.Method == "GET" {
				params = append(params, queryParams(t, r.Path)...)
			} else {
				op["requestBody"] = map[string]any{"content": content(t, asks{schemas})}
			}
		}
		if len(params) > 0 {
			op["parameters"] = params
		}
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.Method)] = op
	}
	return map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": title, "version": "1"},
		"paths": paths, "components": map[string]any{"schemas": schemas},
	}
}

var errorSchema = map[string]any{
	"type": "object",
	"properties": map[string]any{
		"code": map[string]any{"type": "integer"}, "key": map[string]any{"type": "string"},
		"message": map[string]any{"type": "string"}, "requestId": map[string]any{"type": "string"},
		"fields": map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}},
	},
}

func openPath(path string) (string, []any) {
	var params []any
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[i] = "{" + name + "}"
			params = append(params, map[string]any{"name": name, "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
	}
	return strings.Join(parts, "/"), params
}

func queryParams(t reflect.Type, path string) []any {
	var params []any
	for f := range t.Fields() {
		name := jsonName(f)
		if strings.Contains(path, ":"+name) || f.Type.Kind() == reflect.Map {
			continue
		}
		params = append(params, map[string]any{"name": name, "in": "query", "schema": schemaOf(f.Type, asks{})})
	}
	return params
}

func content(t reflect.Type, in named) map[string]any {
	switch {
	case t == nil, t.Name() == "JSON":
		return map[string]any{"application/json": map[string]any{"schema": map[string]any{}}}
	case t.Name() == "File" && strings.Contains(t.PkgPath(), "/idl/"):
		return map[string]any{"application/octet-stream": map[string]any{"schema": map[string]any{"type": "string", "format": "binary"}}}
	}
	return map[string]any{"application/json": map[string]any{"schema": schemaOf(t, in)}}
}

// named are the structs of the document, by name; must tells whether a field is always there.
type named interface {
	schemas() map[string]any
	must(f reflect.StructField) bool
}

type asks struct{ all map[string]any }

func (a asks) schemas() map[string]any { return a.all }
func (asks) must(f reflect.StructField) bool {
	return strings.Contains(f.Tag.Get("validate"), "required")
}

type answers struct{ all map[string]any }

func (a answers) schemas() map[string]any { return a.all }
func (answers) must(f reflect.StructField) bool {
	return !strings.Contains(f.Tag.Get("json"), ",omitempty")
}

// enumerated is a struct some of whose texts are chosen from a closed list, by their JSON name.
type enumerated interface{ Enums() map[string][]string }

// schemaOf describes a type; structs go to components once.
func schemaOf(t reflect.Type, in named) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), in)
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer", "format": t.Kind().String()}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "format": "byte"}
		}
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), in)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), in)}
	case reflect.Struct:
		name := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:] + "." + t.Name()
		name, _, _ = strings.Cut(name, "[") // of a generic one, its own name
		if _, ok := in.schemas()[name]; !ok {
			properties, required := map[string]any{}, []string{}
			in.schemas()[name] = nil // ends recursion
			object(t, in, properties, &required)
			s := map[string]any{"type": "object", "properties": properties}
			if len(required) > 0 {
				s["required"] = required
			}
			in.schemas()[name] = s
		}
		return map[string]any{"$ref": "#/components/schemas/" + name}
	}
	return map[string]any{}
}

// object describes the fields of a struct; those of one embedded are its own.
func object(t reflect.Type, in named, properties map[string]any, required *[]string) {
	var enums map[string][]string
	if e, ok := reflect.TypeAssert[enumerated](reflect.Zero(t)); ok {
		enums = e.Enums()
	}
	for f := range t.Fields() {
		name := jsonName(f)
		switch {
		case f.Anonymous && name == "":
			object(f.Type, in, properties, required)
			continue
		case !f.IsExported(), name == "-", f.Type.Kind() == reflect.Func:
			continue
		}
		properties[name] = schemaOf(f.Type, in)
		if values := enums[name]; values != nil {
			properties[name].(map[string]any)["enum"] = values
		}
		if in.must(f) {
			*required = append(*required, name)
		}
	}
}
