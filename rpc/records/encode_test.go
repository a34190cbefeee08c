package records

import (
	"encoding/json"
	"testing"
)

func TestAppendText(t *testing.T) {
	t.Run("texts are quoted as encoding/json quotes them, so that a page cannot be led out of its script", func(t *testing.T) {
		for _, s := range []string{"", "党员", `"\`, "</script>&", "\u2028\u2029…", "a\x00\n\x7f", "\xffx\xe4\xb8", "emoji 😀"} {
			b, err := appendText(nil, s)
			if err != nil {
				t.Fatal(err)
			}
			var got, want string
			plain, _ := json.Marshal(s)
			if err := json.Unmarshal(plain, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &got); err != nil || got != want {
				t.Errorf("%q is written %s: %v", s, b, err)
			}
			for _, c := range b[1 : len(b)-1] {
				if c == '<' || c == '>' || c == '&' {
					t.Errorf("%q is written %s", s, b)
				}
			}
		}
	})
}
