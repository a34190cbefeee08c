// Package migrate brings the documents of an installation into the form in which this program
// reads and writes them.
//
// The form has a version: how many migrations the store has seen, which it keeps itself. A
// start runs those that are missing, once and in order, before any service; whoever starts
// at the same time waits. A store that has seen more than this program knows was written by a
// newer one, and is refused.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Migration is one step from an older form of the stored data to a newer one. It names
// collections and fields itself, as they were at its time, and leans on no type of today:
// those go on changing.
type Migration struct {
	Number int    // its place in All, from 1
	Name   string // for people and the store; never changes
	// Run changes the data. It may be killed anywhere and begins again then, so that what is
	// changed already must stay as it is.
	Run func(context.Context, Store) error
}

// Store is what migrations work on.
type Store struct {
	DB   *mongo.Database
	Seal *model.Sealer
}

// ErrNewer refuses a store that a newer program has written to.
var ErrNewer = errors.New("these documents were written by a newer version of the program: start with that one; nothing was changed")

var errLost = errors.New("another process took over")

// Run runs the migrations that the store has not seen. Of several processes that start at
// once, of this version, one does it and the others wait until it has: their work would
// meet. What one leaves that dies is gone on with by another.
func Run(ctx context.Context, s Store, all []Migration) error {
	r := &runner{store: s, notes: s.DB.Collection("installation"), me: kit.Token(), all: all}
	for waited := false; ; {
		n, err := r.read(ctx)
		if err != nil {
			return err
		}
		left, err := r.left(n)
		if err != nil || len(left) == 0 {
			return err
		}
		switch n, err = r.claim(ctx); {
		case err == nil:
			if left, err = r.left(n); err == nil {
				err = r.work(ctx, left)
			}
			if !errors.Is(err, errLost) {
				return err
			}
		case !errors.Is(err, mongo.ErrNoDocuments):
			return fmt.Errorf("migrations: %w", err)
		case !waited:
			slog.Info("waiting for migrations that another process runs")
			waited = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

const (
	lease = 15 * time.Second       // of who runs migrations; renewed while it lives
	again = 200 * time.Millisecond // until those who wait look again
)

// note is what the store keeps of migrations.
type note struct {
	ID     string    `bson:"_id"`
	Done   []done    `bson:"done"`
	Holder string    `bson:"holder"` // who runs them now; "" nobody
	Until  time.Time `bson:"until"`  // by the machine's clock: then it counts as dead
}

type done struct {
	Number int       `bson:"number"`
	Name   string    `bson:"name"`
	At     time.Time `bson:"at"`
}

// noteID is the note's place among the notes of the installation.
const noteID = "migrations"

// runner runs the migrations of one start.
type runner struct {
	store Store
	notes *mongo.Collection
	me    string
	all   []Migration
}

// read returns the store's note. An empty store, which has none, needs no migration: it is
// noted as being in today's form.
func (r *runner) read(ctx context.Context) (*note, error) {
	for {
		n := &note{}
		err := r.notes.FindOne(ctx, bson.D{{Key: "_id", Value: noteID}}).Decode(n)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		there, err := r.store.DB.ListCollectionNames(ctx, bson.D{{Key: "name", Value: bson.D{{Key: "$ne", Value: r.notes.Name()}}}})
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		n = &note{ID: noteID, Done: []done{}}
		if len(there) == 0 {
			for _, m := range r.all {
				n.Done = append(n.Done, done{m.Number, m.Name, time.Now()})
			}
		}
		if _, err := r.notes.InsertOne(ctx, n); err == nil {
			return n, nil
		} else if !mongo.IsDuplicateKeyError(err) { // else somebody was first
			return nil, fmt.Errorf("migrations: %w", err)
		}
	}
}

// left are the migrations that are not done.
func (r *runner) left(n *note) ([]Migration, error) {
	for i, d := range n.Done {
		if i == len(r.all) {
			return nil, ErrNewer
		}
		if m := r.all[i]; m.Number != d.Number || m.Name != d.Name {
			return nil, fmt.Errorf("migration %d of these documents is %q, and of this program %q: it is not a later version of the one that wrote them; nothing was changed", d.Number, d.Name, m.Name)
		}
	}
	return r.all[len(n.Done):], nil
}

// claim keeps others off; mongo.ErrNoDocuments while somebody else has it.
func (r *runner) claim(ctx context.Context) (*note, error) {
	n, now := &note{}, time.Now()
	free := bson.A{bson.D{{Key: "holder", Value: ""}}, bson.D{{Key: "until", Value: bson.D{{Key: "$lt", Value: now}}}}}
	err := r.notes.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: noteID}, {Key: "$or", Value: free}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: r.me}, {Key: "until", Value: now.Add(lease)}}}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(n)
	return n, err
}

// mine changes the note while it is claimed, and answers errLost afterwards.
func (r *runner) mine(ctx context.Context, change bson.D) error {
	u, err := r.notes.UpdateOne(ctx, bson.D{{Key: "_id", Value: noteID}, {Key: "holder", Value: r.me}}, change)
	if err == nil && u.MatchedCount == 0 {
		return errLost
	}
	return err
}

// work runs migrations and notes each.
func (r *runner) work(ctx context.Context, left []Migration) (err error) {
	ctx, stop := context.WithCancelCause(ctx)
	var renewal kit.Group
	renewal.Go("lease of migrations", func() error { r.renew(ctx, stop); return nil })
	defer func() {
		stop(nil)
		_ = renewal.Wait()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), kit.DefaultDeadline)
		defer cancel()
		err = errors.Join(err, r.mine(end, bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: ""}}}}))
	}()
	for _, m := range left {
		began := time.Now()
		err := kit.Guard(m.Name, func() error { return m.Run(ctx, r.store) })
		if err == nil {
			err = r.mine(ctx, bson.D{{Key: "$push", Value: bson.D{{Key: "done", Value: done{m.Number, m.Name, time.Now()}}}}})
		}
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, errLost) {
			return errLost
		}
		if err != nil {
			return fmt.Errorf("migration %d, %s: %w", m.Number, m.Name, err)
		}
		slog.Info("migrated", "number", m.Number, "name", m.Name, "ms", time.Since(began).Milliseconds())
	}
	return nil
}

// renew holds the claim until ctx ends, and stops the work when it is lost.
func (r *runner) renew(ctx context.Context, stop context.CancelCauseFunc) {
	for held := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lease / 5):
		}
		now := time.Now()
		switch err := r.mine(ctx, bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: now.Add(lease)}}}}); {
		case err == nil:
			held = now
		case errors.Is(err, errLost) || time.Since(held) > lease:
			stop(errLost)
			return
		}
	}
}
