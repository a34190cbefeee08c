package docstore

import (
	"errors"
	"os"
	"syscall"
)

type osFile struct{ *os.File }

// Sync leaves out the metadata that reading the data does not need.
func (f osFile) Sync() error { return syscall.Fdatasync(int(f.Fd())) }

// Grow reserves space; a file system that cannot is fine.
func (f osFile) Grow(from, to int64) error {
	if err := syscall.Fallocate(int(f.Fd()), 0, from, to-from); err != nil && !errors.Is(err, syscall.EOPNOTSUPP) {
		return err
	}
	return nil
}

// lockFile takes the lock that ends with the process, however it ends.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
