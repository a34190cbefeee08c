package field

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/workbook"
)

func TestFen(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 100, "12.3": 1230, "1,234.56": 123456, "¥8.05": 805, "9元": 900, "￥5000": 500000, "５０００": 500000, "8.5E3": 850000, "1e3": 100000,
		"4200.5500000000002": 420055, "5 000": 500000, "1.2300": 123, "1，234.5": 123450,
		"": -1, "-1": -1, "1.234": -1, "一": -1, ".5": -1, "99999999999999": -1, "1.-5": -1, "1,2": -1, "1e99": -1, "5万": -1, "12,34.5": -1,
	} {
		got, ok := fen(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("fen(%q) = %d, want %d", text, got, want)
		}
	}
	if got := kit.Yuan(-1205); got != "-12.05" {
		t.Error(got)
	}
}

// in2026 is the day of the tests of this file.
var in2026 = time.Date(2026, 11, 22, 20, 0, 0, 0, kit.Shanghai)

// TestCells: what people write into Excel, as it is stored; "" is a Refusal that says what
// is behind the colon.
func TestCells(t *testing.T) {
	text := func(s string) workbook.Cell { return workbook.Cell{Kind: workbook.Text, Text: s} }
	num := func(n float64) workbook.Cell {
		return workbook.Cell{Kind: workbook.Number, Number: n, Text: workbook.Plain(n)}
	}
	dated := func(n float64, day bool) workbook.Cell {
		return workbook.Cell{Kind: workbook.Number, Number: n, Dated: true, Day: day}
	}
	gender := []Option{{Value: "male", Label: "男"}, {Value: "female", Label: "女"}}
	for _, c := range []struct {
		typ     string
		cell    workbook.Cell
		want    any
		refused string
	}{
		{"date", text("2024-07-01"), "2024-07-01", ""}, {"date", text("2024/7/1"), "2024-07-01", ""}, {"date", text("2024.7.1"), "2024-07-01", ""},
		{"date", text("20240701"), "2024-07-01", ""}, {"date", text("2024年7月1日"), "2024-07-01", ""}, {"date", text("2024 年 7 月 1 号"), "2024-07-01", ""},
		{"date", text("２０２４．７．１"), "2024-07-01", ""}, {"date", text("2024-07-01T00:00:00"), "2024-07-01", ""}, {"date", text("2024-06-30T16:00:00Z"), "2024-07-01", ""},
		{"date", text("2024/7/1 0:00"), "2024-07-01", ""}, {"date", num(45474), "2024-07-01", ""}, {"date", num(20240701), "2024-07-01", ""}, {"date", dated(45474, true), "2024-07-01", ""},
		{"date", dated(3000, true), "1908-03-18", ""},
		{"date", text("2024-02-30"), nil, "没有2024-02-30这一天"}, {"date", text("2019"), nil, "应为日期"}, {"date", text("2019.7"), nil, "应为日期"}, {"date", text("2024-07"), nil, "应为日期"},
		{"date", num(2019), nil, "应为日期"}, {"date", num(2019.7), nil, "应为日期"}, {"date", num(201907), nil, "应为日期"}, {"date", dated(45474, false), nil, "应为日期"},
		{"date", text("7/1/2024"), nil, "应为日期"}, {"date", text("24-7-1"), nil, "应为日期"}, {"date", text("soon"), nil, "应为日期"}, {"date", text("2024-07.01"), nil, "应为日期"}, {"date", text("0024-07-01"), nil, "应为日期"},
		{"date", text(""), "", ""},
		{"month", text("2024.07"), "2024-07", ""}, {"month", text("2024.7"), "2024-07", ""}, {"month", text("2024.10"), "2024-10", ""}, {"month", text("2024.1"), "2024-01", ""},
		{"month", text("2024-7"), "2024-07", ""}, {"month", text("202407"), "2024-07", ""}, {"month", text("2024年7月"), "2024-07", ""}, {"month", text("2024年07月份"), "2024-07", ""},
		{"month", text("2024-07-31"), "2024-07", ""}, {"month", num(45474), "2024-07", ""}, {"month", dated(45474, false), "2024-07", ""}, {"month", num(202407), "2024-07", ""}, {"month", num(2024.07), "2024-07", ""},
		{"month", num(2024.1), nil, "可能是1月或10月，请写成2024-01或2024-10"}, {"month", num(2024), nil, "应为年月"}, {"month", text("2024"), nil, "应为年月"}, {"month", text("2024.13"), nil, "应为年月"}, {"month", text("2024-"), nil, "应为年月"},
		{"month", text("1905-07"), nil, "应在1921-07与2027-11之间"}, {"month", text("2027-12"), nil, "应在1921-07与2027-11之间"}, {"month", text("2027-11"), "2027-11", ""}, {"month", text("1921-07"), "1921-07", ""},
		{"money", num(4200.5500000000002), int64(420055), ""}, {"money", text("8.5E3"), int64(850000), ""}, {"money", num(8500), int64(850000), ""}, {"money", num(1.234), nil, "最多两位小数"}, {"money", num(-5), nil, "应为金额"},
		{"int", text("８"), int64(8), ""}, {"int", num(8), int64(8), ""}, {"int", text("-8"), int64(-8), ""}, {"int", num(8.5), nil, "应为整数"}, {"int", text("1,000"), int64(1000), ""},
		{"phone", num(1.3800014440e10), "13800014440", ""}, {"phone", text("1.3800014440E10"), "13800014440", ""}, {"phone", text("13800014440.0"), "13800014440", ""}, {"phone", text("+8613800014446"), "13800014446", ""},
		{"phone", text("138-0001-4446"), "13800014446", ""}, {"phone", text("'+86 13800014446"), "13800014446", ""}, {"phone", text("1.38E+10"), nil, "格式不正确"}, {"phone", text("\u202d13800033493\u202c"), "13800033493", ""},
		{"idNumber", num(990201197003120000), nil, "被存成了数字"}, {"idNumber", num(110101551231003), nil, "被存成了数字"}, {"idNumber", text("110101551231003"), nil, "15位"}, {"idNumber", text("9.90201E+17"), nil, "被存成了数字"},
		{"idNumber", text("９９０２０１１９５００１１９０６３５"), "990201195001190635", ""}, {"idNumber", text("99020119600220145ｘ"), "99020119600220145X", ""},
		{"enum", text("男性"), "male", ""}, {"enum", text(" 女 "), "female", ""}, {"enum", text("火星"), nil, "不在可选范围内，可填：男、女"}, {"enum", text(""), "", ""},
		{"enums", text("男、女"), []string{"female", "male"}, ""}, {"enums", text("男,火星"), nil, "“火星”不在可选范围内"},
		{"bool", workbook.Cell{Kind: workbook.Bool, Text: "TRUE"}, true, ""}, {"bool", text("否"), false, ""}, {"bool", text("也许"), nil, "应为“是”或“否”"},
		{"string", num(45354), "45354", ""}, {"string", workbook.Cell{Kind: workbook.Number, Number: 45354, Dated: true, Day: true, Text: "2024/3/3"}, "2024/3/3", ""}, {"string", text("王　芳"), "王芳", ""},
		{"string", text("=1"), nil, "不能以"}, {"string", text("王\ue863"), nil, "自造字"}, {"string", text("\u200b"), "", ""},
		{"string", workbook.Cell{Kind: workbook.Error, Text: "#N/A"}, nil, "错误值#N/A"}, {"money", workbook.Cell{Kind: workbook.Error, Text: "#REF!"}, nil, "错误值#REF!"},
		{"string", workbook.Cell{Kind: workbook.Number, Formula: true}, nil, "不能为公式"},
		{"datetime", dated(45474.375, true), time.Date(2024, 7, 1, 9, 0, 0, 0, kit.Shanghai), ""}, {"datetime", text("2024/7/1 9:00"), time.Date(2024, 7, 1, 9, 0, 0, 0, kit.Shanghai), ""},
	} {
		f := &Field{Key: "x", Label: "项", Type: c.typ, Max: 1 << 40}
		if c.typ == "int" {
			f.Min = -100
		}
		if strings.HasPrefix(c.typ, "enum") {
			f.Options, f.Max = gender, 0
		}
		got, err := f.FromCell(c.cell, in2026)
		switch {
		case c.refused != "":
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s %+v: %v, %v; want “%s”", c.typ, c.cell, got, err, c.refused)
			}
		case err != nil || !reflect.DeepEqual(got, c.want):
			t.Errorf("%s %+v = %v, %v; want %v", c.typ, c.cell, got, err, c.want)
		}
	}
}

// TestAliases: no word means two options of one field, and a label is never an alias of
// another one.
func TestAliases(t *testing.T) {
	for _, of := range [][]*Field{fieldsFor[model.Member](t), fieldsFor[model.Organization](t), fieldsFor[model.Unit](t)} {
		for _, f := range of {
			seen := map[string]string{}
			for _, o := range f.Options {
				words := append([]string{o.Label}, alias[o.Label]...)
				for _, w := range words {
					if other, ok := seen[optionKey(w)]; ok {
						t.Errorf("%s: “%s” is %s and %s", f.Label, w, other, o.Label)
					}
					seen[optionKey(w)] = o.Label
					if f.Meant(w) != o.Value {
						t.Errorf("%s: “%s” is %q, want %q", f.Label, w, f.Meant(w), o.Value)
					}
				}
			}
		}
	}
	f := &Field{Label: "民族", Type: "enum", Options: []Option{{Value: "汉族", Label: "汉族"}, {Value: "满族", Label: "满族"}}}
	if f.Meant("汉") != "汉族" || f.Meant("族") != "" || f.Meant("") != "" {
		t.Error("汉 is 汉族")
	}
}

func fieldsFor[T any](t *testing.T) []*Field {
	t.Helper()
	f, err := Of(reflect.TypeFor[T](), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

type tagged struct {
	Name  string    `json:"name" bson:"name" record:"label=姓名,required,max=3"`
	Kinds []string  `json:"kinds" bson:"kinds" record:"label=类别,options=a:甲|b:乙"`
	Sum   int64     `json:"sum" bson:"sum" record:"label=金额,type=money,max=1000"`
	At    time.Time `json:"at" bson:"at" record:"label=时间"`
	Plain string    `json:"plain" bson:"plain"`
}

func TestFields(t *testing.T) {
	fields, err := Of(reflect.TypeFor[tagged](), []Field{{Key: "plain", Label: "后加", After: "name", Form: true}, {Key: "ghost", Label: "虚"}}, nil)
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
		{0, `"张三"`, true}, {0, `"  "`, false}, {0, `"一二三四"`, false}, {0, `null`, false}, {0, `5`, false}, {0, `"a\u202eb"`, true}, {0, `"\u200b"`, false}, {0, `"\ue863"`, false},
		{2, `["b","a"]`, true}, {2, `["c"]`, false}, {2, `"a"`, false},
		{3, `1000`, true}, {3, `1001`, false}, {3, `-1`, false}, {3, `1.5`, false}, {3, `""`, true},
		{4, `"2024-07-01 09:00"`, true}, {4, `1719795600000`, true}, {4, `"tomorrow"`, false}, {4, `null`, true},
	} {
		_, err := fields[c.field].FromJSON(json.RawMessage(c.json), now)
		if (err == nil) != c.ok {
			t.Errorf("%s of %s: %v", fields[c.field].Key, c.json, err)
		}
	}
	if _, err := Of(reflect.TypeFor[struct {
		X string `json:"x" record:"label=甲,nonsense"`
	}](), nil, nil); err == nil {
		t.Error("an unknown word of a tag is a mistake")
	}
}

// FuzzCell: a cell is stored or refused, and never as what a form would Refuse or store in
// another way.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"2024-07-01", "2024.1", "=1", "1.5", "￥5000", "8.5E3", "1.38E10", "+8613800014446", "王　芳", "99020119600220145Ｘ", "2024年7月", "\u200b", "汉"} {
		for _, typ := range []string{"string", "text", "date", "month", "datetime", "money", "int", "phone", "idNumber", "bool"} {
			f.Add(s, typ, false)
			f.Add(s, typ, true)
		}
	}
	f.Fuzz(func(t *testing.T, text, typ string, isNumber bool) {
		field := &Field{Key: "x", Label: "项", Type: typ, Max: 100}
		c := workbook.Cell{Kind: workbook.Text, Text: text}
		if n, err := strconv.ParseFloat(text, 64); err == nil && isNumber {
			c.Kind, c.Number = workbook.Number, n
		}
		v, err := field.FromCell(c, in2026)
		if s, ok := v.(string); err == nil && ok {
			b, _ := json.Marshal(s)
			again, err := field.FromJSON(b, in2026)
			if err != nil || again != v {
				t.Errorf("%s %q became %q, of which a form makes %v: %v", typ, text, s, again, err)
			}
		}
	})
}

// FuzzMoment: what is read is what time.Parse reads of the same parts.
func FuzzMoment(f *testing.F) {
	f.Add(2024, 7, 1, "-")
	f.Add(2024, 2, 30, "/")
	f.Add(1900, 12, 31, ".")
	f.Add(2201, 1, 1, "年")
	f.Fuzz(func(t *testing.T, y, m, d int, sep string) {
		if y < 1000 || y > 9999 || m < 0 || m > 99 || d < 0 || d > 99 || !slices.Contains([]string{"-", "/", ".", "年"}, sep) {
			return
		}
		text := fmt.Sprintf("%d%s%d%s%d", y, sep, m, sep, d)
		if sep == "年" {
			text = fmt.Sprintf("%d年%d月%d日", y, m, d)
		}
		got, err := readMoment(text)
		want, no := time.ParseInLocation("2006-1-2", fmt.Sprintf("%d-%d-%d", y, m, d), kit.Shanghai)
		if ok := no == nil && y >= 1900 && y <= 2200; ok != (err == nil) || ok && (!got.at.Equal(want) || got.month) {
			t.Errorf("%s: %v %v, want %v %v", text, got, err, want, no)
		}
	})
}

// FuzzFen: an amount is what exact arithmetic makes of it.
func FuzzFen(f *testing.F) {
	for _, s := range []string{"12.34", "1,234.5", "8.5E3", "4200.5500000000002", "1e-2", "00.10", "999999999999.99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := fen(s)
		want, exact := new(big.Rat).SetString(strings.ReplaceAll(s, ",", ""))
		if !ok || !exact || strings.ContainsAny(s, "_/xXbBoOpP") {
			return
		}
		want.Mul(want, big.NewRat(100, 1))
		diff := new(big.Rat).Sub(want, new(big.Rat).SetInt64(got))
		// Excel keeps fifteen digits; what is beyond them is its error.
		if diff.Abs(diff).Cmp(new(big.Rat).Quo(new(big.Rat).Abs(want), big.NewRat(1e14, 1))) > 0 {
			t.Errorf("fen(%q) = %d, want %s", s, got, want.FloatString(3))
		}
	})
}
