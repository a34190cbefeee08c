package conf

import (
	"fmt"
	"strings"
)

// wellKnown are words of examples and placeholders: a key that holds one was never drawn.
var wellKnown = []string{
	"changeme", "change-me", "change_me", "secret", "password", "passw0rd", "example", "default", "placeholder",
	"your-", "your_", "dangjian", "123456", "qwerty", "abcdef",
}

// checkSecret refuses a key that nobody would have to guess at: too short, from an
// example, or one pattern again and again.
func checkSecret(name, key string) error {
	if len(key) < 32 {
		return fmt.Errorf("%s must have at least 32 bytes", name)
	}
	lower := strings.ToLower(key)
	for _, w := range wellKnown {
		if strings.Contains(lower, w) {
			return fmt.Errorf("%s looks like an example (%q in it); draw one: openssl rand -hex 32", name, w)
		}
	}
	var seen [256]bool
	distinct, steps := 0, 0
	for i := range len(key) {
		if !seen[key[i]] {
			seen[key[i]] = true
			distinct++
		}
		if i > 0 {
			if d := int(key[i]) - int(key[i-1]); d >= -1 && d <= 1 {
				steps++
			}
		}
	}
	for period := 1; period <= len(key)/2; period++ {
		if strings.HasPrefix(key, key[period:]) { // the same again and again
			distinct = 0
		}
	}
	if distinct < 8 || steps > len(key)/2 {
		return fmt.Errorf("%s is a pattern, not a key; draw one: openssl rand -hex 32", name)
	}
	return nil
}
