package model

import "testing"

func TestParseIDNumber(t *testing.T) {
	for _, c := range []struct {
		id, birth, gender string
		ok                bool
	}{
		{"11010519491231002X", "1949-12-31", "female", true},
		{"440524188001010014", "", "", false}, // valid check, but nobody born in 1880 is alive
		{"34052419800101001X", "1980-01-01", "male", true},
		{"340524198001010011", "", "", false}, // wrong check
		{"34052419800101001x", "", "", false}, // callers upper-case first
		{"34052419801301001X", "", "", false}, // no such month
		{"", "", "", false},
		{"34052419800101001", "", "", false},
		{"一二三四五六", "", "", false},
	} {
		got, ok := ParseIDNumber(c.id)
		if ok != c.ok || got.BirthDate != c.birth || got.Gender != c.gender {
			t.Errorf("ParseIDNumber(%q) = %+v, %v", c.id, got, ok)
		}
	}
	if IDCheck("44052418800101001") != '4' {
		t.Error("IDCheck of the third vector of the standard")
	}
}
