package model

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Wage is an amount in fen from which one learns what somebody earns (工资, 应缴基数). It is
// personal by its type (see PersonalTag), so that nobody can forget it: open it is its digits,
// in the store it is sealed. "" is none.
type Wage string

// WageOf is an open wage.
func WageOf(fen int64) Wage { return Wage(strconv.FormatInt(fen, 10)) }

// Fen is the amount of an open wage, 0 of none. One that is still sealed is a programming
// mistake and panics: taken for 0 it would change what somebody owes.
func (w Wage) Fen() int64 {
	if w == "" {
		return 0
	}
	n, err := strconv.ParseInt(string(w), 10, 64)
	if err != nil {
		panic("model: a wage is read while it is sealed")
	}
	return n
}

// open tells that the wage is not sealed: what is sealed is longer than any number.
func (w Wage) open() bool { return len(w) < 24 }

var wageType = reflect.TypeFor[Wage]()

// MarshalBSONValue stores a wage that is sealed, and no other.
func (w Wage) MarshalBSONValue() (kind byte, data []byte, err error) {
	if w != "" && w.open() {
		return 0, nil, errors.New("model: a wage would be stored open")
	}
	t, data, err := bson.MarshalValue(string(w))
	return byte(t), data, err
}

// UnmarshalBSONValue reads a wage, also one that an earlier version stored open, as a number.
func (w *Wage) UnmarshalBSONValue(kind byte, data []byte) error {
	v := bson.RawValue{Type: bson.Type(kind), Value: data}
	if n, ok := v.AsInt64OK(); ok {
		*w = WageOf(n)
		return nil
	}
	s, ok := v.StringValueOK()
	if !ok && v.Type != bson.TypeNull {
		return fmt.Errorf("a wage cannot be %s", v.Type)
	}
	*w = Wage(s)
	return nil
}
