package audit

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	gen "zhihuidangjian/idl/gen/audit"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/trail"
)

const (
	// appendTries bounds how often an appender starts again after another process was first.
	appendTries = 200
	// gathered is how many facts of the inbox are appended at once.
	gathered = 500
)

func seqID(seq int64) string { return fmt.Sprintf("%012d", seq) }

// append puts facts at the end of the chain, each once. The sequence number is the _id: of
// two processes that append to the same end one is refused and starts again behind the
// other, so the chain never forks.
func (s *Service) append(ctx context.Context, facts []*model.AuditFact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range appendTries {
		fresh, err := s.unknown(ctx, facts)
		if err != nil || len(fresh) == 0 {
			return err
		}
		last, err := s.last(ctx)
		if err != nil {
			return err
		}
		now := s.d.Clock.Now()
		docs := make([]*model.AuditEntry, len(fresh))
		for i, f := range fresh {
			e := model.Link(last, seqID, f, s.d.Seal)
			e.Version, e.CreatedAt, e.UpdatedAt = 1, now, now
			docs[i], last = e, e
		}
		// In order: what fails stops those that would follow it.
		_, err = s.entries.Mongo().InsertMany(ctx, docs, options.InsertMany().SetOrdered(true))
		if err == nil {
			return nil
		}
		if !mongo.IsDuplicateKeyError(err) {
			return fmt.Errorf("append to the audit: %w", err)
		}
	}
	return errors.New("append to the audit: others were always first")
}

// unknown leaves out the facts that are in the chain, and doubles.
func (s *Service) unknown(ctx context.Context, facts []*model.AuditFact) ([]*model.AuditFact, error) {
	ids := make(bson.A, len(facts))
	for i, f := range facts {
		ids[i] = f.ID
	}
	known := map[string]bool{}
	cur, err := s.entries.Mongo().Find(ctx, bson.D{{Key: "source", Value: bson.D{{Key: "$in", Value: ids}}}},
		options.Find().SetProjection(bson.D{{Key: "source", Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	var found []struct {
		Source string `bson:"source"`
	}
	if err := cur.All(ctx, &found); err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	for _, x := range found {
		known[x.Source] = true
	}
	var fresh []*model.AuditFact
	for _, f := range facts {
		if !known[f.ID] {
			known[f.ID] = true
			fresh = append(fresh, f)
		}
	}
	return fresh, nil
}

// last is the end of the chain, nil when it is empty.
func (s *Service) last(ctx context.Context) (*model.AuditEntry, error) {
	e := &model.AuditEntry{}
	err := s.entries.Mongo().FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(e)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return e, nil
}

// Gather appends what was noted in the inbox, the oldest first, and takes it out there. It
// may run twice at once.
func (s *Service) Gather(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	inbox := s.d.DB.Collection(model.AuditInbox)
	for {
		cur, err := inbox.Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(gathered))
		if err != nil {
			return nil, fmt.Errorf("read the audit inbox: %w", err)
		}
		var list []trail.Noted
		if err := cur.All(ctx, &list); err != nil {
			return nil, fmt.Errorf("read the audit inbox: %w", err)
		}
		if len(list) == 0 {
			return &recordsgen.Empty{}, nil
		}
		facts, ids := make([]*model.AuditFact, len(list)), make(bson.A, len(list))
		for i, n := range list {
			ids[i], facts[i] = n.ID, &list[i].Fact
		}
		if err := s.append(ctx, facts); err != nil {
			return nil, err
		}
		if _, err := inbox.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
			return nil, fmt.Errorf("empty the audit inbox: %w", err)
		}
	}
}

// VerifyChain walks along the whole chain and names the first entry that does not fit.
// What was cut off at the end shows by the head only, of which a copy must be kept elsewhere.
func (s *Service) VerifyChain(ctx context.Context, _ *recordsgen.Empty) (*gen.Verification, error) {
	switch c := kit.CallerOf(ctx); {
	case c.Kind == kit.System:
	case c.Kind != kit.User:
		return nil, kit.ErrUnauthenticated
	case !c.TopLevel: // it goes through the entries of all organisations
		return nil, records.ErrTopLevel
	}
	out := &gen.Verification{Intact: true}
	cur, err := s.entries.Mongo().Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	for cur.Next(ctx) {
		e := &model.AuditEntry{}
		if err := cur.Decode(e); err != nil {
			return nil, fmt.Errorf("read the audit: %w", err)
		}
		want := out.Count + 1
		switch {
		case e.Deleted:
			out.Reason = "该条日志被标记为删除"
		case e.Seq > want:
			out.Reason = "该条日志缺失"
		case e.Seq != want || e.ID != seqID(want):
			out.Reason = "该条日志的序号被改动"
		case e.PrevHash != out.Head:
			out.Reason = "该条日志与上一条不衔接"
		case e.Hash != e.Sum(s.d.Seal):
			out.Reason = "该条日志的内容被改动"
		}
		if out.Reason != "" {
			out.Intact, out.BrokenAt = false, want
			return out, nil
		}
		out.Count, out.Head = want, e.Hash
	}
	return out, cur.Err()
}
