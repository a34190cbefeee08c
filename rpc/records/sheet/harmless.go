package sheet

import (
	"strings"
	"unicode/utf8"
)

// Harmless keeps a text from being taken for a formula when somebody saves the sheet as
// CSV and opens it again; Excel in Chinese takes the wide signs for the narrow ones.
func Harmless(s string) string {
	if r, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@＝＋－＠\t\r\n", r) {
		return "'" + s
	}
	return s
}
