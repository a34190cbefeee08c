package model_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
)

// TestNothingPersonalOpen reads the documents as they are declared: whatever is called a phone,
// an ID number, an address or a wage is personal, a companion of what is, or said to be public.
func TestNothingPersonalOpen(t *testing.T) {
	sounds := regexp.MustCompile(`(?i)phone|idnumber|idcard|address|wage|salary|income|pension|baseamount|账号`)
	companion := regexp.MustCompile(`(Blind|Masked)$`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			body, ok := spec.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, f := range body.Fields.List {
				tag := reflect.StructTag("")
				if f.Tag != nil {
					text, _ := strconv.Unquote(f.Tag.Value) // it was parsed
					tag = reflect.StructTag(text)
				}
				stored, _, _ := strings.Cut(tag.Get("bson"), ",")
				if stored == "" || stored == "-" {
					continue
				}
				for _, name := range f.Names {
					if !sounds.MatchString(name.Name) || companion.MatchString(name.Name) {
						continue
					}
					seen++
					words := strings.Split(tag.Get("record"), ",")
					kind, _ := f.Type.(*ast.Ident)
					if !slices.Contains(words, model.PersonalTag) && !slices.Contains(words, "public") && (kind == nil || kind.Name != "Wage") {
						t.Errorf("PLUS-30 %s.%s is neither personal nor public, and no Wage", spec.Name.Name, name.Name)
					}
				}
			}
			return false
		})
	}
	if seen < 15 {
		t.Errorf("only %d fields found", seen)
	}
}

func TestSealedForOnePlace(t *testing.T) {
	s := modeltest.Sealer(t)
	one := &model.Member{Base: model.Base{ID: "one"}, IDNumber: "11010519491231002X", Phone: "13800138000", Address: "某路"}
	two := &model.Member{Base: model.Base{ID: "two"}, IDNumber: "440524188001010014", Phone: "13900139000"}
	s.Close(one)
	s.Close(two)
	opens := func(m model.Member) bool { return s.Disclose(&m) == nil }
	if !opens(*one) || !opens(*two) {
		t.Fatal("what is where it was sealed does not open")
	}
	moved, turned := *two, *one
	moved.IDNumber = one.IDNumber // somebody with the store's password lets one be shown as the other
	turned.Phone, turned.Address = one.Address, one.Phone
	if opens(moved) || opens(turned) {
		t.Error("a number opens in another record or field")
	}
	order := &model.DuesOrder{Base: model.Base{ID: "o"}, Items: []model.DuesItem{{Month: "2024-01", BaseAmount: model.WageOf(500000)}, {Month: "2024-02"}}}
	s.Close(order)
	sealed := order.Items[0].BaseAmount
	other := model.DuesOrder{Base: model.Base{ID: "p"}, Items: order.Items}
	if s.Disclose(&other) == nil {
		t.Error("an order's item opens in another order")
	}
	if s.Disclose(order) != nil || order.Items[0].BaseAmount.Fen() != 500000 || order.Items[1].BaseAmount.Fen() != 0 || other.Items[0].BaseAmount != sealed {
		t.Errorf("%+v, and the list that both share %+v", order.Items, other.Items)
	}
	s.Close(order)
	again := *order
	s.Close(&again)
	if again.Items[0].BaseAmount != order.Items[0].BaseAmount {
		t.Error("a sealed wage is sealed twice")
	}
	// What an earlier version sealed is bound to no place, and opens.
	old := model.Member{Base: model.Base{ID: "old"}, IDNumber: "dHdlbHZlIGJ5dGVz4attRNLb3UH1e80Dy0ruomasSMXS5OU9NReo2JAqnPbDcA"}
	if err := s.Disclose(&old); err != nil || old.IDNumber != "11010519491231002X" {
		t.Errorf("%q %v", old.IDNumber, err)
	}
	noise := model.Member{Base: model.Base{ID: "old"}, IDNumber: "1." + strings.Repeat("A", 60)}
	if s.Disclose(&noise) == nil {
		t.Error("noise opens")
	}
	defer func() {
		if recover() == nil {
			t.Error("a document without an id is sealed for all of them")
		}
	}()
	s.Close(&model.Member{IDNumber: "11010519491231002X"})
}
