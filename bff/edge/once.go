package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// keyHeader names a write: the form's own word for "the same submission", whatever the
// network made of it.
const keyHeader = "Idempotency-Key"

const (
	// answersFor is how long a repeated write gets the first answer.
	answersFor = 24 * time.Hour
	// answerMost bounds what is kept of an answer. Of a longer one the id and the version
	// stay, with which a page reads the record again.
	answerMost = 64 << 10
	// outlasts is how much longer than its deadline a write may be at work.
	outlasts = 5 * time.Second
	// askAgain is how often a repeated write looks whether the first has ended; it may be
	// at work on another node.
	askAgain = 50 * time.Millisecond
)

var (
	errKey     = kit.Invalid("once.key", "请求标识不正确，请刷新页面后重试")
	errOther   = &kit.Error{Code: 42200, Key: "once.other", Message: "上一次提交的内容已经保存，改动后的内容请刷新页面后重新填写"}
	errRunning = kit.Conflict("once.running", "正在处理上一次提交，请稍候再试")
	errUnknown = kit.Conflict("once.unknown", "上一次提交的结果未知，请刷新后查看是否已保存，再决定是否重新提交")
)

// answer is a write that was asked for under a key, and what came of it.
type answer struct {
	ID      string    `bson:"_id"`     // of caller, method, path and key
	Request string    `bson:"request"` // tells bodies apart
	Until   time.Time `bson:"until"`   // when it is over, whatever came of it
	Done    bool      `bson:"done"`
	Status  int       `bson:"status"`
	Kind    string    `bson:"kind"`
	Body    string    `bson:"body"` // sealed: it may show personal data
	At      time.Time `bson:"at"`
}

// Ledger remembers writes by their keys, in the document store, so that a node that stops
// forgets nothing and all nodes know the same.
type Ledger struct {
	c    *mongo.Collection
	seal *model.Sealer
}

// OpenLedger opens it with its index.
func OpenLedger(db *mongo.Database, seal *model.Sealer) (*Ledger, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l := &Ledger{c: db.Collection("answers"), seal: seal}
	return l, model.EnsureIndexes(ctx, l.c, model.Index{Keys: bson.D{{Key: "at", Value: 1}}, TTL: answersFor})
}

// once lets a write with a key happen once: what repeats it waits for the first and gets
// its answer. A refusal is not kept, so that a corrected form goes through with its key.
func (e *Edge) once(ctx context.Context, c *app.RequestContext, r route.Route, serve app.HandlerFunc) {
	key := string(c.GetHeader(keyHeader))
	if key == "" || r.Method == "GET" || r.Access == route.Public || r.Repeats || e.ledger == nil {
		serve(ctx, c)
		return
	}
	if !validRequestKey(key) {
		route.Fail(ctx, c, errKey)
		return
	}
	caller := kit.CallerOf(ctx)
	a := &answer{
		// A phone is its WeChat user, bound or not: binding is a write too.
		ID:      kit.KeyID(string(caller.Kind), caller.UserID, caller.OpenID, r.Method, string(c.Request.URI().RequestURI()), key),
		Request: e.ledger.fingerprint(c, r), Until: time.Now().Add(deadlineOf(r) + outlasts), At: time.Now(),
	}
	first, err := e.ledger.claim(ctx, a)
	if err != nil && (ctx.Err() != nil || mongo.IsTimeout(err)) {
		err = errRunning // its time went by in waiting; the driver gives up a little before
	}
	switch {
	case errors.Is(err, errRunning):
		c.Header("Retry-After", "1")
		route.Fail(ctx, c, err)
		return
	case err != nil:
		route.Fail(ctx, c, err)
		return
	case first != nil:
		body, err := e.ledger.seal.Open(first.Body, first.ID)
		if err != nil {
			route.Fail(ctx, c, err)
			return
		}
		c.Data(first.Status, first.Kind, []byte(body))
		return
	}
	serve(ctx, c)
	a.Status, a.Kind = c.Response.StatusCode(), string(c.Response.Header.ContentType())
	if err := e.ledger.settle(ctx, a, c.Response.Body()); err != nil {
		// It stays claimed: a repetition hears that the outcome is unknown.
		slog.Warn("answer not kept", "requestId", caller.RequestID, "route", r.Path, "cause", err)
	}
}

// claim takes a key for one who will do the work, or finds the answer of the one who did.
func (l *Ledger) claim(ctx context.Context, a *answer) (done *answer, err error) {
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		_, err := l.c.InsertOne(ctx, a)
		if err == nil {
			return nil, nil
		}
		if !mongo.IsDuplicateKeyError(err) {
			return nil, fmt.Errorf("claim a key: %w", err)
		}
		var other answer
		err = l.c.FindOne(ctx, bson.D{{Key: "_id", Value: a.ID}}).Decode(&other)
		switch {
		case errors.Is(err, mongo.ErrNoDocuments): // it was refused meanwhile: our turn
			continue
		case err != nil:
			return nil, fmt.Errorf("read an answer: %w", err)
		case other.Request != a.Request:
			return nil, errOther
		case other.Done:
			return &other, nil
		case time.Now().After(other.Until): // its node stopped, or nobody answered it in time
			return nil, errUnknown
		}
		select {
		case <-ctx.Done():
			return nil, errRunning
		case <-tick.C:
		}
	}
}

// settle keeps what a write answered, or frees its key when it was refused. A write that
// ran out of time may still happen: its key stays taken.
func (l *Ledger) settle(ctx context.Context, a *answer, body []byte) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outlasts)
	defer cancel()
	me := bson.D{{Key: "_id", Value: a.ID}}
	switch {
	case a.Status == int(kit.ErrTimeout.Code/100):
	case a.Status < 200 || a.Status > 299:
		_, err = l.c.DeleteOne(ctx, me)
	default:
		_, err = l.c.UpdateOne(ctx, me, bson.D{{Key: "$set", Value: bson.D{
			{Key: "done", Value: true}, {Key: "status", Value: a.Status}, {Key: "kind", Value: a.Kind}, {Key: "body", Value: l.seal.Seal(brief(body), a.ID)},
		}}})
	}
	return err
}

// brief is an answer as it is kept.
func brief(body []byte) string {
	if len(body) <= answerMost {
		return string(body)
	}
	var of struct {
		ID      string `json:"id,omitempty"`
		Version int64  `json:"version,omitempty"`
	}
	_ = json.Unmarshal(body, &of) // what is no record leaves nothing
	b, _ := json.Marshal(of)      // cannot fail
	return string(b)
}

// fingerprint tells one body from another, and nothing of either without the key: a password
// or an ID number could be guessed from a bare hash. Of a file, which its handler reads, only
// the length is known.
func (l *Ledger) fingerprint(c *app.RequestContext, r route.Route) string {
	if r.Upload > 0 {
		return strconv.Itoa(c.Request.Header.ContentLength())
	}
	return l.seal.Blind(string(c.Request.Body()))
}

// validRequestKey accepts what pages make.
func validRequestKey(key string) bool {
	if len(key) < 8 || len(key) > 64 {
		return false
	}
	for _, r := range key {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return true
}
