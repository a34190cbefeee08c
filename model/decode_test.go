package model_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
)

// twig has what the product's documents have, and a list of itself.
type twig struct {
	model.Base `bson:",inline"`
	Plain      string
	Number     int            `bson:"number"`
	Rate       int32          `bson:"rate,omitempty"`
	Share      float64        `bson:"share"`
	On         bool           `bson:"on"`
	Secret     string         `bson:"-"`
	Bytes      []byte         `bson:"bytes"`
	Numbers    []int64        `bson:"numbers"`
	Map        map[string]int `bson:"map"`
	At         *time.Time     `bson:"at,omitempty"`
	Twigs      []twig         `bson:"twigs,omitempty"`
	Any        any            `bson:"any"`
	D          bson.D         `bson:"d"`
	Raw        bson.RawValue  `bson:"raw,omitempty"`
	ID2        bson.ObjectID  `bson:"id2"`
}

// fill puts something into every field that can hold it.
func fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(rand.Int64N(1 << 42)).UTC()))
		return
	case bson.RawValue:
		v.Set(reflect.ValueOf(bson.RawValue{Type: bson.TypeBoolean, Value: []byte{1}}))
		return
	case bson.D:
		v.Set(reflect.ValueOf(bson.D{{Key: "x", Value: "y"}}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		texts := []string{"", "党员", fmt.Sprint(rand.Int())}
		if v.Type() == reflect.TypeFor[model.Wage]() { // no other is stored
			texts = []string{"", "1.sealed, as long as a wage is"}
		}
		v.SetString(texts[rand.IntN(len(texts))])
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(rand.Int64N(1<<31) - 1<<30)
	case reflect.Float64:
		v.SetFloat(rand.Float64())
	case reflect.Bool:
		v.SetBool(rand.IntN(2) == 0)
	case reflect.Pointer:
		if rand.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth)
		}
	case reflect.Slice:
		if n := rand.IntN(4); n < 3 && depth < 3 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(v.Index(i), depth+1)
			}
		}
	case reflect.Uint8:
		v.SetUint(rand.Uint64N(256))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("bson") != "-" {
				fill(v.Field(i), depth)
			}
		}
	}
}

func TestDecode(t *testing.T) {
	same := func(t *testing.T, raw bson.Raw, into any) {
		t.Helper()
		a, b := reflect.New(reflect.TypeOf(into)), reflect.New(reflect.TypeOf(into))
		want, got := bson.Unmarshal(raw, a.Interface()), model.Decode(raw, b.Interface())
		if (want == nil) != (got == nil) {
			t.Fatalf("error %v, the driver's %v", got, want)
		}
		if want == nil && !reflect.DeepEqual(a.Interface(), b.Interface()) {
			t.Fatalf("%v\n%+v\nthe driver:\n%+v", raw, b.Elem(), a.Elem())
		}
	}
	t.Run("what is stored is read as the driver reads it", func(t *testing.T) {
		for _, kind := range []any{twig{}, model.Member{}, model.Organization{}, model.Meeting{}, model.DuesOrder{}, model.User{}, model.Unit{}, model.Election{}} {
			for range 50 {
				v := reflect.New(reflect.TypeOf(kind))
				fill(v.Elem(), 0)
				raw, err := bson.Marshal(v.Interface())
				if err != nil {
					t.Fatal(err)
				}
				same(t, raw, kind)
			}
		}
	})
	t.Run("so is what was stored in another form, or cannot be read", func(t *testing.T) {
		odd := []any{nil, "x", int32(7), int64(1) << 40, 7.0, 7.5, true, bson.A{}, bson.A{"a", nil}, bson.A{int32(1)}, bson.D{}, bson.D{{Key: "id", Value: int32(3)}}, bson.NewDateTimeFromTime(time.Now())}
		for _, key := range []string{"_id", "orgs", "version", "createdAt", "deletedAt", "deleted", "pending", "plain", "Plain2", "number", "rate", "twigs", "at", "d", "map"} {
			for _, v := range odd {
				raw, err := bson.Marshal(bson.D{{Key: "other", Value: "1"}, {Key: key, Value: v}, {Key: "name", Value: "n"}})
				if err != nil {
					t.Fatal(err)
				}
				same(t, raw, twig{})
			}
		}
	})
	t.Run("a document that is cut anywhere is refused", func(t *testing.T) {
		raw, err := bson.Marshal(twig{Plain: "x", Numbers: []int64{1}, Twigs: []twig{{Plain: "y"}}})
		if err != nil {
			t.Fatal(err)
		}
		for n := range raw {
			if model.Decode(raw[:n], &twig{}) == nil {
				t.Fatalf("read from %d of %d bytes", n, len(raw))
			}
		}
	})
}

func TestDecodeList(t *testing.T) {
	twigs := make([]twig, 30)
	for i := range twigs {
		fill(reflect.ValueOf(&twigs[i]).Elem(), 0)
	}
	_, raw, err := bson.MarshalValue(twigs)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []twig
	if err := bson.UnmarshalValue(bson.TypeArray, raw, &want); err != nil {
		t.Fatal(err)
	}
	if err := model.DecodeList(raw, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n%+v\nthe driver:\n%+v", err, got, want)
	}
	for n := range raw {
		if err := model.DecodeList(raw[:n], &got); err == nil {
			t.Fatalf("read from %d of %d bytes", n, len(raw))
		}
	}
	_, raw, _ = bson.MarshalValue(bson.A{bson.D{}, "no document"})
	if err := model.DecodeList(raw, &got); err == nil {
		t.Fatal("a text read as a document")
	}
}

func BenchmarkDecode(b *testing.B) {
	raw, err := bson.Marshal(&model.Member{
		Base: model.Base{ID: "06h0j9psdmr5fkh14pv7fk5b", Version: 1, OrgID: "06h0j9pswxsv35hsn91hbn0v", Orgs: []string{"root", "06h0j9psdmr5fkh14pv7fk5b", "06h0j9pswxsv35hsn91hbn0v"}},
		Name: "试员一", Gender: "male", IDNumber: "c2VhbGVkc2VhbGVkc2VhbGVkc2VhbGVkc2VhbGVkc2VhbGVkc2VhbGVk", IDBlind: "YmxpbmRibGluZGJsaW5kYmxp", IDMasked: "990***********0011",
		BirthDate: "1970-01-01", Phone: "c2VhbGVkc2VhbGVkc2VhbGVkc2VhbGVkc2VhbGVk", PhoneMasked: "198****0001", MemberType: "fullMember", JoinedOn: "2000-07-01",
		DuesPaidThrough: "2026-10", Status: "active", OpenID: "oSandbox0000000001",
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("driver", func(b *testing.B) {
		for b.Loop() {
			_ = bson.Unmarshal(raw, &model.Member{})
		}
	})
	b.Run("own", func(b *testing.B) {
		for b.Loop() {
			_ = model.Decode(raw, &model.Member{})
		}
	})
}
