// Package filmtest makes films for tests.
package filmtest

import "encoding/binary"

func boxed(kind string, contents ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(contents))), append([]byte(kind), contents...)...)
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Shortest is the shortest MP4 that says what players ask for: how long it is, in parts of a second of which scale
// make one, and what its only track holds, "vide" for moving pictures.
func Shortest(scale, length uint32, handler string) []byte {
	head := make([]byte, 100)
	binary.BigEndian.PutUint32(head[12:], scale)
	binary.BigEndian.PutUint32(head[16:], length)
	hdlr := append(make([]byte, 8), append([]byte(handler), make([]byte, 13)...)...)
	return join(boxed("ftyp", []byte("isom\x00\x00\x02\x00isom")...),
		boxed("moov", join(boxed("mvhd", head...), boxed("trak", boxed("mdia", boxed("hdlr", hdlr...)...)...))...), boxed("mdat", 1, 2, 3))
}
