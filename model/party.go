package model

import (
	"slices"
	"strings"
	"time"
)

// Member 党员, spec/records.md 13. Dates are yyyy-MM-dd.
type Member struct {
	Base       `bson:",inline"`
	Name       string `bson:"name" json:"name" record:"label=姓名,required,max=30,list,search,keyword,width=110"`
	Gender     string `bson:"gender" json:"gender" record:"label=性别,list,search,options=male:男|female:女,help=可由身份证号得出,width=70"`
	IDNumber   string `bson:"idNumber" json:"idNumber" record:"label=身份证号,type=idNumber,personal,required,list,search,width=190"`
	IDBlind    string `bson:"idBlind" json:"-"`
	IDMasked   string `bson:"idMasked" json:"-"`
	BirthDate  string `bson:"birthDate" json:"birthDate" record:"label=出生日期,type=date,past,help=可由身份证号得出"`
	Ethnicity  string `bson:"ethnicity" json:"ethnicity" record:"label=民族,options=汉族:汉族|蒙古族:蒙古族|回族:回族|藏族:藏族|维吾尔族:维吾尔族|苗族:苗族|彝族:彝族|壮族:壮族|布依族:布依族|朝鲜族:朝鲜族|满族:满族|侗族:侗族|瑶族:瑶族|白族:白族|土家族:土家族|哈尼族:哈尼族|哈萨克族:哈萨克族|傣族:傣族|黎族:黎族|傈僳族:傈僳族|佤族:佤族|畲族:畲族|高山族:高山族|拉祜族:拉祜族|水族:水族|东乡族:东乡族|纳西族:纳西族|景颇族:景颇族|柯尔克孜族:柯尔克孜族|土族:土族|达斡尔族:达斡尔族|仫佬族:仫佬族|羌族:羌族|布朗族:布朗族|撒拉族:撒拉族|毛南族:毛南族|仡佬族:仡佬族|锡伯族:锡伯族|阿昌族:阿昌族|普米族:普米族|塔吉克族:塔吉克族|怒族:怒族|乌孜别克族:乌孜别克族|俄罗斯族:俄罗斯族|鄂温克族:鄂温克族|德昂族:德昂族|保安族:保安族|裕固族:裕固族|京族:京族|塔塔尔族:塔塔尔族|独龙族:独龙族|鄂伦春族:鄂伦春族|赫哲族:赫哲族|门巴族:门巴族|珞巴族:珞巴族|基诺族:基诺族"`
	Education  string `bson:"education" json:"education" record:"label=学历,options=postgraduate:研究生|bachelor:本科|college:大专|secondary:中专|high:高中|junior:初中及以下"`
	Phone      string `bson:"phone" json:"phone" record:"label=手机号,type=phone,personal,required,list,search,width=130"`
	PhoneBlind string `bson:"phoneBlind" json:"-"`
	// PhoneMasked and IDMasked are what lists show, without a decryption.
	PhoneMasked  string `bson:"phoneMasked" json:"-"`
	UnitID       string `bson:"unitId,omitempty" json:"unitId" record:"label=所在单位,list,ref=unit"`
	MemberType   string `bson:"memberType" json:"memberType" record:"label=党员类型,required,list,search,options=fullMember:正式党员:success|probationaryMember:预备党员:primary|developmentTarget:发展对象:warning|activist:入党积极分子:warning|applicant:申请入党:info"`
	DuesCategory string `bson:"duesCategory" json:"duesCategory" record:"label=党费类别,options=salaried:在职|retired:离退休|farmer:农民|student:学生,help=决定党费计算标准，不填为在职"`
	// Retired 是否退休: there is a Retirement.
	Retired bool `bson:"retired,omitempty" json:"retired" record:"label=是否退休,readonly"`
	// RetiredOn 退休时间 of that Retirement.
	RetiredOn       string     `bson:"retiredOn,omitempty" json:"-"`
	ActivistOn      string     `bson:"activistOn" json:"activistOn" record:"label=确定为积极分子日期,type=date,past"`
	JoinedOn        string     `bson:"joinedOn" json:"joinedOn" record:"label=入党日期,type=date,past,list"`
	RegularizedOn   string     `bson:"regularizedOn" json:"regularizedOn" record:"label=转正日期,type=date,past"`
	DuesPaidThrough string     `bson:"duesPaidThrough" json:"duesPaidThrough" record:"label=党费缴纳至日期,type=month,fixed,list,help=添加后只随缴费变化"`
	Position        string     `bson:"position" json:"position" record:"label=职务,max=50"`
	NativePlace     string     `bson:"nativePlace" json:"nativePlace" record:"label=籍贯,max=50"`
	Degree          string     `bson:"degree" json:"degree" record:"label=学位,options=doctor:博士|master:硕士|bachelor:学士|none:无"`
	Email           string     `bson:"email" json:"email" record:"label=邮箱,max=100"`
	Address         string     `bson:"address" json:"address" record:"label=住址,personal,max=200"`
	Status          string     `bson:"status" json:"status"`      // active, transferredOut, reduced, deleted
	OpenID          string     `bson:"openId,omitempty" json:"-"` // official account
	MiniOpenID      string     `bson:"miniOpenId,omitempty" json:"-"`
	UnionID         string     `bson:"unionId,omitempty" json:"-"`
	BoundAt         *time.Time `bson:"boundAt,omitempty" json:"boundAt"`
	// Moved: his records have not all followed him to his branch yet.
	Moved bool `bson:"moved,omitempty" json:"-"`

	read  bool // from the store, where it was
	known recognised
}

// PartyMemberTypes are the types of Member.MemberType that are members of the party (党章
// 第一章): full and probationary ones. Applicants, activists and those about to be developed
// stand in the same register and count in no number of members.
var PartyMemberTypes = []string{"fullMember", "probationaryMember"}

// IsPartyMember tells whether one of a type counts as a member of the party.
func IsPartyMember(memberType string) bool { return slices.Contains(PartyMemberTypes, memberType) }

// recognised is what a session keeps of a bound member.
type recognised struct{ name, orgID, orgs, status, openID, miniOpenID string }

func (m *Member) recognised() recognised {
	if !m.Bound() || m.Deleted {
		return recognised{}
	}
	return recognised{m.Name, m.OrgID, strings.Join(m.Orgs, "/"), m.Status, m.OpenID, m.MiniOpenID}
}

// Loaded implements Loader.
func (m *Member) Loaded() { m.read, m.known = true, m.recognised() }

// BindingsKey counts in Redis the changes of who a bound WeChat account is, with his
// organisation: a session that knows the count knows its member.
const BindingsKey = "party:bindings"

// Misknown tells whether sessions may know the member otherwise than he is from the change
// at hand on. One whom nobody was recognised as before is not known at all.
func (m *Member) Misknown() bool {
	if !m.read {
		return m.Bound()
	}
	return m.known != recognised{} && m.known != m.recognised()
}

// BoundTo is the openid the member is bound to on a channel (oa, mini), or "".
func (m *Member) BoundTo(channel string) string {
	if channel == "mini" {
		return m.MiniOpenID
	}
	return m.OpenID
}

// SetBound binds the member on a channel.
func (m *Member) SetBound(channel, openID string) {
	if channel == "mini" {
		m.MiniOpenID = openID
	} else {
		m.OpenID = openID
	}
}

// Bound tells whether any WeChat account is bound to the member.
func (m *Member) Bound() bool { return m.OpenID != "" || m.MiniOpenID != "" }

// Unbind ends the binding on every channel.
func (m *Member) Unbind() { m.OpenID, m.MiniOpenID, m.UnionID, m.BoundAt = "", "", "", nil }
