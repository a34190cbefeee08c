package docstore

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"runtime/debug"
	"sync"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

const (
	opReply    = 1
	opQuery    = 2004
	opMsg      = 2013
	maxMessage = 48_000_000

	flagChecksum   = 1
	flagMoreToCome = 2
)

// message is one request: a command, and the documents sent beside it.
type message struct {
	id     int32
	legacy bool // OP_QUERY, which drivers use for the first hello
	silent bool // the client wants no answer
	body   raw
	seqs   map[string][]raw
	// invalid is what is wrong with a document inside a message that is well-formed
	// otherwise: the client gets an answer and the connection goes on.
	invalid error
}

var errProtocol = errors.New("docstore: malformed message")

var errBSON = fail(22, "a document of the message is malformed, or nested deeper than 200 levels")

// readMessage reads one message and checks every document in it, so that nothing behind has
// to doubt the bytes.
func readMessage(r io.Reader) (*message, error) {
	var h [16]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	size, op := int32(binary.LittleEndian.Uint32(h[:])), binary.LittleEndian.Uint32(h[12:])
	if size < 16 || size > maxMessage {
		return nil, fmt.Errorf("%w: length %d", errProtocol, size)
	}
	// A length is only a claim: memory grows with what really arrives.
	b := make([]byte, 0, min(int(size)-16, 1<<20))
	for len(b) < int(size)-16 {
		n := min(int(size)-16, max(2*len(b), 1<<20))
		at := len(b)
		b = append(b, make([]byte, n-at)...)
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return nil, fmt.Errorf("%w: %w", errProtocol, err)
		}
	}
	m := &message{id: int32(binary.LittleEndian.Uint32(h[4:]))}
	switch op {
	case opMsg:
		return m, m.parseMsg(h[:], b)
	case opQuery:
		m.legacy = true
		return m, m.parseQuery(b)
	}
	return nil, fmt.Errorf("%w: operation %d is not supported", errProtocol, op)
}

func (m *message) parseMsg(h, b []byte) error {
	if len(b) < 5 {
		return fmt.Errorf("%w: too short", errProtocol)
	}
	flags := binary.LittleEndian.Uint32(b)
	if flags&0xFFFF&^(flagChecksum|flagMoreToCome) != 0 {
		return fmt.Errorf("%w: unknown flags %x", errProtocol, flags)
	}
	m.silent = flags&flagMoreToCome != 0
	if flags&flagChecksum != 0 {
		end := len(b) - 4
		if end < 5 || crc32.Update(crc32.Checksum(h, castagnoli), castagnoli, b[:end]) != binary.LittleEndian.Uint32(b[end:]) {
			return fmt.Errorf("%w: wrong checksum", errProtocol)
		}
		b = b[:end]
	}
	for b = b[4:]; len(b) > 0; {
		kind := b[0]
		b = b[1:]
		switch kind {
		case 0:
			if m.body != nil {
				return fmt.Errorf("%w: two bodies", errProtocol)
			}
			var err error
			if m.body, b, err = m.takeDoc(b); err != nil {
				return err
			}
		case 1:
			if len(b) < 5 {
				return fmt.Errorf("%w: sequence", errProtocol)
			}
			n := int(int32(binary.LittleEndian.Uint32(b)))
			if n < 5 || n > len(b) {
				return fmt.Errorf("%w: sequence length %d", errProtocol, n)
			}
			name, docs, ok := bsoncore.ReadKey(b[4:n])
			if !ok || m.seqs[name] != nil {
				return fmt.Errorf("%w: sequence name", errProtocol)
			}
			list := []raw{}
			for len(docs) > 0 {
				var d raw
				var err error
				if d, docs, err = m.takeDoc(docs); err != nil {
					return err
				}
				list = append(list, d)
			}
			if m.seqs == nil {
				m.seqs = map[string][]raw{}
			}
			m.seqs[name], b = list, b[n:]
		default:
			return fmt.Errorf("%w: section kind %d", errProtocol, kind)
		}
	}
	if m.body == nil {
		return fmt.Errorf("%w: no body", errProtocol)
	}
	return nil
}

func (m *message) parseQuery(b []byte) error {
	if len(b) < 4 {
		return fmt.Errorf("%w: too short", errProtocol)
	}
	ns, rest, ok := bsoncore.ReadKey(b[4:])
	if !ok || len(rest) < 8 || len(ns) < 5 || ns[len(ns)-5:] != ".$cmd" {
		return fmt.Errorf("%w: only commands are accepted as OP_QUERY", errProtocol)
	}
	d, _, err := m.takeDoc(rest[8:])
	if err != nil || m.invalid != nil {
		return err
	}
	b2 := newDoc()
	for _, f := range fields(d) {
		b2.add(f.key, f.val)
	}
	m.body = b2.str("$db", ns[:len(ns)-5]).done()
	return nil
}

func (m *message) takeDoc(b []byte) (d raw, rest []byte, err error) {
	n, _, ok := bsoncore.ReadLength(b)
	if !ok || n < 5 || int(n) > len(b) {
		return nil, nil, fmt.Errorf("%w: document length", errProtocol)
	}
	d = b[:n:n]
	if !validDoc(d, 0) {
		m.invalid = errBSON
	}
	return d, b[n:], nil
}

// validDoc checks a document and everything inside it; 200 levels are MongoDB's limit.
func validDoc(d raw, depth int) bool {
	if len(d) < 5 || depth > 200 || int(binary.LittleEndian.Uint32(d)) != len(d) || d[len(d)-1] != 0 {
		return false
	}
	body := d[4:]
	for len(body) > 1 {
		e, rest, ok := bsoncore.ReadElement(body)
		if !ok {
			return false
		}
		if len(rest) < 1 {
			return false
		}
		v, err := e.ValueErr()
		if err != nil || !validValue(v, depth) {
			return false
		}
		body = rest
	}
	return len(body) == 1
}

func validValue(v val, depth int) bool {
	text := func(b []byte) bool { return len(b) >= 5 && b[len(b)-1] == 0 }
	switch v.Type {
	case tDoc, tArray:
		return validDoc(v.Data, depth+1)
	case tString, tSymbol, bsoncore.TypeJavaScript:
		return text(v.Data)
	case tBool:
		return v.Data[0] <= 1
	case bsoncore.TypeCodeWithScope:
		if len(v.Data) < 14 {
			return false
		}
		n := int(int32(binary.LittleEndian.Uint32(v.Data[4:])))
		return n >= 1 && 8+n <= len(v.Data) && text(v.Data[4:8+n]) && validDoc(v.Data[8+n:], depth+1)
	case bsoncore.TypeDBPointer:
		return len(v.Data) >= 17 && text(v.Data[:len(v.Data)-12])
	case tBinary:
		_, _, ok := v.BinaryOK()
		return ok
	}
	return v.Validate() == nil
}

// appendReply writes the answer to a request.
func appendReply(b []byte, m *message, reply raw) []byte {
	size := 16 + 5 + len(reply)
	op := uint32(opMsg)
	if m.legacy {
		size, op = 16+20+len(reply), opReply
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.id))
	b = binary.LittleEndian.AppendUint32(b, op)
	if m.legacy {
		b = append(b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)
	} else {
		b = append(b, 0, 0, 0, 0, 0)
	}
	return append(b, reply...)
}

// connections are the open ones, so that Close can end them.
type connections struct {
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
	last   int32
}

func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for conn := range c.open {
		conn.Close()
	}
}

// serve answers one connection in the background; false when the store is closed.
func (s *Store) serve(conn net.Conn) bool {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	if s.conns.closed {
		conn.Close()
		return false
	}
	if s.conns.open == nil {
		s.conns.open = map[net.Conn]bool{}
	}
	s.conns.open[conn] = true
	s.conns.last++
	id := s.conns.last
	s.workers.Go(func() {
		defer func() {
			if p := recover(); p != nil { // a message that nobody thought of ends its connection only
				s.log.Error("docstore: a connection failed unexpectedly", "panic", p, "stack", string(debug.Stack()))
			}
			conn.Close()
			s.conns.mu.Lock()
			defer s.conns.mu.Unlock()
			delete(s.conns.open, conn)
		}()
		r := bufio.NewReaderSize(conn, 64<<10)
		var out []byte
		for {
			m, err := readMessage(r)
			if err != nil {
				if errors.Is(err, errProtocol) {
					s.log.Debug("docstore: connection ended", "error", err)
				}
				return
			}
			reply := s.handle(id, m)
			if m.silent {
				continue
			}
			out = appendReply(out[:0], m, reply)
			if _, err := conn.Write(out); err != nil {
				return
			}
			if cap(out) > 1<<20 {
				out = nil
			}
		}
	})
	return true
}
