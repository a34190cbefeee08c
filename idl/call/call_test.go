package call

import "testing"

func TestRule(t *testing.T) {
	for _, c := range []struct {
		may        []string
		valid      bool
		permission string
	}{
		{nil, false, ""},
		{[]string{""}, false, ""},
		{[]string{"admin"}, false, ""}, // a word that nobody knows opens nothing
		{[]string{"meeting."}, false, ""},
		{[]string{Anyone}, true, ""},
		{[]string{"meeting.start"}, true, "meeting.start"},
		{[]string{Member, "points.view"}, true, "points.view"},
		{[]string{Member, "everybody"}, false, ""},
	} {
		r := Rule{May: c.may}
		if r.Valid() != c.valid || r.Permission() != c.permission {
			t.Errorf("%q: valid %v, permission %q", c.may, r.Valid(), r.Permission())
		}
	}
}
