//go:build unix && !linux

package docstore

import (
	"os"
	"syscall"
)

type osFile struct{ *os.File }

// Grow does nothing here: the file grows as it is written.
func (f osFile) Grow(from, to int64) error { return nil }

// lockFile takes the lock that ends with the process, however it ends.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
