package model

import (
	"slices"
	"time"
)

// The ways of a transfer.
const (
	TransferExternal = "external" // away from this system
	TransferInternal = "internal" // to another branch of it
	TransferPlatform = "platform" // a TransferIn that an internal TransferOut made
	TransferReturned = "returned" // the state of a TransferOut that was taken back
)

// TransferIn 关系转入, spec/records.md 30: somebody whose relation comes to a branch. His id on
// the roll is made of this record's.
type TransferIn struct {
	Base            `bson:",inline"`
	Person          `bson:",inline"`
	Ethnicity       string `bson:"ethnicity" json:"ethnicity" record:"label=民族,max=20"`
	Education       string `bson:"education" json:"education" record:"label=学历,options=postgraduate:研究生|bachelor:本科|college:大专|secondary:中专|high:高中|junior:初中及以下"`
	MemberType      string `bson:"memberType" json:"memberType" record:"label=党员类型,required,options=fullMember:正式党员|probationaryMember:预备党员"`
	JoinedOn        string `bson:"joinedOn" json:"joinedOn" record:"label=入党日期,type=date,past,required"`
	RegularizedOn   string `bson:"regularizedOn" json:"regularizedOn" record:"label=转正日期,type=date,past,help=正式党员必填"`
	FromOrgName     string `bson:"fromOrgName" json:"fromOrgName" record:"label=转出党组织,required,max=200,list,keyword,width=170"`
	ToOrgID         string `bson:"toOrgId" json:"toOrgId"`
	TransferType    string `bson:"transferType" json:"transferType"`
	LetterNo        string `bson:"letterNo" json:"letterNo" record:"label=介绍信编号,required,max=60"`
	LetterDate      string `bson:"letterDate" json:"letterDate" record:"label=介绍信日期,type=date,past"`
	ValidDays       int    `bson:"validDays" json:"validDays" record:"label=有效期（天）,max=365"`
	DuesPaidThrough string `bson:"duesPaidThrough" json:"duesPaidThrough" record:"label=党费缴纳至,type=month,required"`
	Reason          string `bson:"reason" json:"reason" record:"label=转入原因,type=text,max=500"`
	Files           []File `bson:"files,omitempty" json:"files" record:"label=介绍信扫描件"`
	// AppointmentAt 预约时间: when the papers are looked at.
	AppointmentAt *time.Time `bson:"appointmentAt,omitempty" json:"appointmentAt" record:"label=预约审核纸质材料时间"`
	AppliedOn     string     `bson:"appliedOn" json:"appliedOn" record:"label=申请时间,type=date,readonly,list,search"`
	PaperChecked  bool       `bson:"paperChecked" json:"paperChecked" record:"label=纸质文件已审核,readonly"`
	// OutID is the TransferOut that made it, of one within this system.
	OutID string `bson:"outId,omitempty" json:"-"`
	// MemberID is who came by it, once it is approved.
	MemberID    string `bson:"memberId" json:"memberId" record:"label=转入后的党员,ref=member,readonly"`
	Application `bson:",inline"`
}

// TransferOut 关系转出, spec/records.md 31: a member whose relation goes away, or to another
// branch of this system. It stays with the branch that he leaves.
type TransferOut struct {
	Base            `bson:",inline"`
	OfMember        `bson:",inline"`
	ToOrgName       string     `bson:"toOrgName" json:"toOrgName" record:"label=转入党组织名称,required,max=200,list,keyword,width=170"`
	Reason          string     `bson:"reason" json:"reason" record:"label=转出原因,type=text,required,max=500"`
	DuesPaidThrough string     `bson:"duesPaidThrough" json:"duesPaidThrough" record:"label=党费缴纳至,type=month,required"`
	AppointmentAt   *time.Time `bson:"appointmentAt,omitempty" json:"appointmentAt" record:"label=预约审核纸质材料时间"`
	AppliedOn       string     `bson:"appliedOn" json:"appliedOn" record:"label=申请时间,type=date,readonly,list,search"`
	Mode            string     `bson:"mode" json:"mode" record:"label=操作类型,readonly,list,search,options=external:转出|internal:平台内流转"`
	ToOrgID         string     `bson:"toOrgId" json:"toOrgId"`
	PaperChecked    bool       `bson:"paperChecked" json:"paperChecked" record:"label=纸质文件已审核,readonly"`
	// The letter 介绍信, once it is approved. Its number stays, whatever is renewed.
	LetterNo   string `bson:"letterNo" json:"letterNo" record:"label=介绍信编号,readonly,list,keyword,width=150"`
	LetterDate string `bson:"letterDate" json:"letterDate" record:"label=介绍信日期,type=date,readonly"`
	ValidDays  int    `bson:"validDays" json:"validDays" record:"label=有效期（天）,readonly"`
	// ExpiresOn is the last day on which it holds.
	ExpiresOn    string `bson:"expiresOn" json:"expiresOn" record:"label=有效期至,type=date,readonly,list"`
	LetterToken  string `bson:"letterToken,omitempty" json:"-"`
	Told         []int  `bson:"told,omitempty" json:"-"` // how many days before its end was warned of
	RenewReason  string `bson:"renewReason" json:"renewReason" record:"label=延期原因,readonly"`
	ReceivedOn   string `bson:"receivedOn" json:"receivedOn" record:"label=回执日期,type=date,readonly,list"`
	ReceivedBy   string `bson:"receivedBy" json:"receivedBy" record:"label=回执接收单位及经办人,readonly"`
	ReturnReason string `bson:"returnReason" json:"returnReason" record:"label=转回原因,readonly"`
	ReturnedOn   string `bson:"returnedOn" json:"returnedOn" record:"label=转回时间,type=date,readonly"`
	ReturnedBy   string `bson:"returnedBy" json:"returnedBy" record:"label=转回经办人,readonly"`
	Application  `bson:",inline"`
}

// Expired tells whether the letter holds no more on a day: it ran out, and no receipt came.
func (t *TransferOut) Expired(day string) bool {
	return t.ReceivedOn == "" && t.ExpiresOn != "" && t.ExpiresOn < day
}

// Letter is how the letter of an approved transfer away stands on a day: valid, ending within some
// days, expired or received; "" where there is none.
func (t *TransferOut) Letter(now time.Time, soon int) string {
	switch {
	case t.State != ApprovalApproved || t.Mode != TransferExternal:
		return ""
	case t.ReceivedOn != "":
		return "received"
	case t.Expired(now.Format(time.DateOnly)):
		return "expired"
	case t.ExpiresOn <= now.AddDate(0, 0, soon).Format(time.DateOnly):
		return "ending"
	}
	return "valid"
}

// Issue makes the letter good for some days from one on (组通字〔2006〕45号: 90 at most).
func (t *TransferOut) Issue(from time.Time, days int) {
	t.ValidDays, t.LetterDate = days, from.Format(time.DateOnly)
	t.ExpiresOn = from.AddDate(0, 0, days).Format(time.DateOnly)
	t.Told = nil
}

// Certificate 证明信, spec/records.md 33: what an organisation certifies about a member.
type Certificate struct {
	Base          `bson:",inline"`
	CertificateNo string `bson:"certificateNo" json:"certificateNo" record:"label=编号,readonly,list,keyword,width=150"`
	OfMember      `bson:",inline"`
	Receiver      string `bson:"receiver" json:"receiver" record:"label=致（接收单位）,required,max=100,list,width=160"`
	Purpose       string `bson:"purpose" json:"purpose" record:"label=证明事项,required,max=200,list,width=160"`
	Content       string `bson:"content" json:"content" record:"label=正文,type=text,required,max=2000"`
	IssuedOn      string `bson:"issuedOn" json:"issuedOn" record:"label=开具日期,type=date,readonly,list,search"`
	Token         string `bson:"token,omitempty" json:"-"` // by which its QR code is verified
	Application   `bson:",inline"`
}

// Due is the warning of a letter that is due at a moment and was not given: the least of those
// days before its end that have come, -1 once it ran out.
func (t *TransferOut) Due(now time.Time, days []int) (int, bool) {
	for _, n := range slices.Backward(days) {
		from := t.ExpiresOn
		if end, err := time.ParseInLocation(time.DateOnly, t.ExpiresOn, now.Location()); err == nil {
			from = end.AddDate(0, 0, -n).Format(time.DateOnly)
		}
		if from <= now.Format(time.DateOnly) {
			return n, t.State == ApprovalApproved && t.ReceivedOn == "" && !slices.Contains(t.Told, n)
		}
	}
	return 0, false
}
