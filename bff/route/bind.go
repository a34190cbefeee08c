package route

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/bytedance/sonic"
	"github.com/cloudwego/hertz/pkg/app"
	"github.com/go-playground/validator/v10"

	"zhihuidangjian/rpc/kit"
)

var validate = newValidator()

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(jsonName)
	return v
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// field is a request field that path or query may fill.
type field struct {
	name  string
	index int
	kind  reflect.Kind
}

// binderOf prepares what binding a request type needs, once. A field named json takes
// the raw body; filters takes query parameters that begin with "f.".
func binderOf(t reflect.Type) func(*app.RequestContext, any) error {
	var fields []field
	raw, filters := -1, -1
	for i := range t.NumField() {
		f := t.Field(i)
		switch name := jsonName(f); {
		case name == "json" && f.Type.Kind() == reflect.Slice:
			raw = i
		case name == "filters" && f.Type.Kind() == reflect.Map:
			filters = i
		default:
			kind := f.Type.Kind()
			if kind == reflect.Slice && f.Type.Elem().Kind() != reflect.String {
				continue
			}
			fields = append(fields, field{name, i, kind})
		}
	}
	return func(c *app.RequestContext, req any) error {
		v := reflect.ValueOf(req).Elem()
		if body := c.Request.Body(); len(body) > 0 {
			if raw >= 0 {
				v.Field(raw).SetBytes(bytes.Clone(body)) // Hertz uses the buffer again
				bindVersion(v, body)
			} else if err := sonic.ConfigStd.Unmarshal(body, req); err != nil {
				return kit.Invalid("json", "提交的内容格式不正确").Because(err)
			}
		}
		for _, f := range fields {
			text, ok := c.Params.Get(f.name)
			if !ok {
				if text, ok = c.GetQuery(f.name); !ok {
					continue
				}
			}
			if err := set(v.Field(f.index), f.kind, strings.Clone(text)); err != nil {
				return kit.InvalidFields(map[string]string{f.name: "格式不正确"}).Because(err)
			}
		}
		if filters >= 0 {
			m := map[string]string{}
			c.QueryArgs().VisitAll(func(key, value []byte) {
				if name, ok := strings.CutPrefix(string(key), "f."); ok && len(value) > 0 {
					m[name] = string(value)
				}
			})
			v.Field(filters).Set(reflect.ValueOf(m))
		}
		return check(req, v.Type())
	}
}

// bindVersion takes the version that a saved document carries.
func bindVersion(v reflect.Value, body []byte) {
	f := v.FieldByName("Version")
	if !f.IsValid() {
		return
	}
	if n, err := sonic.Get(body, "version"); err == nil {
		if i, err := n.Int64(); err == nil {
			f.SetInt(i)
		}
	}
}

func set(v reflect.Value, kind reflect.Kind, text string) error {
	switch kind {
	case reflect.String:
		v.SetString(text)
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case reflect.Slice:
		if text != "" {
			v.Set(reflect.ValueOf(strings.Split(text, ",")))
		}
	}
	return nil
}

// check validates by the tags that the IDL gives, and says in Chinese what is wrong,
// all fields at once.
func check(req any, t reflect.Type) error {
	err := validate.Struct(req)
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return kit.ErrInvalid.Because(err)
	}
	fields := make(map[string]string, len(wrong))
	for _, w := range wrong {
		f, _ := t.FieldByName(w.StructField())
		label := f.Tag.Get("label")
		if label == "" {
			label = w.Field()
		}
		fields[w.Field()] = say(w, label)
	}
	return kit.InvalidFields(fields)
}

func say(w validator.FieldError, label string) string {
	switch w.Tag() {
	case "required":
		return "请填写" + label
	case "len":
		return fmt.Sprintf("%s应为 %s 位", label, w.Param())
	case "max", "lte":
		return fmt.Sprintf("%s超过上限 %s", label, w.Param())
	case "min", "gte":
		return fmt.Sprintf("%s低于下限 %s", label, w.Param())
	}
	return label + "格式不正确"
}
