// Package learning proves 学习教育 (manual 10).
package learning

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
