package docstore

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Documents stay raw BSON everywhere: a stored document is a []byte that is never
// changed after it has been published, so it can be handed to any reader without a copy.

// val is one raw BSON value; the zero val (type 0) stands for a missing field.
type val = bsoncore.Value

// raw is one raw BSON document whose well-formedness was checked when it came in.
type raw = []byte

const (
	tDouble    = bsoncore.TypeDouble
	tString    = bsoncore.TypeString
	tDoc       = bsoncore.TypeEmbeddedDocument
	tArray     = bsoncore.TypeArray
	tBinary    = bsoncore.TypeBinary
	tUndefined = bsoncore.TypeUndefined
	tOID       = bsoncore.TypeObjectID
	tBool      = bsoncore.TypeBoolean
	tDate      = bsoncore.TypeDateTime
	tNull      = bsoncore.TypeNull
	tRegex     = bsoncore.TypeRegex
	tSymbol    = bsoncore.TypeSymbol
	tInt32     = bsoncore.TypeInt32
	tTimestamp = bsoncore.TypeTimestamp
	tInt64     = bsoncore.TypeInt64
	tDecimal   = bsoncore.TypeDecimal128
	tMinKey    = bsoncore.TypeMinKey
	tMaxKey    = bsoncore.TypeMaxKey
)

var (
	emptyDoc  = raw{5, 0, 0, 0, 0}
	vNull     = val{Type: tNull}
	vTrue     = val{Type: tBool, Data: []byte{1}}
	vFalse    = val{Type: tBool, Data: []byte{0}}
	vEmptyArr = val{Type: tArray, Data: emptyDoc}
)

func vStr(s string) val { return val{Type: tString, Data: bsoncore.AppendString(nil, s)} }
func vInt(i int32) val  { return val{Type: tInt32, Data: bsoncore.AppendInt32(nil, i)} }
func vLong(i int64) val { return val{Type: tInt64, Data: bsoncore.AppendInt64(nil, i)} }
func vDbl(f float64) val {
	return val{Type: tDouble, Data: bsoncore.AppendDouble(nil, f)}
}
func vDate(ms int64) val { return val{Type: tDate, Data: bsoncore.AppendDateTime(nil, ms)} }
func vDoc(d raw) val     { return val{Type: tDoc, Data: d} }
func vBool(b bool) val {
	if b {
		return vTrue
	}
	return vFalse
}

// str is the text of a string or symbol value without copying it; other types give "".
func str(v val) string {
	if (v.Type == tString || v.Type == tSymbol) && len(v.Data) >= 5 {
		return string(v.Data[4 : len(v.Data)-1])
	}
	return ""
}

// elem is one field of a document.
type elem struct {
	key string
	val
}

// size is the length of the value of type t that b begins with. Documents were checked when
// they came in, so that walking them, which is what every scan does, need not check again.
func size(t bsoncore.Type, b []byte) int {
	switch t {
	case tDouble, tDate, tTimestamp, tInt64:
		return 8
	case tString, tSymbol, bsoncore.TypeJavaScript:
		return 4 + int(binary.LittleEndian.Uint32(b))
	case tDoc, tArray, bsoncore.TypeCodeWithScope:
		return int(binary.LittleEndian.Uint32(b))
	case tBinary:
		return 5 + int(binary.LittleEndian.Uint32(b))
	case tOID:
		return 12
	case tBool:
		return 1
	case tInt32:
		return 4
	case tDecimal:
		return 16
	case tRegex:
		n := bytes.IndexByte(b, 0) + 1
		return n + bytes.IndexByte(b[n:], 0) + 1
	case bsoncore.TypeDBPointer:
		return 16 + int(binary.LittleEndian.Uint32(b))
	}
	return 0
}

// each calls f for every field until f returns false.
func each(d raw, f func(key []byte, v val) bool) {
	if len(d) < 5 {
		return
	}
	for b := d[4:]; b[0] != 0; {
		t := bsoncore.Type(b[0])
		k := 1 + bytes.IndexByte(b[1:], 0)
		key := b[1:k]
		b = b[k+1:]
		n := size(t, b)
		if !f(key, val{Type: t, Data: b[:n:n]}) {
			return
		}
		b = b[n:]
	}
}

// fields lists the fields of a document, elements of an array included.
func fields(d raw) []elem {
	n := 0
	each(d, func([]byte, val) bool { n++; return true })
	out := make([]elem, 0, n)
	each(d, func(k []byte, v val) bool { out = append(out, elem{string(k), v}); return true })
	return out
}

// get finds a top-level field.
func get(d raw, key string) val {
	if len(d) < 5 {
		return val{}
	}
	for b := d[4:]; b[0] != 0; {
		t := bsoncore.Type(b[0])
		k := 1 + bytes.IndexByte(b[1:], 0)
		hit := string(b[1:k]) == key
		b = b[k+1:]
		n := size(t, b)
		if hit {
			return val{Type: t, Data: b[:n:n]}
		}
		b = b[n:]
	}
	return val{}
}

// sub is a field of a value that may turn out to be no document.
func sub(v val, key string) val {
	if v.Type != tDoc {
		return val{}
	}
	return get(v.Data, key)
}

// subfields are those of a value that may turn out to be no document.
func subfields(v val) []elem {
	if v.Type != tDoc {
		return nil
	}
	return fields(v.Data)
}

// getPath follows a dotted path through documents only, as index keys of a shard do.
func getPath(d raw, path string) val {
	for {
		head, tail, more := strings.Cut(path, ".")
		v := get(d, head)
		if !more || v.Type != tDoc {
			if more {
				return val{}
			}
			return v
		}
		d, path = v.Data, tail
	}
}

// items lists the elements of an array value.
func items(v val) []val {
	if v.Type != tArray {
		return nil
	}
	var out []val
	each(v.Data, func(_ []byte, e val) bool { out = append(out, e); return true })
	return out
}

// builder writes a document or array field by field.
type builder struct{ b []byte }

func newDoc() *builder { return &builder{make([]byte, 4, 128)} }

func (b *builder) add(key string, v val) *builder {
	b.b = append(b.b, byte(v.Type))
	b.b = append(append(b.b, key...), 0)
	b.b = append(b.b, v.Data...)
	return b
}
func (b *builder) str(key, s string) *builder        { return b.add(key, vStr(s)) }
func (b *builder) int(key string, i int) *builder    { return b.add(key, vInt(int32(i))) }
func (b *builder) long(key string, i int64) *builder { return b.add(key, vLong(i)) }
func (b *builder) bool(key string, t bool) *builder  { return b.add(key, vBool(t)) }
func (b *builder) doc(key string, d raw) *builder    { return b.add(key, vDoc(d)) }
func (b *builder) ok() raw                           { return b.add("ok", vDbl(1)).done() }

// open begins a document or array inside, which close ends.
func (b *builder) open(key string, t byte) (at int) {
	b.b = append(append(append(b.b, t), key...), 0)
	b.b = append(b.b, 0, 0, 0, 0)
	return len(b.b) - 4
}

func (b *builder) close(at int) {
	b.b = append(b.b, 0)
	binary.LittleEndian.PutUint32(b.b[at:], uint32(len(b.b)-at))
}

// done closes the document; the builder is not used again.
func (b *builder) done() raw {
	b.b = append(b.b, 0)
	binary.LittleEndian.PutUint32(b.b, uint32(len(b.b)))
	return b.b
}

func array(vs []val) val {
	b := newDoc()
	for i, v := range vs {
		b.add(strconv.Itoa(i), v)
	}
	return val{Type: tArray, Data: b.done()}
}

func docArray(ds []raw) val {
	b := newDoc()
	for i, d := range ds {
		b.add(strconv.Itoa(i), vDoc(d))
	}
	return val{Type: tArray, Data: b.done()}
}

// mustDoc marshals a literal reply; its values are always marshallable.
func mustDoc(v any) raw {
	b, err := bson.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func isNum(v val) bool {
	return v.Type == tInt32 || v.Type == tInt64 || v.Type == tDouble || v.Type == tDecimal
}

// asFloat converts any number; a Decimal128 may lose digits.
func asFloat(v val) float64 {
	switch v.Type {
	case tInt32:
		return float64(v.Int32())
	case tInt64:
		return float64(v.Int64())
	case tDouble:
		return v.Double()
	case tDecimal:
		h, l := v.Decimal128()
		f, _ := strconv.ParseFloat(strings.Replace(bson.NewDecimal128(h, l).String(), "Infinity", "Inf", 1), 64)
		return f
	}
	return 0
}

// asInt converts a number with no fraction that fits; ok is false otherwise.
func asInt(v val) (int64, bool) {
	switch v.Type {
	case tInt32:
		return int64(v.Int32()), true
	case tInt64:
		return v.Int64(), true
	case tDouble, tDecimal:
		f := asFloat(v)
		if f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63 {
			return int64(f), true
		}
	}
	return 0, false
}

// truncated is a number without its fraction, if it fits.
func truncated(v val) (int64, bool) {
	if n, ok := asInt(v); ok {
		return n, true
	}
	f := math.Trunc(asFloat(v))
	return int64(f), isNum(v) && f >= -(1<<63) && f < 1<<63
}

// truthy is what a condition takes for true: all but false, null, missing and zero.
func truthy(v val) bool {
	switch v.Type {
	case 0, tNull, tUndefined:
		return false
	case tBool:
		return v.Data[0] != 0
	case tInt32, tInt64, tDouble, tDecimal:
		return asFloat(v) != 0
	}
	return true
}

// typeNames are the aliases of $type.
var typeNames = map[string]bsoncore.Type{
	"double": 1, "string": 2, "object": 3, "array": 4, "binData": 5, "undefined": 6, "objectId": 7, "bool": 8, "date": 9,
	"null": 10, "regex": 11, "dbPointer": 12, "javascript": 13, "symbol": 14, "javascriptWithScope": 15, "int": 16,
	"timestamp": 17, "long": 18, "decimal": 19, "minKey": 255, "maxKey": 127,
}

func typeName(t bsoncore.Type) string {
	for n, x := range typeNames {
		if x == t {
			return n
		}
	}
	return "missing"
}
