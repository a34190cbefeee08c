package party

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
)

// checkPerson says by field what is wrong with a person whose personal fields are open, and
// completes his gender.
func checkPerson(p *model.Person) map[string]string {
	wrong := map[string]string{}
	id, ok := model.ParseIDNumber(p.IDNumber)
	if !ok {
		wrong["idNumber"] = errIDNumber.Message
	} else if p.Gender == "" {
		p.Gender = id.Gender
	} else if p.Gender != id.Gender {
		wrong["idNumber"] = errIDNumber.Message + "，与性别不一致"
	}
	if p.Phone != "" && !mobilePattern.MatchString(p.Phone) {
		wrong["phone"] = "手机号格式不正确"
	}
	return wrong
}

// memberOf is the member of this system who a person is, nil when he is none; the ID number
// is open. Another name is refused.
func (s *Service) memberOf(ctx context.Context, p *model.Person) (*model.Member, error) {
	m, err := s.members.FindOne(ctx, model.Everything, append(bson.D{{Key: "idBlind", Value: s.d.Seal.Blind(p.IDNumber)}}, active...))
	if errors.Is(err, model.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !normal.Same(m.Name, p.Name) {
		return nil, kit.InvalidFields(map[string]string{"name": "姓名与该身份证号的党员不一致"})
	}
	return m, nil
}
