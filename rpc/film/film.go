// Package film knows of MP4 files what the product asks of a video before it keeps it.
package film

import (
	"bytes"
	"encoding/binary"
)

// Seconds is how long an MP4 is; false when it has no moving pictures or lacks what players need: its index
// (moov) or its contents (mdat), as one whose recording or upload broke off does.
func Seconds(b []byte) (seconds int, ok bool) {
	moov := box(b, "moov")
	head := box(moov, "mvhd")
	if box(b, "mdat") == nil || len(head) < 20 {
		return 0, false
	}
	var scale, length uint64
	switch version := head[0]; {
	case version == 0:
		scale, length = uint64(binary.BigEndian.Uint32(head[12:])), uint64(binary.BigEndian.Uint32(head[16:]))
	case version == 1 && len(head) >= 32:
		scale, length = uint64(binary.BigEndian.Uint32(head[20:])), binary.BigEndian.Uint64(head[24:])
	}
	if scale == 0 || length == 0 || length/scale > 24*3600 {
		return 0, false
	}
	moving := false
	each(moov, func(kind string, trak []byte) {
		handler := box(box(trak, "mdia"), "hdlr")
		moving = moving || kind == "trak" && len(handler) >= 12 && bytes.Equal(handler[8:12], []byte("vide"))
	})
	return int((length + scale - 1) / scale), moving
}

// box is the contents of the first box of a kind; nil: none.
func box(b []byte, kind string) (found []byte) {
	each(b, func(k string, contents []byte) {
		if k == kind && found == nil {
			found = contents
		}
	})
	return found
}

// each hands on the boxes that stand one after the other in b, as far as they are whole (ISO/IEC 14496-12, 4.2).
func each(b []byte, f func(kind string, contents []byte)) {
	for len(b) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		switch {
		case size == 0:
			size = uint64(len(b))
		case size == 1 && len(b) >= 16:
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < head || size > uint64(len(b)) {
			return
		}
		f(string(b[4:8]), b[head:size:size])
		b = b[size:]
	}
}
