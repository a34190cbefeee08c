// Package account proves who may do what: users, roles, the home and its figures, and the
// audit of what was done (manual 4, 18; spec/trust.md).
package account

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
