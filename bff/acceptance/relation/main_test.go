// Package relation proves 组织关系: transfers in and out, and what follows on the rolls (manual 8,
// 17.5, 17.6).
package relation

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
