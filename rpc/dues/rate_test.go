package dues

import (
	"testing"

	"zhihuidangjian/model"
)

func TestRates(t *testing.T) {
	t.Run("BASE-03 rate and payable of every band, half up to the fen", func(t *testing.T) {
		for _, x := range []struct {
			category string
			base     int64
			rate     int32
			due      int64
		}{
			{salaried, 300_000, 50, 1_500}, {salaried, 300_001, 100, 3_000}, {salaried, 500_000, 100, 5_000},
			{salaried, 500_001, 150, 7_500}, {salaried, 1_000_000, 150, 15_000}, {salaried, 1_000_001, 200, 20_000},
			{salaried, 420_050, 100, 4_201}, // 42.005
			{salaried, 420_049, 100, 4_200}, // 42.0049
			{salaried, 0, 50, 0}, {"", 500_000, 100, 5_000},
			{retired, 500_000, 50, 2_500}, {retired, 500_001, 100, 5_000},
			{student, 0, 0, 20}, {farmer, 9_000_000, 0, 20},
		} {
			rate, due := payable("2024-05", x.category, x.base, model.RoundFen)
			if rate != x.rate || due != x.due {
				t.Errorf("%s %d: %d, %d, want %d, %d", x.category, x.base, rate, due, x.rate, x.due)
			}
		}
	})
}

func TestCapitals(t *testing.T) {
	for fen, want := range map[int64]string{
		0: "零元整", 5: "伍分", 20: "贰角整", 1_05: "壹元零伍分", 15_00: "壹拾伍元整", 102_50: "壹佰零贰元伍角整", 10_000_00: "壹万元整",
		10_010_00: "壹万零壹拾元整", 100_203_04: "壹拾万零贰佰零叁元零肆分", 100_000_000_00: "壹亿元整", 1_000_500_00: "壹佰万零伍佰元整",
		42_01: "肆拾贰元零壹分", 65_99: "陆拾伍元玖角玖分",
	} {
		if got := capitals(fen); got != want {
			t.Errorf("capitals(%d) = %s, want %s", fen, got, want)
		}
	}
}
