package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// round is an action on all records that a list shows: work with its progress in the store, which
// another process takes up where this one died. Its action refuses what it was done to already, so
// that the record at which a process died is not done twice.
type round struct {
	ID         string            `bson:"_id"`
	Type       string            `bson:"type"`
	Action     string            `bson:"action"`
	Values     []byte            `bson:"values"`
	OrgID      string            `bson:"orgId"`
	Keyword    string            `bson:"keyword"`
	Filters    map[string]string `bson:"filters"`
	Caller     []byte            `bson:"caller"` // JSON of kit.Caller
	UserID     string            `bson:"userId"`
	State      string            `bson:"state"` // running, finished
	Total      int64             `bson:"total"`
	Done       int64             `bson:"done"`
	Refused    int64             `bson:"refused"`
	Why        []refused         `bson:"why"`
	After      string            `bson:"after"` // the last id that was dealt with
	Owner      string            `bson:"owner"`
	LeaseUntil time.Time         `bson:"leaseUntil"` // wall time, as of imports
	CreatedAt  time.Time         `bson:"createdAt"`
}

// refused counts those that the action was not done to for one reason.
type refused struct {
	Reason string `bson:"reason"`
	Count  int64  `bson:"count"`
}

const (
	// roundChunk is how many records are read at once; progress is stored after each of them.
	roundChunk = 100
	// mostReasons bounds the reasons that are told apart.
	mostReasons = 20
)

var errNotAll = kit.Invalid("action.all", "该操作不能对全部记录执行")

// openRounds readies the store where a type of the engine has such an action.
func (e *Engine) openRounds(ctx context.Context) error {
	e.rounds = e.db.Collection("actionRounds")
	for _, t := range e.order {
		for _, a := range t.Actions {
			if a.All {
				return errors.Join(
					model.EnsureIndexes(ctx, e.rounds, model.Index{Keys: bson.D{{Key: "state", Value: 1}, {Key: "leaseUntil", Value: 1}}}),
					model.EnsureIndexes(ctx, e.rounds, model.Index{Keys: bson.D{{Key: "createdAt", Value: 1}}, TTL: keepImports}))
			}
		}
	}
	return nil
}

// ActAll begins an action on all records that a list shows to the caller, and answers at once.
func (e *Engine) ActAll(ctx context.Context, req *gen.ActAllReq) (*gen.Round, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	a, err := t.acting(ctx, req.Action)
	if err != nil {
		return nil, Mapped(err)
	}
	if !a.All {
		return nil, errNotAll
	}
	if err := t.can(ctx, "view"); err != nil {
		return nil, err
	}
	if _, err := t.input(ctx, a, t.Collection.New(), req.Json); err != nil {
		return nil, Mapped(err)
	}
	caller := *kit.CallerOf(ctx)
	who, err := json.Marshal(caller)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s := &round{
		ID: kit.NewID(e.clock.Now()), Type: req.Type, Action: req.Action, Values: req.Json, OrgID: req.OrgId, Keyword: req.Keyword, Filters: req.Filters,
		Caller: who, UserID: caller.UserID, State: stateRunning, Owner: kit.Token(), LeaseUntil: now.Add(leaseTime), CreatedAt: now,
	}
	scope, filter, err := t.roundFilter(ctx, s)
	if err != nil {
		return nil, Mapped(err)
	}
	if s.Total, err = t.Collection.Count(ctx, scope, filter); err != nil {
		return nil, err
	}
	if s.Total == 0 {
		return nil, kit.Invalid("nothing_chosen", "没有可%s的数据", a.Title)
	}
	if _, err := e.rounds.InsertOne(ctx, s); err != nil {
		return nil, fmt.Errorf("store round: %w", err)
	}
	e.spawnRound(*s, t)
	return s.show(), nil
}

// GetRound tells how far one is, to who began it.
func (e *Engine) GetRound(ctx context.Context, req *gen.IDReq) (*gen.Round, error) {
	if _, err := e.admin(ctx, req.Type); err != nil {
		return nil, err
	}
	var s round
	err := e.rounds.FindOne(ctx, bson.D{{Key: "_id", Value: req.Id}, {Key: "type", Value: req.Type}, {Key: "userId", Value: kit.CallerOf(ctx).UserID}}).Decode(&s)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, kit.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read round: %w", err)
	}
	return s.show(), nil
}

func (s *round) show() *gen.Round {
	out := &gen.Round{Id: s.ID, State: s.State, Total: s.Total, Done: s.Done, Refused: s.Refused}
	for _, w := range s.Why {
		out.Why = append(out.Why, &gen.Refused{Reason: w.Reason, Count: w.Count})
	}
	return out
}

func (s *round) refuse(reason string) {
	s.Refused++
	for i := range s.Why {
		if s.Why[i].Reason == reason {
			s.Why[i].Count++
			return
		}
	}
	if len(s.Why) < mostReasons {
		s.Why = append(s.Why, refused{reason, 1})
	}
}

func (t *recordType) roundFilter(ctx context.Context, s *round) (model.Scope, bson.D, error) {
	scope, _, err := t.readScope(ctx, s.OrgID)
	if err != nil {
		return scope, nil, err
	}
	filter, err := t.filter(ctx, query{&gen.ListReq{Type: t.Name, OrgId: s.OrgID, Keyword: s.Keyword, Filters: s.Filters}})
	return scope, filter, err
}

func (e *Engine) spawnRound(s round, t *recordType) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx.Err() != nil {
		return // closed: another process takes it
	}
	e.running.Go(fmt.Sprintf("round %s of %s", s.ID, s.Type), func() error {
		if err := e.goRound(e.ctx, &s, t); err != nil {
			slog.Warn("round interrupted", "round", s.ID, "type", s.Type, "cause", err)
		}
		return nil
	})
}

// resumeRounds takes up what nobody works at.
func (e *Engine) resumeRounds(ctx context.Context) error {
	names := bson.A{}
	for _, t := range e.order {
		names = append(names, t.Name)
	}
	var s round
	err := e.rounds.FindOneAndUpdate(ctx,
		bson.D{{Key: "state", Value: stateRunning}, {Key: "leaseUntil", Value: bson.D{{Key: "$lt", Value: time.Now()}}}, {Key: "type", Value: bson.D{{Key: "$in", Value: names}}}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "owner", Value: kit.Token()}, {Key: "leaseUntil", Value: time.Now().Add(leaseTime)}}}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&s)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("waiting rounds: %w", err)
	}
	e.spawnRound(s, e.types[s.Type])
	return nil
}

// goRound does the action to one record after another, in the order of their ids.
func (e *Engine) goRound(ctx context.Context, s *round, t *recordType) error {
	var caller kit.Caller
	if err := json.Unmarshal(s.Caller, &caller); err != nil {
		return fmt.Errorf("caller of round: %w", err)
	}
	ctx = kit.WithCaller(ctx, caller)
	a, err := t.acting(ctx, s.Action)
	if err != nil {
		return err
	}
	scope, filter, err := t.roundFilter(ctx, s)
	if err != nil {
		return err
	}
	for {
		docs, err := t.Collection.Find(ctx, scope, append(bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: s.After}}}}}}}, filter...),
			model.Page{Sort: bson.D{{Key: "_id", Value: 1}}, Limit: roundChunk})
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := ctx.Err(); err != nil {
				return err
			}
			id := d.Header().ID
			old, doc, err := t.do(ctx, a, id, s.Values)
			if err == nil {
				t.saved(ctx, old, doc)
				s.Done++
			} else {
				if ctx.Err() != nil {
					return err
				}
				s.refuse(t.refusal(ctx, id, err))
			}
			s.After = id
			if err := e.reportRound(ctx, s); err != nil {
				return err
			}
		}
		if len(docs) < roundChunk {
			s.State = stateFinished
			return e.reportRound(ctx, s)
		}
	}
}

func (e *Engine) reportRound(ctx context.Context, s *round) error {
	r, err := e.rounds.UpdateOne(ctx, bson.D{{Key: "_id", Value: s.ID}, {Key: "owner", Value: s.Owner}}, bson.D{{Key: "$set", Value: bson.D{
		{Key: "state", Value: s.State}, {Key: "done", Value: s.Done}, {Key: "refused", Value: s.Refused}, {Key: "why", Value: s.Why},
		{Key: "after", Value: s.After}, {Key: "leaseUntil", Value: time.Now().Add(leaseTime)}}}})
	if err != nil {
		return fmt.Errorf("report round: %w", err)
	}
	if r.MatchedCount == 0 {
		return errLeaseLost
	}
	return nil
}
