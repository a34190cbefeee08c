package records

import (
	"errors"
	"slices"
	"strings"

	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/field"
)

// complaint is what is wrong with one column of a row, or with Key "" the whole of it.
type complaint struct {
	Key     string `bson:"key"`
	Reason  string `bson:"reason"`
	Unknown bool   `bson:"unknown"` // a word that may be mapped to a known one
}

// complaints are all that is wrong with a row.
type complaints []complaint

// Error implements error.
func (c complaints) Error() string {
	all := make([]string, len(c))
	for i, x := range c {
		all[i] = x.Reason
	}
	return strings.Join(all, "；")
}

// about gives a column to what has none.
func (c complaints) about(key string) complaints {
	for i := range c {
		if c[i].Key == "" {
			c[i].Key = key
		}
	}
	return c
}

// complain is what to tell of an error when it is one that a person can do something about;
// anything else is trouble of ours.
func complain(err error) (complaints, bool) {
	var all complaints
	if errors.As(err, &all) {
		return all, true
	}
	if r, ok := errors.AsType[field.Refusal](err); ok {
		_, unknown := errors.AsType[field.UnknownWord](err)
		return complaints{{Reason: string(r), Unknown: unknown}}, true
	}
	var e *kit.Error
	if !errors.As(err, &e) || e.Code >= 50000 {
		return nil, false
	}
	for key, reason := range e.Fields {
		all = append(all, complaint{Key: key, Reason: reason})
	}
	if len(all) == 0 {
		return complaints{{Reason: e.Message}}, true
	}
	slices.SortFunc(all, func(a, b complaint) int { return strings.Compare(a.Reason, b.Reason) })
	return slices.CompactFunc(all, func(a, b complaint) bool { return a.Reason == b.Reason }), true
}

// why is the reason to tell when err is one.
func why(err error) (string, bool) {
	c, ok := complain(err)
	return c.Error(), ok
}
