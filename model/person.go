package model

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
