package calendar

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCalendar(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("PLUS-06 holidays and 调休 are the year's", func(t *testing.T) {
		for day, works := range map[string]bool{
			"2026-10-01": false, "2026-10-07": false, "2026-10-08": true, "2026-10-10": true, "2026-10-11": false,
			"2026-09-20": true, "2026-02-14": true, "2026-02-16": false, "2025-01-26": true, "2024-12-31": true, "2026-11-28": false, "gestern": false,
		} {
			if c.Works(day) != works {
				t.Errorf("%s works: %v", day, !works)
			}
		}
	})
	t.Run("PLUS-06 working days are counted and moved over them", func(t *testing.T) {
		// 30 September, 8, 9 and, a Saturday that is worked, 10 October.
		if n := c.Between("2026-09-30", "2026-10-11"); n != 4 {
			t.Errorf("%d days", n)
		}
		for _, x := range []struct {
			day  string
			n    int
			want string
		}{
			{"2026-09-29", 1, "2026-09-30"}, {"2026-09-30", 1, "2026-10-08"}, {"2026-09-30", 5, "2026-10-13"}, {"2026-10-12", -3, "2026-10-08"},
			{"2026-10-03", 0, "2026-10-08"}, {"2026-10-08", 0, "2026-10-08"},
		} {
			if got := c.Move(x.day, x.n); got != x.want {
				t.Errorf("%s and %d is %s, not %s", x.day, x.n, got, x.want)
			}
		}
	})
	t.Run("PLUS-06 a year without a file says so, until it has one", func(t *testing.T) {
		if c.Unknown("2026-05-01") != "" || !strings.Contains(c.Unknown("2031-05-01"), "2031年的节假日安排尚未导入") {
			t.Fatal(c.Unknown("2031-05-01"))
		}
		dir := t.TempDir()
		write := func(s string) {
			if err := os.WriteFile(filepath.Join(dir, "2031.json"), []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(`{"year":2031,"off":[["2031-05-01","2031-05-03"]],"work":["2031-05-10"]}`)
		later, err := Load(dir)
		if err != nil || later.Unknown("2031-05-01") != "" || later.Works("2031-05-02") || !later.Works("2031-05-10") {
			t.Fatal(err, later)
		}
		for _, wrong := range []string{`{`, `{"year":2031,"off":[["2030-05-01","2031-05-03"]]}`, `{"year":2031,"off":[["2031-05-03","2031-05-01"]]}`, `{"year":2031,"work":["2031-05-09x"]}`, `{"year":2031,"work":["2031-05-12"]}`} {
			write(wrong)
			if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "2031.json") {
				t.Errorf("%s: %v", wrong, err)
			}
		}
	})
}
