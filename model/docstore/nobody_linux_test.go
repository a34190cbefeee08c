package docstore

import (
	"runtime"
	"syscall"
	"testing"
)

// asNobody takes the rights of root over files from this goroutine.
func asNobody(t *testing.T) (back func()) {
	if syscall.Getuid() != 0 {
		return func() {}
	}
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	}
}
