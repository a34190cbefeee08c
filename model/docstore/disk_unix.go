//go:build unix && !linux

package docstore

import "os"

type osFile struct{ *os.File }
