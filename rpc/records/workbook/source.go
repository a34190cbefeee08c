package workbook

import (
	"bufio"
	"io"
)

// source hands a part to the XML decoder byte by byte, which then has no buffer of its own,
// and counts: what the part takes, what all parts take, and what one token takes, whose
// attributes the decoder gathers.
type source struct {
	r     *bufio.Reader
	part  int64
	all   *int64
	token int
	over  bool // a limit was reached
}

func newSource(r io.Reader, all *int64) *source {
	return &source{r: bufio.NewReader(r), part: maxPart, all: all}
}

// ReadByte implements io.ByteReader.
func (s *source) ReadByte() (byte, error) {
	if s.token <= 0 || s.part <= 0 || *s.all <= 0 {
		s.over = true
		return 0, io.EOF
	}
	c, err := s.r.ReadByte()
	if err == nil {
		s.token--
		s.part--
		*s.all--
	}
	return c, err
}

// Read implements io.Reader, which the decoder wants and never calls.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}
