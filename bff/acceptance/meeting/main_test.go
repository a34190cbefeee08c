// Package meeting proves meetings: who takes part, and what happens in time (manual 9).
package meeting

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
