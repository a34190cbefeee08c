// Package organization proves the tree of organisations and what belongs to one: units,
// elections, leadership, transfers, evaluations and the ledgers (manual 3, 5.1 to 5.5, 15).
package organization

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
