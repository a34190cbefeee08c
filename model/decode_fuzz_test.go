package model_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
)

// kinds are all types of documents, by name.
var kinds = func() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for _, doc := range []model.Document{
		&model.AbroadRecord{}, &model.AuditEntry{}, &model.Category{}, &model.CheckIn{}, &model.Consent{}, &model.DevelopmentCase{},
		&model.DuesBase{}, &model.DuesKey{}, &model.DuesExtra{}, &model.DuesPolicy{}, &model.DuesLine{}, &model.DuesMonth{}, &model.DuesNotice{}, &model.DuesOrder{},
		&model.DuesReconcile{}, &model.DuesRefund{}, &model.DuesArrears{}, &model.DuesBaseApplication{}, &model.DevelopmentMaterial{}, &model.ThoughtReport{}, &model.DuesReduction{}, &model.TransferIn{}, &model.TransferOut{}, &model.Certificate{}, &model.Election{}, &model.Guest{}, &model.Hardship{}, &model.LeadershipMember{}, &model.Delegation{}, &model.LostContact{}, &model.Question{}, &model.Article{}, &model.Exam{}, &model.ExamPaper{}, &model.StudyTask{}, &model.StudyRecord{},
		&model.Letter{}, &model.Meeting{}, &model.Member{}, &model.MemberContact{}, &model.MemberInflow{}, &model.MemberOutflow{},
		&model.MemberReduction{}, &model.MemberShowcase{}, &model.NotebookEntry{}, &model.Notification{}, &model.Organization{},
		&model.OrganizationEvaluation{}, &model.OrganizationTransfer{}, &model.PointsDay{}, &model.PointsEntry{}, &model.PointsRule{},
		&model.ProfileChange{}, &model.Retirement{}, &model.Reward{}, &model.Role{}, &model.Sanction{}, &model.Specialty{},
		&model.Unit{}, &model.User{}, &twig{},
	} {
		t := reflect.TypeOf(doc).Elem()
		all[t.Name()] = t
	}
	return all
}()

// TestKinds holds kinds to be all of them: every struct of the package that carries a Base.
func TestKinds(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if body, ok := s.Type.(*ast.StructType); ok && slices.ContainsFunc(body.Fields.List, func(f *ast.Field) bool {
				of, ok := f.Type.(*ast.Ident)
				return ok && len(f.Names) == 0 && of.Name == "Base"
			}) {
				found++
				if kinds[s.Name.Name] == nil {
					t.Errorf("%s is no kind: it is not compared with the driver", s.Name.Name)
				}
			}
			return true
		})
	}
	if found != len(kinds)-1 { // twig is ours
		t.Errorf("%d documents, %d kinds", found, len(kinds))
	}
}

// alike fails when Decode reads raw otherwise than the driver does, or only one of them
// reads it. Malformed bytes it may refuse that the driver takes.
func alike(t *testing.T, raw bson.Raw, kind reflect.Type) {
	t.Helper()
	before := bytes.Clone(raw)
	a, b := reflect.New(kind), reflect.New(kind)
	want, got := bson.Unmarshal(raw, a.Interface()), model.Decode(raw, b.Interface())
	if got != nil && want == nil && !wellFormed(raw) {
		return
	}
	if (want == nil) != (got == nil) {
		t.Fatalf("%s of %v: error %v, the driver's %v", kind.Name(), raw, got, want)
	}
	if want == nil && !equal(a.Interface(), b.Interface()) {
		for i := range kind.NumField() {
			if !equal(a.Elem().Field(i).Interface(), b.Elem().Field(i).Interface()) {
				t.Errorf("%s.%s is %+v, the driver's %+v", kind.Name(), kind.Field(i).Name, b.Elem().Field(i), a.Elem().Field(i))
			}
		}
		t.Fatalf("of %v", raw)
	}
	if !bytes.Equal(raw, before) {
		t.Fatalf("%s: the bytes were written to", kind.Name())
	}
	// A list is read by another way in.
	_, list, err := bson.MarshalValue(bson.A{raw, raw})
	if err != nil || got != nil {
		return
	}
	all := reflect.New(reflect.SliceOf(kind))
	if err := model.DecodeList(list, all.Interface()); err != nil {
		t.Fatalf("%s in a list: %v", kind.Name(), err)
	}
	for i := range 2 {
		if l, ok := reflect.TypeAssert[model.Loader](b); ok && i == 0 {
			l.Loaded()
		}
		if one := all.Elem().Index(i).Addr().Interface(); !equal(one, b.Interface()) {
			t.Fatalf("%s at %d of a list:\n%+v\nalone:\n%+v", kind.Name(), i, one, b.Interface())
		}
	}
}

// wellFormed tells that the driver would write the bytes as they are.
func wellFormed(raw bson.Raw) bool {
	var d bson.D
	if bson.Unmarshal(raw, &d) != nil {
		return false
	}
	again, err := bson.Marshal(d)
	return err == nil && bytes.Equal(again, raw)
}

// equal compares documents; a number that is none is equal to itself.
func equal(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	_, x, err := bson.MarshalValue(a)
	_, y, err2 := bson.MarshalValue(b)
	return err == nil && err2 == nil && bytes.Contains(x, nan) && bytes.Equal(x, y)
}

var nan = []byte{0xf8, 0x7f}

// seeds hands on documents of every kind: real ones of a demo, by their kind, in
// testdata/documents.jsonl, one a line; and an invented one that fills every field.
func seeds(tb testing.TB, use func(kind string, raw bson.Raw)) {
	tb.Helper()
	text, err := os.ReadFile("testdata/documents.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var real struct {
			Kind     string
			Document bson.Raw
		}
		if err := bson.UnmarshalExtJSON(line, true, &real); err != nil {
			tb.Fatal(err)
		}
		if kinds[real.Kind] == nil {
			tb.Fatalf("no kind %q", real.Kind)
		}
		use(real.Kind, real.Document)
	}
	for name, kind := range kinds {
		v := reflect.New(kind)
		fill(v.Elem(), 0)
		raw, err := bson.Marshal(v.Interface())
		if err != nil {
			tb.Fatal(err)
		}
		use(name, raw)
	}
}

// FuzzDecode compares with the driver what any bytes are read as.
func FuzzDecode(f *testing.F) {
	names := slices.Sorted(maps.Keys(kinds))
	seeds(f, func(kind string, raw bson.Raw) { f.Add(uint8(slices.Index(names, kind)), []byte(raw)) })
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) { alike(t, raw, kinds[names[int(kind)%len(names)]]) })
}

// FuzzDecodeForms compares what well-formed documents are read as, in whatever form their
// fields are: the bytes choose what is done to a document of a kind. Bytes that are changed
// at random seldom are a document at all.
func FuzzDecodeForms(f *testing.F) {
	var docs []bson.D
	var of []reflect.Type
	seeds(f, func(kind string, raw bson.Raw) {
		var doc bson.D
		if err := bson.Unmarshal(raw, &doc); err != nil {
			f.Fatal(err)
		}
		docs, of = append(docs, doc), append(of, kinds[kind])
	})
	for i := range docs {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte("\x03\x01\x05\x07\x82\x0b\x0c\x44\x01"))
	}
	f.Fuzz(func(t *testing.T, at uint8, choices []byte) {
		i := int(at) % len(docs)
		choices = choices[:min(len(choices), 120)] // each may make it deeper
		raw, err := bson.Marshal(edit(docs[i], &choices))
		if err != nil { // a key twice in what the driver keeps as a map, or so
			return
		}
		alike(t, raw, of[i])
	})
}

// edit does to a copy of a document what choices say, three bytes a change, and takes them.
func edit(doc bson.D, choices *[]byte) bson.D {
	doc = slices.Clone(doc)
	for len(*choices) >= 3 && len(doc) < 100 {
		field, what, value := (*choices)[0], (*choices)[1], odd[int((*choices)[2])%len(odd)]
		*choices = (*choices)[3:]
		if len(doc) == 0 {
			doc = bson.D{{Key: "_id", Value: value}}
			continue
		}
		e := &doc[int(field)%len(doc)]
		switch what % 9 {
		case 0:
			e.Value = value
		case 1:
			e.Value = bson.A{e.Value, value}
		case 2:
			e.Value = bson.D{{Key: e.Key, Value: e.Value}}
		case 3: // changes within
			switch in := e.Value.(type) {
			case bson.D:
				e.Value = edit(in, choices)
				return doc
			case bson.A:
				if len(in) > 0 {
					in = slices.Clone(in)
					if d, ok := in[0].(bson.D); ok {
						in[0] = edit(d, choices)
					} else {
						in[0] = value
					}
					e.Value = in
				}
			}
		case 4:
			doc = append(doc, *e) // twice
		case 5:
			doc = slices.Delete(doc, int(field)%len(doc), int(field)%len(doc)+1)
		case 6:
			e.Key = strings.ToUpper(e.Key)
		case 7:
			j := len(fmt.Sprint(value)) % len(doc)
			*e, doc[j] = doc[j], *e
		case 8:
			doc = append(doc, bson.E{Key: e.Key, Value: value})
		}
	}
	return doc
}

// odd are values of every type.
var odd = []any{
	nil, "", "x", int32(7), int32(-1), int64(7), int64(1) << 40, 7.0, 7.5, true, false, bson.A{}, bson.A{nil}, bson.A{"a", nil, "b"}, bson.A{int32(1), "a"},
	bson.A{bson.D{}}, bson.A{bson.D{{Key: "id", Value: int32(3)}}}, bson.D{}, bson.D{{Key: "0", Value: "x"}}, bson.D{{Key: "a", Value: int32(3)}},
	bson.DateTime(1 << 40), bson.Binary{Data: []byte("x")}, bson.Binary{Subtype: 2, Data: []byte("x")}, bson.ObjectID{1}, bson.Symbol("s"), bson.Undefined{},
	bson.Regex{Pattern: "a"}, bson.Timestamp{T: 1}, bson.MinKey{}, bson.NewDecimal128(0, 7), bson.JavaScript("x"),
}

// TestForms tries, for every field of every kind, values of every type in its place.
func TestForms(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			v := reflect.New(kind)
			fill(v.Elem(), 0)
			whole, err := bson.Marshal(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			var fields bson.D
			if err := bson.Unmarshal(whole, &fields); err != nil {
				t.Fatal(err)
			}
			for i := range fields {
				for _, value := range odd {
					doc := slices.Clone(fields)
					doc[i].Value = value
					raw, err := bson.Marshal(doc)
					if err != nil {
						t.Fatal(err)
					}
					alike(t, raw, kind)
					// The same field twice, out of order.
					if raw, err = bson.Marshal(append(doc, fields[i], bson.E{Key: fields[i].Key, Value: value})); err != nil {
						t.Fatal(err)
					}
					alike(t, raw, kind)
				}
			}
		})
	}
}

// TestFound is what comparing with the driver found.
func TestFound(t *testing.T) {
	bytesOf := func(d bson.D) []byte {
		raw, err := bson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	t.Run("a name in capitals, and undefined in a field that may be missing", func(t *testing.T) {
		alike(t, bytesOf(bson.D{{Key: "NAME", Value: "x"}}), kinds["Category"])
		alike(t, bytesOf(bson.D{{Key: "deletedAt", Value: bson.Undefined{}}}), kinds["Category"])
		alike(t, bytesOf(bson.D{{Key: "deletedAt", Value: bson.DateTime(1)}, {Key: "deletedAt", Value: nil}}), kinds["Category"])
	})
	t.Run("a truth that is neither, a list and a document without an end are refused", func(t *testing.T) {
		neither := bytesOf(bson.D{{Key: "deleted", Value: true}})
		neither[len(neither)-2] = 2
		list := bytesOf(bson.D{{Key: "orgs", Value: bson.A{"x"}}})
		list[len(list)-2] = 2
		whole := bytesOf(bson.D{{Key: "name", Value: "x"}})
		whole[len(whole)-1] = 2
		for _, raw := range [][]byte{neither, list, whole} {
			alike(t, raw, kinds["Category"])
			if model.Decode(raw, &model.Category{}) == nil {
				t.Errorf("read from %x", raw)
			}
		}
	})
}
