package kit

import "fmt"

// Yuan writes an amount of fen as people read it: 1205 is 12.05.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}
