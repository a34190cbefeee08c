package records

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// People know the members that records are about: the party service, or whoever asks it.
type People interface {
	// Place is where a member is: his organisation and the path to it.
	Place(ctx context.Context, memberID string) (orgID string, path []string, err error)
	// Identities are the ID numbers of members by their ids, those who left too.
	Identities(ctx context.Context, memberIDs []string) (map[string]Identity, error)
}

// Identity is the ID number of a member, masked for people and sealed for who may open it.
type Identity struct{ Masked, Sealed string }

// AboutMember is the part of records about a member, whose documents embed model.OfMember: a
// record is where its member was when it was made, and is shown with his branch and his ID
// number, masked but for callers who may reveal it.
func AboutMember(people People) Part {
	var t *recordType
	return Part{
		Name: "AboutMember",
		Fits: ofMember,
		bind: func(of *recordType) error { t = of; t.WithMember = !t.Stays; return nil },
		Fields: []Field{
			{Key: "orgId", Label: "所在支部", Ref: "organization", List: true, ReadOnly: true, After: "memberId", Width: 180},
			{Key: "idNumber", Label: "身份证号", Type: "idNumber", Virtual: true},
		},
		Indexes: []model.Index{ByMember},
		BeforeSave: func(ctx context.Context, old, doc model.Document) (err error) {
			if old != nil {
				return nil
			}
			h := doc.Header()
			h.OrgID, h.Orgs, err = people.Place(ctx, subject(doc).MemberID)
			return err
		},
		Present: func(ctx context.Context, docs []model.Document, rows []Row) error {
			ids := make([]string, len(docs))
			for i, d := range docs {
				ids[i] = subject(d).MemberID
			}
			known, err := people.Identities(ctx, ids)
			if err != nil {
				return err
			}
			for i, d := range docs {
				if id, ok := known[ids[i]]; ok {
					rows[i]["idNumber"], subject(d).IDSealed = id.Masked, id.Sealed
				}
			}
			return nil
		},
		Reveal: func(_ context.Context, doc model.Document, row Row) (err error) {
			m := subject(doc)
			row["idNumber"], err = t.engine.seal.Open(m.IDSealed, model.At(m.MemberID, "idNumber"))
			return err
		},
	}
}

// ByMember is the index of what belongs to a member, newest first.
var ByMember = model.Index{Keys: bson.D{{Key: "memberId", Value: 1}, {Key: "_id", Value: -1}}}

// Mine are the records of the member who calls, for Own.Where.
func Mine(c *kit.Caller) bson.D { return bson.D{{Key: "memberId", Value: c.MemberID}} }

func ofMember(doc model.Document) bool {
	_, ok := doc.(interface{ Subject() *model.OfMember })
	return ok
}

func subject(doc model.Document) *model.OfMember {
	return doc.(interface{ Subject() *model.OfMember }).Subject()
}
