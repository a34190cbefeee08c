package model

import "regexp"

// Person is who a document is about when he need not be a member of this system. Embed it
// inline.
type Person struct {
	Name        string `bson:"name" json:"name" record:"label=姓名,required,max=30,list,search,keyword"`
	Gender      string `bson:"gender" json:"gender" record:"label=性别,options=male:男|female:女,help=可由身份证号得出"`
	IDNumber    string `bson:"idNumber" json:"idNumber" record:"label=身份证号,type=idNumber,personal,required,list,fixed,width=190"`
	IDBlind     string `bson:"idBlind" json:"-"`
	IDMasked    string `bson:"idMasked" json:"-"`
	Phone       string `bson:"phone" json:"phone" record:"label=电话,type=phone,personal,required"`
	PhoneBlind  string `bson:"phoneBlind" json:"-"`
	PhoneMasked string `bson:"phoneMasked" json:"-"`
}

// Wrong says by field what is wrong with a person whose personal fields are open, and completes
// his gender by his ID number.
func (p *Person) Wrong() map[string]string {
	wrong := map[string]string{}
	id, ok := ParseIDNumber(p.IDNumber)
	if !ok {
		wrong["idNumber"] = WrongIDNumber
	} else if p.Gender == "" {
		p.Gender = id.Gender
	} else if p.Gender != id.Gender {
		wrong["idNumber"] = WrongIDNumber + "，与性别不一致"
	}
	if p.Phone != "" && !IsMobile(p.Phone) {
		wrong["phone"] = "手机号格式不正确"
	}
	return wrong
}

// WrongIDNumber is what people read of an ID number that is none.
const WrongIDNumber = "身份证号码有误"

var mobile = regexp.MustCompile(`^1\d{10}$`)

// IsMobile tells whether a text is the number of a mobile phone in the mainland, in normal form.
func IsMobile(s string) bool { return mobile.MatchString(s) }
