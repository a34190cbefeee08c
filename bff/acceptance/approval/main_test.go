// Package approval proves 审批事项: what members apply for on the phone, admins enter or
// decide on, and what follows (manual 6.4 to 6.6, 8.3, 17).
package approval

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
