package model

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// ErrOtherKey refuses a key that the documents were not written with: with it members could
// not be read, a person would be stored a second time, and the audit chain would break.
var ErrOtherKey = errors.New("these documents were written with another DATA_KEY: start with that one (the variable DATA_KEY, or the file data.key in DATA); nothing was changed")

// CheckKey compares a key with the one that the documents are written with. The first start
// notes which that is; of several at once all learn of the same. Documents from before there
// was a note prove that the key is theirs.
func CheckKey(ctx context.Context, db *mongo.Database, key *Sealer) error {
	c, byID := db.Collection("installation"), bson.D{{Key: "_id", Value: "key"}}
	var noted struct {
		Check string `bson:"check"`
	}
	err := c.FindOne(ctx, byID).Decode(&noted)
	if errors.Is(err, mongo.ErrNoDocuments) {
		if err := opensWhatIsThere(ctx, db, key); err != nil {
			return err
		}
		if _, err := c.InsertOne(ctx, append(byID, bson.E{Key: "check", Value: key.check})); err != nil && !mongo.IsDuplicateKeyError(err) {
			return fmt.Errorf("check of DATA_KEY: %w", err)
		}
		err = c.FindOne(ctx, byID).Decode(&noted) // whoever was first
	}
	if err != nil {
		return fmt.Errorf("check of DATA_KEY: %w", err)
	}
	if noted.Check != key.check {
		return ErrOtherKey
	}
	return nil
}

// opensWhatIsThere tries the key on a sealed member, or where there is none on the last link
// of the audit chain.
func opensWhatIsThere(ctx context.Context, db *mongo.Database, key *Sealer) error {
	var m Member
	err := db.Collection("members").FindOne(ctx, bson.D{{Key: "idNumber", Value: bson.D{{Key: "$gt", Value: ""}}}}).Decode(&m)
	if err == nil {
		if key.Disclose(&m) != nil {
			return ErrOtherKey
		}
		return nil
	}
	if !errors.Is(err, mongo.ErrNoDocuments) {
		return fmt.Errorf("check of DATA_KEY: %w", err)
	}
	var e AuditEntry
	err = db.Collection("auditEntries").FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&e)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return nil
	case err != nil:
		return fmt.Errorf("check of DATA_KEY: %w", err)
	case e.Sum(key) != e.Hash:
		return ErrOtherKey
	}
	return nil
}
