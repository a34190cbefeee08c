// Package member proves 党员管理 with its imports, and what is kept of a member: rewards and
// sanctions, his leaving, guests of a branch, and his phone (manual 5.6, 6).
package member

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
