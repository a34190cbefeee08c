package docstore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/big"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// A key is the order-preserving byte form of a BSON value: bytes.Compare of two keys is
// MongoDB's comparison of the two values, and equal values (int32 1, double 1.0) have
// equal keys. No key is a prefix of another, so keys can be joined to a compound key and
// each part inverted for a descending field.

// rank is the place of a type in MongoDB's comparison order; types of one rank compare
// with one another. No rank is zero, which ends documents and arrays inside a key.
func rank(t bsoncore.Type) byte {
	switch t {
	case tMinKey:
		return 1
	case tUndefined:
		return 4
	case 0, tNull:
		return 5
	case tDouble, tInt32, tInt64, tDecimal:
		return 10
	case tString, tSymbol:
		return 15
	case tDoc:
		return 20
	case tArray:
		return 25
	case tBinary:
		return 30
	case tOID:
		return 35
	case tBool:
		return 40
	case tDate:
		return 45
	case tTimestamp:
		return 47
	case tRegex:
		return 50
	case bsoncore.TypeDBPointer:
		return 55
	case bsoncore.TypeJavaScript:
		return 60
	case bsoncore.TypeCodeWithScope:
		return 65
	}
	return 127
}

// appendKey appends the key of v to b.
func appendKey(b []byte, v val) []byte { return appendKeyBody(append(b, rank(v.Type)), v) }

func appendKeyBody(b []byte, v val) []byte {
	switch v.Type {
	case tInt32:
		return append(binary.BigEndian.AppendUint64(b, orderedFloat(float64(v.Int32()))), 0)
	case tDouble:
		return append(binary.BigEndian.AppendUint64(b, orderedFloat(v.Double())), 0)
	case tInt64:
		i := v.Int64()
		if i > -1<<53 && i < 1<<53 {
			return append(binary.BigEndian.AppendUint64(b, orderedFloat(float64(i))), 0)
		}
		return appendBigNumber(b, new(big.Rat).SetInt64(i))
	case tDecimal:
		h, l := v.Decimal128()
		d := bson.NewDecimal128(h, l)
		if d.IsNaN() || d.IsInf() != 0 {
			return append(binary.BigEndian.AppendUint64(b, orderedFloat(asFloat(v))), 0)
		}
		return appendBigNumber(b, decimalRat(d))
	case tString, tSymbol:
		return appendText(b, v.Data[4:len(v.Data)-1])
	case tDoc, tArray:
		each(v.Data, func(k []byte, e val) bool {
			b = append(b, rank(e.Type))
			if v.Type == tDoc {
				b = appendText(b, k)
			}
			b = appendKeyBody(b, e)
			return true
		})
		return append(b, 0)
	case tBinary:
		sub, data := v.Binary()
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(data))), sub)
		return append(b, data...)
	case tOID, tBool:
		return append(b, v.Data...)
	case tDate:
		return binary.BigEndian.AppendUint64(b, uint64(v.DateTime())^1<<63)
	case tTimestamp:
		return binary.BigEndian.AppendUint64(b, binary.LittleEndian.Uint64(v.Data))
	case 0, tNull, tUndefined, tMinKey, tMaxKey:
		return b
	}
	return appendText(b, v.Data) // regex, pointer, code: compared as their bytes
}

// appendText writes s so that it ends: a zero byte becomes 00 FF, the end is 00 00.
func appendText(b, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, 0)
		if i < 0 {
			return append(append(b, s...), 0, 0)
		}
		b = append(append(b, s[:i]...), 0, 0xFF)
		s = s[i+1:]
	}
}

// orderedFloat maps doubles to integers of the same order: NaN first, -0 equal to 0.
func orderedFloat(f float64) uint64 {
	if f != f {
		return 0
	}
	if f == 0 {
		f = 0
	}
	u := math.Float64bits(f)
	if f == 0 {
		u = 0
	}
	if u>>63 != 0 {
		return ^u
	}
	return u | 1<<63
}

// appendBigNumber writes a number that a double may not hold: the next double below it,
// then either 0 (it is that double) or 1 and the exact distance in decimal digits, which
// order as text. The distance is a fraction of at most 2^11 (int64) or has a finite
// decimal expansion (decimal128), so it can be written exactly.
func appendBigNumber(b []byte, r *big.Rat) []byte {
	f, exact := r.Float64()
	base := new(big.Rat)
	if math.IsInf(f, 1) {
		f = math.MaxFloat64
	} else if math.IsInf(f, -1) { // below every double: measured from below every decimal
		base.SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(7000), nil)).Neg(base)
	} else if !exact && new(big.Rat).SetFloat64(f).Cmp(r) > 0 {
		f = math.Nextafter(f, math.Inf(-1))
	}
	b = binary.BigEndian.AppendUint64(b, orderedFloat(f))
	if exact {
		return append(b, 0)
	}
	// Numbers beyond the range of a double are far apart: their digit count orders them.
	if !math.IsInf(f, 0) {
		base.SetFloat64(f)
	}
	d := new(big.Rat).Sub(r, base)
	whole := new(big.Int).Quo(d.Num(), d.Denom())
	n := whole.String()
	b = append(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(n)))
	b = append(b, n...)
	frac := d.Sub(d, new(big.Rat).SetInt(whole))
	if frac.Sign() != 0 {
		k, _ := frac.FloatPrec()
		s := frac.FloatString(k)
		b = append(b, s[2:]...)
	}
	return append(b, 0)
}

// decimalRat is the exact value of a finite Decimal128.
func decimalRat(d bson.Decimal128) *big.Rat {
	i, exp, err := d.BigInt()
	if err != nil {
		return new(big.Rat)
	}
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil)
	if exp < 0 {
		return new(big.Rat).SetFrac(i, p)
	}
	return new(big.Rat).SetInt(i.Mul(i, p))
}

// compare orders two values as MongoDB sorts them; a missing value is null.
func compare(a, b val) int {
	if a.Type == b.Type {
		switch a.Type {
		case tString:
			return bytes.Compare(a.Data[4:len(a.Data)-1], b.Data[4:len(b.Data)-1])
		case tInt32:
			return cmp.Compare(a.Int32(), b.Int32())
		case tInt64:
			return cmp.Compare(a.Int64(), b.Int64())
		case tDate:
			return cmp.Compare(a.DateTime(), b.DateTime())
		case tDouble:
			return cmp.Compare(a.Double(), b.Double())
		case tOID, tBool:
			return bytes.Compare(a.Data, b.Data)
		}
	}
	if c := cmp.Compare(rank(a.Type), rank(b.Type)); c != 0 {
		return c
	}
	var x, y [64]byte
	return bytes.Compare(appendKeyBody(x[:0], a), appendKeyBody(y[:0], b))
}

// successor is the least byte string above every string that begins with p.
func successor(p []byte) []byte {
	q := bytes.Clone(p)
	for i := len(q) - 1; i >= 0; i-- {
		if q[i]++; q[i] != 0 {
			return q[:i+1]
		}
	}
	return []byte{0xFF, 0xFF} // above every key: none begins with FF FF
}

func invert(b []byte) []byte {
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}
