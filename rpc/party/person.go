package party

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

// memberOf is the member of this system who a person is, nil when he is none; the ID number
// is open. known tells whether the caller may know that: if not, nothing that he sees may
// depend on it. Another name is refused to who may know, and somebody else to who may not.
func (s *Service) memberOf(ctx context.Context, p *model.Person) (m *model.Member, known bool, err error) {
	m, err = s.members.FindOne(ctx, model.Everything, append(bson.D{{Key: "idBlind", Value: s.d.Seal.Blind(p.IDNumber)}}, active...))
	if errors.Is(err, model.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	is, known, err := records.Recognise(ctx, p.Name, m.ID, m.Name, m.Orgs)
	if !is {
		return nil, false, err
	}
	return m, known, nil
}
