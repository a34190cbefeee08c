// Package content proves what is published, written and handed in, with its attachments,
// and who is told of it (manual 5.7 to 5.10).
package content

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }
