// Package study proves 学习任务 (manual 10.1).
package study

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
