package docstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// msg builds an OP_MSG.
func msg(flags uint32, sections ...[]byte) []byte {
	b := make([]byte, 16, 64)
	b = binary.LittleEndian.AppendUint32(b, flags)
	for _, s := range sections {
		b = append(b, s...)
	}
	binary.LittleEndian.PutUint32(b[4:], 7)
	binary.LittleEndian.PutUint32(b[12:], opMsg)
	if flags&flagChecksum != 0 {
		binary.LittleEndian.PutUint32(b, uint32(len(b)+4))
		return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b
}

func body(v any) []byte { return append([]byte{0}, mustDoc(v)...) }

func sequence(name string, docs ...any) []byte {
	b := append([]byte{1, 0, 0, 0, 0}, name...)
	b = append(b, 0)
	for _, d := range docs {
		b = append(b, mustDoc(d)...)
	}
	binary.LittleEndian.PutUint32(b[1:], uint32(len(b)-1))
	return b
}

func legacyQuery(ns string, d any) []byte {
	b := make([]byte, 16, 64)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = append(append(b, ns...), 0)
	b = append(b, 0, 0, 0, 0, 1, 0, 0, 0)
	b = append(b, mustDoc(d)...)
	binary.LittleEndian.PutUint32(b[12:], opQuery)
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b
}

var goodMessages = [][]byte{
	msg(0, body(bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}})),
	msg(flagChecksum, body(bson.D{{Key: "hello", Value: 1}, {Key: "$db", Value: "admin"}})),
	msg(0, body(bson.D{{Key: "insert", Value: "c"}, {Key: "$db", Value: "d"}}), sequence("documents", bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "a", Value: bson.A{1, "x", nil, 1.5, true}}})),
	msg(flagMoreToCome, body(bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{{Key: "_id", Value: 2}}}}, {Key: "$db", Value: "d"}})),
	legacyQuery("admin.$cmd", bson.D{{Key: "isMaster", Value: 1}}),
	msg(0, body(bson.D{{Key: "find", Value: "c"}, {Key: "filter", Value: bson.D{{Key: "a.b", Value: bson.D{{Key: "$in", Value: bson.A{1, bson.Regex{Pattern: "^a.*$", Options: "i"}}}}}, {Key: "$or", Value: bson.A{bson.D{{Key: "x", Value: bson.D{{Key: "$gt", Value: 5}}}}}}}},
		{Key: "sort", Value: bson.D{{Key: "a", Value: 1}}}, {Key: "projection", Value: bson.D{{Key: "a", Value: bson.D{{Key: "$slice", Value: 1}}}}}, {Key: "$db", Value: "d"}})),
	msg(0, body(bson.D{{Key: "update", Value: "c"}, {Key: "updates", Value: bson.A{bson.D{{Key: "q", Value: bson.D{{Key: "a.x", Value: 1}}}, {Key: "u", Value: bson.D{{Key: "$set", Value: bson.D{{Key: "a.$.y", Value: 1}}}, {Key: "$push", Value: bson.D{{Key: "l", Value: bson.D{{Key: "$each", Value: bson.A{1}}, {Key: "$sort", Value: 1}}}}}}}, {Key: "upsert", Value: true}}}}, {Key: "$db", Value: "d"}})),
	msg(0, body(bson.D{{Key: "aggregate", Value: "c"}, {Key: "pipeline", Value: bson.A{bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$a"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: bson.D{{Key: "$cond", Value: bson.A{bson.D{{Key: "$gt", Value: bson.A{"$x", 1}}}, 1, 0}}}}}}}}}, bson.D{{Key: "$unwind", Value: "$n"}}}}, {Key: "cursor", Value: bson.D{}}, {Key: "$db", Value: "d"}})),
	msg(0, body(bson.D{{Key: "createIndexes", Value: "c"}, {Key: "indexes", Value: bson.A{bson.D{{Key: "key", Value: bson.D{{Key: "a", Value: 1}, {Key: "_id", Value: 1}}}, {Key: "name", Value: "a_1"}, {Key: "unique", Value: true}}}}, {Key: "$db", Value: "d"}})),
	msg(0, body(bson.D{{Key: "findAndModify", Value: "c"}, {Key: "query", Value: bson.D{{Key: "a", Value: 1}}}, {Key: "update", Value: bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "b", Value: bson.D{{Key: "$dateToString", Value: bson.D{{Key: "date", Value: "$$NOW"}}}}}}}}}}, {Key: "new", Value: true}, {Key: "$db", Value: "d"}})),
}

// FuzzMessage feeds the protocol reader and, what it lets through, every command: nothing
// may panic, hang or answer with something that is not a document.
func FuzzMessage(f *testing.F) {
	for _, m := range goodMessages {
		f.Add(m)
	}
	var log bytes.Buffer
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(bytes.NewReader(b))
		if err != nil {
			return
		}
		slow := time.AfterFunc(20*time.Second, func() {
			stacks := make([]byte, 1<<16)
			panic(fmt.Sprintf("still at work on %x\n%s", b, stacks[:runtime.Stack(stacks, true)]))
		})
		defer slow.Stop()
		log.Reset()
		s, err := Open("", WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, first := range [][]byte{goodMessages[2], goodMessages[8]} {
			x, err := readMessage(bytes.NewReader(first))
			if err != nil {
				t.Fatal(err)
			}
			s.handle(0, x)
		}
		reply := s.handle(0, m)
		if !validDoc(reply, 0) {
			t.Fatalf("the answer is not a document: %x", reply)
		}
		if strings.Contains(log.String(), "unexpectedly") {
			t.Fatalf("panic: %s", log.String())
		}
	})
}

func TestMessages(t *testing.T) {
	s := open(t, "")
	for i, b := range goodMessages {
		m, err := readMessage(bytes.NewReader(b))
		if err != nil {
			t.Errorf("message %d: %v", i, err)
			continue
		}
		if r := s.handle(1, m); asFloat(get(r, "ok")) != 1 {
			t.Errorf("message %d: %s", i, bson.Raw(r))
		}
		for cut := range b { // cut short, with the length it claims
			if _, err := readMessage(bytes.NewReader(b[:cut])); err == nil {
				t.Errorf("message %d cut at %d is accepted", i, cut)
			}
		}
	}
	deep := bson.D{}
	for range 250 {
		deep = bson.D{{Key: "a", Value: deep}}
	}
	flip := bytes.Clone(goodMessages[1])
	flip[30] ^= 1
	for name, b := range map[string][]byte{
		"too long": {0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0}, "too short": {15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0},
		"unknown flag": msg(4, body(bson.D{})), "two bodies": msg(0, body(bson.D{}), body(bson.D{})), "no body": msg(0, sequence("documents")), "unknown section": msg(0, []byte{2}),
		"checksum": flip, "not a command": legacyQuery("d.c", bson.D{}),
	} {
		if _, err := readMessage(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// A bad document in a good message is answered, and the connection goes on.
	bad := bytes.Clone(goodMessages[0])
	bad[len(bad)-2] = 1 // the text of $db does not end
	for name, b := range map[string][]byte{"too deep": msg(0, body(deep)), "text": bad, "sequence": msg(0, body(bson.D{{Key: "insert", Value: "c"}, {Key: "$db", Value: "d"}}), sequence("documents", deep))} {
		m, err := readMessage(bytes.NewReader(b))
		if err != nil || asIntMust(get(s.handle(1, m), "code")) != 22 {
			t.Errorf("%s: %v, %+v", name, err, m)
		}
	}
	for name, b := range map[string][]byte{"unknown sequence": msg(0, body(bson.D{{Key: "ping", Value: 1}, {Key: "insert", Value: "c"}}), sequence("documents", bson.D{})),
		"given twice": msg(0, body(bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{bson.D{}}}, {Key: "$db", Value: "d"}}), sequence("documents", bson.D{}))} {
		m, err := readMessage(bytes.NewReader(b))
		if err != nil || asIntMust(get(s.handle(1, m), "code")) != 40415 {
			t.Errorf("%s: %v, %+v", name, err, m)
		}
	}
}

// TestServe speaks to the store over TCP: a request without an answer, then one with.
func TestServe(t *testing.T) {
	s := open(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	count := msg(0, body(bson.D{{Key: "count", Value: "c"}, {Key: "$db", Value: "d"}}))
	if _, err := c.Write(append(bytes.Clone(goodMessages[3]), count...)); err != nil {
		t.Fatal(err)
	}
	m, err := readMessage(c)
	if err != nil || asFloat(get(m.body, "n")) != 1 {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes, %v: the connection should end", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("Serve returns %v", err)
	}
}
