//go:build !linux

package docstore

import "testing"

func asNobody(t *testing.T) (back func()) { return func() {} }
