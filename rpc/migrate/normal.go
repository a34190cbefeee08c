package migrate

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/normal"
)

// forms are the normal forms of texts, by what kind of text it is.
var forms = map[string]func(string) string{"name": normal.Name, "text": normal.Text, "phone": normal.Phone, "id": normal.IDNumber}

// texts are the fields, by collection, that people fill in and find things by. "name" is one
// of a line, "text" may have several; what begins with * is sealed, and has beside it, where
// there are such fields, what it is found and shown by. The audit stays as it was written.
var texts = map[string]map[string]string{
	"abroadRecords":    {"name": "destination approverName", "text": "purposeNote opinion"},
	"checkIns":         {"name": "memberName"},
	"duesBases":        {"name": "memberName"},
	"duesOrders":       {"name": "memberName orgName committeeName operator confirmedBy removedBy"},
	"elections":        {"name": "electionName", "text": "description"},
	"hardships":        {"name": "approverName", "text": "description assistance opinion"},
	"helpRequests":     {"name": "title repliedBy", "text": "content reply"},
	"leaders":          {"name": "name adminDuty", "phone": "*phone"},
	"meetings":         {"name": "title place host", "text": "agenda"},
	"memberContacts":   {"name": "name relation", "phone": "*phone"},
	"memberInflows":    {"name": "name homeOrgName place approverName", "text": "reason opinion", "id": "*idNumber", "phone": "*phone"},
	"memberOutflows":   {"name": "outflowPlace outflowOrgName approverName", "text": "reason opinion", "phone": "*contactPhone"},
	"memberReductions": {"text": "reason"},
	"memberShowcases":  {"name": "title", "text": "content"},
	"members":          {"name": "name position nativePlace email *address", "id": "*idNumber", "phone": "*phone"},
	"notebookEntries":  {"name": "title authorName", "text": "content"},
	"organizations": {
		"name": "orgName orgShortName orgCode secretary contactName address", "text": "introduction", "phone": "secretaryPhone contactPhone",
	},
	"organizationEvaluations": {"name": "memberName", "text": "content"},
	"organizationTransfers":   {"name": "transferOrgName fromParentName toParentName operatorName", "text": "reason"},
	"partTimeMembers":         {"name": "name homeOrgName duty", "id": "*idNumber", "phone": "*phone"},
	"profileChanges":          {"name": "position email approverName *address", "text": "opinion", "phone": "*phone"},
	"reportInMembers":         {"name": "name homeOrgName duty", "id": "*idNumber", "phone": "*phone"},
	"retirements":             {"name": "retirementUnit approverName", "text": "remarks opinion"},
	"rewards":                 {"name": "rewardName authority", "text": "content"},
	"roles":                   {"name": "roleName description"},
	"sanctions":               {"name": "authority", "text": "reason"},
	"specialties":             {"name": "description"},
	"specialtyTag":            {"name": "name"},
	"suggestions":             {"name": "title repliedBy", "text": "content reply"},
	"units":                   {"name": "unitName unitCode contactName address", "phone": "contactPhone"},
	"users":                   {"name": "userName realName", "phone": "*phone"},
}

// normalizeTexts brings what was stored before forms and imports did so into the one form in
// which names, texts and numbers are compared, and seals what was not sealed yet. Two that
// are then the same where each has to be its own stay apart as they were, and so does what
// is damaged; both are logged.
func normalizeTexts(ctx context.Context, s Store) error {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		var all []text
		for kind, fields := range texts[name] {
			for field := range strings.FieldsSeq(fields) {
				bare, sealed := strings.CutPrefix(field, "*")
				all = append(all, text{bare, kind, sealed})
			}
		}
		project := bson.D{{Key: "version", Value: 1}}
		for _, t := range all {
			project = append(project, bson.E{Key: t.field, Value: 1})
			for _, beside := range t.beside() {
				if t.sealed {
					project = append(project, bson.E{Key: beside, Value: 1})
				}
			}
		}
		err := s.each(ctx, name, project, func(doc bson.M) (set bson.D) {
			for _, t := range all {
				changed, err := t.tidy(s.Seal, doc)
				if err != nil {
					slog.Warn("a sealed field cannot be opened and stays as it is", "collection", name, "id", doc["_id"], "field", t.field)
				}
				set = append(set, changed...)
			}
			return set
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// text is one field.
type text struct {
	field, kind string
	sealed      bool
}

// beside are what a sealed field is found and shown by, where a document has them.
func (t text) beside() [2]string {
	base := strings.TrimSuffix(t.field, "Number")
	return [2]string{base + "Blind", base + "Masked"}
}

// tidy is what changes of a document.
func (t text) tidy(key *model.Sealer, doc bson.M) (set bson.D, err error) {
	stored, _ := doc[t.field].(string)
	if stored == "" {
		return nil, nil
	}
	if !t.sealed {
		if tidy := forms[t.kind](stored); tidy != stored {
			set = bson.D{{Key: t.field, Value: tidy}}
		}
		return set, nil
	}
	id, _ := doc["_id"].(string)
	place := model.At(id, t.field)
	plain, err := key.Open(stored, place)
	switch {
	case err != nil && looksSealed(stored):
		return nil, err
	case err != nil: // from before it was sealed
		plain = stored
	case forms[t.kind](plain) == plain:
		return nil, nil
	}
	plain = forms[t.kind](plain)
	set = bson.D{{Key: t.field, Value: key.Seal(plain, place)}}
	masked := "******"
	if t.kind != "name" {
		masked = model.MaskPhone(plain)
	}
	for i, value := range []string{key.Blind(plain), masked} {
		if _, there := doc[t.beside()[i]]; there {
			set = append(set, bson.E{Key: t.beside()[i], Value: value})
		}
	}
	return set, nil
}

// looksSealed tells a sealed text from a short plain one: it holds a nonce and a sum.
func looksSealed(stored string) bool {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(stored, "1."))
	return err == nil && len(b) > 12+16
}

// each hands on all documents of a collection, the deleted too, and stores what change
// answers, in trips of some. A document that somebody changed meanwhile is looked at again.
func (s Store) each(ctx context.Context, collection string, project bson.D, change func(bson.M) bson.D) error {
	c, last := s.DB.Collection(collection), ""
	for {
		cur, err := c.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: last}}}},
			options.Find().SetProjection(project).SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(some))
		if err != nil {
			return err
		}
		var docs []bson.M
		if err := cur.All(ctx, &docs); err != nil || len(docs) == 0 {
			return err
		}
		last = docs[len(docs)-1]["_id"].(string)
		for len(docs) > 0 {
			if docs, err = s.store(ctx, c, project, docs, change); err != nil {
				return err
			}
		}
	}
}

// store writes the changes of documents and answers those that have changed since they were
// read, as they are now.
func (s Store) store(ctx context.Context, c *mongo.Collection, project bson.D, docs []bson.M, change func(bson.M) bson.D) ([]bson.M, error) {
	var writes []mongo.WriteModel
	var ids bson.A
	for _, doc := range docs {
		set := change(doc)
		if len(set) == 0 {
			continue
		}
		ids = append(ids, doc["_id"])
		writes = append(writes, mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: doc["_id"]}, {Key: "version", Value: doc["version"]}}).
			SetUpdate(bson.D{{Key: "$set", Value: set}, {Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}}}))
	}
	if len(writes) == 0 {
		return nil, nil
	}
	done, err := c.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	var failed mongo.BulkWriteException
	switch {
	case err == nil && done.MatchedCount == int64(len(writes)):
		return nil, nil
	case errors.As(err, &failed) && failed.WriteConcernError == nil:
		for _, e := range slices.Backward(failed.WriteErrors) {
			if e.Code != 11000 {
				return nil, err
			}
			slog.Warn("the same as another, but for how it was typed: merge them by hand", "collection", c.Name(), "id", ids[e.Index])
			ids[e.Index] = nil
		}
	case err != nil:
		return nil, err
	}
	cur, err := c.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, options.Find().SetProjection(project))
	if err != nil {
		return nil, err
	}
	var again []bson.M
	return again, cur.All(ctx, &again)
}
