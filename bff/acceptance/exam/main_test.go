// Package exam proves 考核管理 (manual 10.2) and how exams occupy questions (10.3.1).
package exam

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
