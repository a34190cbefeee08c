package docstore

import (
	"math"
	"math/big"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// arith computes a op b (op is + - *) in the wider of the two types, as $inc and $add do:
// int32 grows to int64, and int64 to double with overflow reported.
func arith(op byte, a, b val) (r val, overflow bool) {
	if a.Type == tDecimal || b.Type == tDecimal {
		return decimalArith(op, a, b), false
	}
	if a.Type == tDouble || b.Type == tDouble {
		return vDbl(floatArith(op, asFloat(a), asFloat(b))), false
	}
	x, _ := asInt(a)
	y, _ := asInt(b)
	var z int64
	switch op {
	case '+':
		z = x + y
		overflow = (z > x) != (y > 0) && y != 0
	case '-':
		z = x - y
		overflow = (z < x) != (y > 0) && y != 0
	case '*':
		z = x * y
		overflow = x != 0 && (z/x != y || x == -1 && y == math.MinInt64)
	}
	if overflow {
		return vDbl(floatArith(op, float64(x), float64(y))), true
	}
	if a.Type == tInt32 && b.Type == tInt32 && z == int64(int32(z)) {
		return vInt(int32(z)), false
	}
	return vLong(z), false
}

func floatArith(op byte, x, y float64) float64 {
	switch op {
	case '+':
		return x + y
	case '-':
		return x - y
	}
	return x * y
}

// decimalArith is exact; a result of more than 34 digits is refused instead of rounded.
func decimalArith(op byte, a, b val) val {
	x, ex := toDecimal(a)
	y, ey := toDecimal(b)
	if op == '*' {
		x, ex = new(big.Int).Mul(x, y), ex+ey
	} else {
		e := min(ex, ey)
		x, y = shift(x, ex-e), shift(y, ey-e)
		if ex = e; op == '-' {
			x = x.Sub(x, y)
		} else {
			x = x.Add(x, y)
		}
	}
	ten := big.NewInt(10)
	for limit := shift(big.NewInt(1), 34); x.CmpAbs(limit) >= 0; ex++ {
		q, m := new(big.Int).QuoRem(x, ten, new(big.Int))
		check(m.Sign() == 0, 238, "the exact Decimal128 result needs more than 34 digits, and this server does not round")
		x = q
	}
	d, ok := bson.ParseDecimal128FromBigInt(x, ex)
	check(ok, 238, "the Decimal128 result is out of range")
	return vDec(d)
}

func vDec(d bson.Decimal128) val {
	h, l := d.GetBytes()
	return val{Type: tDecimal, Data: bsoncore.AppendDecimal128(nil, h, l)}
}

func shift(x *big.Int, n int) *big.Int {
	check(n < 7000, 238, "the Decimal128 operands are too far apart")
	return new(big.Int).Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// toDecimal is a number as digits and a power of ten.
func toDecimal(v val) (*big.Int, int) {
	switch v.Type {
	case tDecimal:
		h, l := v.Decimal128()
		i, e, err := bson.NewDecimal128(h, l).BigInt()
		check(err == nil, 238, "arithmetic with a Decimal128 NaN or infinity is not supported")
		return i, e
	case tDouble:
		d, err := bson.ParseDecimal128(new(big.Float).SetFloat64(v.Double()).Text('g', 15))
		check(err == nil, 238, "arithmetic of a Decimal128 with this double is not supported")
		i, e, _ := d.BigInt()
		return i, e
	}
	i, _ := asInt(v)
	return big.NewInt(i), 0
}
