package records

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"zhihuidangjian/rpc/kit"
)

func TestFen(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 100, "12.3": 1230, "1,234.56": 123456, "¥8.05": 805, "9元": 900,
		"": -1, "-1": -1, "1.234": -1, "1e3": -1, "一": -1, ".5": -1, "99999999999999": -1, "1.-5": -1,
	} {
		got, ok := fen(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("fen(%q) = %d, want %d", text, got, want)
		}
	}
	if got := yuan(-1205); got != "-12.05" {
		t.Error(got)
	}
}

func TestCellDate(t *testing.T) {
	for _, c := range []struct{ text, layout, want string }{
		{"2024-07-01", time.DateOnly, "2024-07-01"}, {"2024/7/1", time.DateOnly, "2024-07-01"},
		{"2024.7.1", time.DateOnly, "2024-07-01"}, {"20240701", time.DateOnly, "2024-07-01"},
		{"2024年7月1日", time.DateOnly, "2024-07-01"}, {"45474", time.DateOnly, "2024-07-01"},
		{"2024-07", time.DateOnly, "2024-07"}, // a month is no date: refused later
		{"2024-07", "2006-01", "2024-07"}, {"202407", "2006-01", "2024-07"}, {"2024年7月", "2006-01", "2024-07"},
		{"2024-07-31", "2006-01", "2024-07"}, {"45474", "2006-01", "2024-07"},
		{"2024/7/1 9:00", "2006-01-02 15:04", "2024-07-01 09:00"}, {"2024-07-01 09:00", "2006-01-02 15:04", "2024-07-01 09:00"},
		{"soon", time.DateOnly, "soon"}, {"", time.DateOnly, ""},
	} {
		if got := cellDate(c.text, c.layout); got != c.want {
			t.Errorf("cellDate(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+86": "'+86", "-": "'-", "@x": "'@x", "张三": "张三", "": ""} {
		if got := Harmless(in); got != want {
			t.Errorf("Harmless(%q) = %q", in, got)
		}
	}
}

func TestHeader(t *testing.T) {
	cols := []*Field{{Key: "a", Label: "甲"}, {Key: "b", Label: "乙"}}
	at, note, err := header([]string{"\ufeff乙 ", "丙", "甲", reasonColumn}, cols)
	if err != nil || at[0] != 2 || at[1] != 0 || note != "已忽略模板以外的列：丙" {
		t.Errorf("%v %q %v", at, note, err)
	}
	var r refusal
	if _, _, err := header([]string{"甲"}, cols); !errors.As(err, &r) {
		t.Errorf("a missing column: %v", err)
	}
}

type tagged struct {
	Name  string    `json:"name" bson:"name" record:"label=姓名,required,max=3"`
	Kinds []string  `json:"kinds" bson:"kinds" record:"label=类别,options=a:甲|b:乙"`
	Sum   int64     `json:"sum" bson:"sum" record:"label=金额,type=money,max=1000"`
	At    time.Time `json:"at" bson:"at" record:"label=时间"`
	Plain string    `json:"plain" bson:"plain"`
}

func TestFields(t *testing.T) {
	fields, err := fieldsOf(reflect.TypeFor[tagged](), []Field{{Key: "plain", Label: "后加", After: "name", Form: true}, {Key: "ghost", Label: "虚"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, f.Key+":"+f.Type)
	}
	if want := []string{"name:string", "plain:string", "kinds:enums", "sum:money", "at:datetime", "ghost:string"}; len(got) != len(want) {
		t.Errorf("%v", got)
	} else {
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("field %d is %s, want %s", i, got[i], want[i])
			}
		}
	}
	if !fields[5].Virtual || fields[1].Virtual {
		t.Error("only the field without a place in the struct is virtual")
	}
	now := time.Now()
	for _, c := range []struct {
		field int
		json  string
		ok    bool
	}{
		{0, `"张三"`, true}, {0, `"  "`, false}, {0, `"一二三四"`, false}, {0, `null`, false}, {0, `5`, false}, {0, `"a\u202eb"`, false},
		{2, `["b","a"]`, true}, {2, `["c"]`, false}, {2, `"a"`, false},
		{3, `1000`, true}, {3, `1001`, false}, {3, `-1`, false}, {3, `1.5`, false}, {3, `""`, true},
		{4, `"2024-07-01 09:00"`, true}, {4, `1719795600000`, true}, {4, `"tomorrow"`, false}, {4, `null`, true},
	} {
		_, err := fields[c.field].fromJSON(json.RawMessage(c.json), now)
		if (err == nil) != c.ok {
			t.Errorf("%s of %s: %v", fields[c.field].Key, c.json, err)
		}
	}
	if _, err := fieldsOf(reflect.TypeFor[struct {
		X string `json:"x" record:"label=甲,nonsense"`
	}](), nil, nil); err == nil {
		t.Error("an unknown word of a tag is a mistake")
	}
}

func TestFilterRanges(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 0, kit.Shanghai)
	f := &Field{Key: "paidAt", bson: "paidAt", Type: "datetime", Label: "时间"}
	e, err := f.filter("today,today", now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2026-11-22T00:00:00", "2026-11-23T00:00:00"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
	if _, err := f.filter("yesterday", now); err == nil {
		t.Error("not a date")
	}
	if _, err := f.filter(",", now); err == nil {
		t.Error("no bound at all")
	}
}

// FuzzUpload: whatever comes, an upload is read or refused with a reason.
func FuzzUpload(f *testing.F) {
	var whole bytes.Buffer
	z := zip.NewWriter(&whole)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write([]byte(`<worksheet><sheetData><row r="1"><c r="A1"><f>1</f></c></row></sheetData></worksheet>`)); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte("PK\x03\x04"))
	cols := []*Field{{Key: "a", Label: "甲"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, err := readUpload(data, cols)
		var r refusal
		if err != nil && !errors.As(err, &r) {
			t.Errorf("not a reason to tell: %v", err)
		}
	})
}

// FuzzCell: a cell is stored or refused, and never as what a form would refuse.
func FuzzCell(f *testing.F) {
	f.Add("2024-07-01", "date")
	f.Add("=1", "string")
	f.Add("1.5", "money")
	f.Fuzz(func(t *testing.T, text, typ string) {
		field := &Field{Key: "x", Label: "项", Type: typ, Max: 100}
		v, err := field.fromCell(text, time.Now())
		if s, ok := v.(string); err == nil && ok {
			b, _ := json.Marshal(s)
			if _, err := field.fromJSON(b, time.Now()); err != nil {
				t.Errorf("%s %q became %q, which a form refuses: %v", typ, text, s, err)
			}
		}
	})
}
