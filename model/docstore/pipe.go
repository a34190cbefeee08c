package docstore

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeConn is one end of a connection in memory. A writer of net.Pipe waits until the reader
// has taken all, in pieces, with changes of goroutine for each; here it leaves the bytes
// behind, which makes a round trip of the driver a third cheaper.
type pipeConn struct{ in, out *stream }

func newPipe() (a, b net.Conn) {
	x, y := newStream(), newStream()
	return pipeConn{x, y}, pipeConn{y, x}
}

// pipeFull is how much may lie in a stream before a writer waits.
const pipeFull = 1 << 20

// stream is one direction.
type stream struct {
	mu       sync.Mutex
	change   sync.Cond
	data     []byte
	at       int  // of the first byte not yet read
	closed   bool // by the writer: what is there can still be read
	dropped  bool // by the reader
	deadline time.Time
	timer    *time.Timer // runs until no later than the deadline
}

func newStream() *stream {
	s := &stream{}
	s.change.L = &s.mu
	return s
}

func (s *stream) read(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.dropped:
			return 0, net.ErrClosed
		case s.expired():
			return 0, os.ErrDeadlineExceeded
		case s.at < len(s.data):
			n = copy(b, s.data[s.at:])
			if s.at += n; s.at == len(s.data) {
				if s.at, s.data = 0, s.data[:0]; cap(s.data) >= pipeFull {
					s.data = nil
					s.change.Broadcast()
				}
			}
			return n, nil
		case s.closed:
			return 0, io.EOF
		}
		s.change.Wait()
	}
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.data) >= pipeFull && !s.closed && !s.dropped {
		s.change.Wait()
	}
	if s.closed {
		return 0, net.ErrClosed
	}
	if s.dropped {
		return 0, io.ErrClosedPipe
	}
	s.data = append(s.data, b...)
	s.change.Broadcast()
	return len(b), nil
}

func (s *stream) end(flag *bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*flag = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.change.Broadcast()
}

func (s *stream) expired() bool { return !s.deadline.IsZero() && !time.Now().Before(s.deadline) }

// until sets the deadline. A timer that fires early is set again, so that a deadline which
// moves on with every request, as a driver's does, costs nothing most of the time.
func (s *stream) until(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	later := !s.deadline.IsZero() && t.After(s.deadline) && s.timer != nil
	if s.deadline = t; t.IsZero() || later {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(time.Until(t), s.fire)
}

func (s *stream) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.expired():
		s.timer = nil
		s.change.Broadcast()
	case s.deadline.IsZero():
		s.timer = nil
	default:
		s.timer = time.AfterFunc(time.Until(s.deadline), s.fire)
	}
}

func (p pipeConn) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p pipeConn) Write(b []byte) (int, error) { return p.out.write(b) }

// Close ends both directions; the other end can still read what was written.
func (p pipeConn) Close() error {
	p.in.end(&p.in.dropped)
	p.out.end(&p.out.closed)
	return nil
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "embedded" }

func (pipeConn) LocalAddr() net.Addr  { return pipeAddr{} }
func (pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }

// SetDeadline is for reading: writing waits for the store alone, which reads on.
func (p pipeConn) SetDeadline(t time.Time) error      { p.in.until(t); return nil }
func (p pipeConn) SetReadDeadline(t time.Time) error  { p.in.until(t); return nil }
func (p pipeConn) SetWriteDeadline(t time.Time) error { return nil }
