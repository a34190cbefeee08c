package model

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// EventAudited carries an AuditFact in the write of the document that it is about.
const EventAudited = "record.audited"

// AuditInbox is the collection of facts that no document carries, until they are chained.
const AuditInbox = "auditInbox"

// What an audited person did.
const (
	AuditCreate      = "create"
	AuditUpdate      = "update"
	AuditDelete      = "delete"
	AuditAct         = "act"
	AuditImport      = "import"
	AuditExport      = "export"
	AuditReveal      = "reveal"
	AuditRefused     = "refused"
	AuditLogin       = "login"
	AuditLoginFailed = "loginFailed"
	AuditLocked      = "locked"
	AuditLogout      = "logout"
	AuditPassword    = "password"
)

// AuditChange is one field of a record, before and after. Personal values are masked.
type AuditChange struct {
	Field string `bson:"field" json:"field"`
	Label string `bson:"label" json:"label"`
	Old   string `bson:"old" json:"old"`
	New   string `bson:"new" json:"new"`
}

// AuditFact is what somebody did: who, when, from where, and what changed. ID is the same
// whenever the same fact is told.
type AuditFact struct {
	ID         string        `json:"id"`
	At         time.Time     `json:"at"`
	UserID     string        `json:"userId"` // or the member's
	UserName   string        `json:"userName"`
	UserKind   string        `json:"userKind"` // user, member, system; "" before log-in
	IP         string        `json:"ip"`
	RequestID  string        `json:"requestId"`
	OrgID      string        `json:"orgId"` // where it belongs: who sees the place sees the entry
	Orgs       []string      `json:"orgs"`
	Action     string        `json:"action"`
	Title      string        `json:"title"` // of the action
	Type       string        `json:"type"`
	TypeTitle  string        `json:"typeTitle"`
	RecordID   string        `json:"recordId"`
	RecordName string        `json:"recordName"`
	Changes    []AuditChange `json:"changes"`
	Note       string        `json:"note"`
	Failed     bool          `json:"failed"`
}

// AuditEntry is one link of the audit chain. Its _id is its sequence number in twelve
// digits, so that no two entries can follow the same one.
type AuditEntry struct {
	Base       `bson:",inline"`
	Seq        int64         `bson:"seq" json:"seq" record:"label=序号,readonly,list,width=80"`
	Source     string        `bson:"source" json:"-"` // ID of the fact
	At         time.Time     `bson:"at" json:"at" record:"label=时间,readonly,list,search,seconds,width=170"`
	UserID     string        `bson:"userId" json:"userId"`
	UserName   string        `bson:"userName" json:"userName" record:"label=操作人,readonly,list,search,keyword,width=100"`
	UserKind   string        `bson:"userKind" json:"userKind" record:"label=身份,readonly,list,options=user:管理员|member:党员|system:系统"`
	IP         string        `bson:"ip" json:"ip" record:"label=来源地址,readonly,list,search,width=130"`
	Action     string        `bson:"action" json:"action" record:"label=操作类别,readonly,list,search,options=create:添加|update:修改|delete:删除|act:办理|import:导入|export:导出|reveal:查看敏感信息|refused:操作被拒|login:登录|loginFailed:登录失败|locked:锁定|logout:退出|password:修改密码,width=110"`
	Title      string        `bson:"title" json:"title" record:"label=事项,readonly,list,width=110"`
	Type       string        `bson:"type" json:"type"`
	TypeTitle  string        `bson:"typeTitle" json:"typeTitle" record:"label=对象类型,readonly,list,search,width=80"`
	RecordID   string        `bson:"recordId" json:"recordId" record:"label=对象编号,readonly,search"`
	RecordName string        `bson:"recordName" json:"recordName" record:"label=对象,readonly,list,search,keyword,width=110"`
	Changes    []AuditChange `bson:"changes" json:"-"`
	Note       string        `bson:"note" json:"note"`
	Failed     bool          `bson:"failed" json:"failed" record:"label=失败,readonly"`
	RequestID  string        `bson:"requestId" json:"requestId" record:"label=请求编号,readonly,list"`
	PrevHash   string        `bson:"prevHash" json:"prevHash"`
	Hash       string        `bson:"hash" json:"hash" record:"label=校验值,readonly,list"`
}

// Link makes the entry that follows prev (nil: the first) out of a fact.
func Link(prev *AuditEntry, id func(seq int64) string, f *AuditFact, key *Sealer) *AuditEntry {
	e := &AuditEntry{
		Base: Base{OrgID: f.OrgID, Orgs: f.Orgs}, Seq: 1, Source: f.ID, At: f.At.UTC().Truncate(time.Millisecond),
		UserID: f.UserID, UserName: f.UserName, UserKind: f.UserKind, IP: f.IP, RequestID: f.RequestID,
		Action: f.Action, Title: f.Title, Type: f.Type, TypeTitle: f.TypeTitle, RecordID: f.RecordID, RecordName: f.RecordName,
		Changes: f.Changes, Note: f.Note, Failed: f.Failed,
	}
	if prev != nil {
		e.Seq, e.PrevHash = prev.Seq+1, prev.Hash
	}
	e.ID = id(e.Seq)
	e.Hash = e.Sum(key)
	return e
}

// Sum is the keyed SHA-256 (HMAC) over everything that the entry says, and the hash before
// it: who can write to the store but has not DATA_KEY cannot make a chain anew.
func (e *AuditEntry) Sum(key *Sealer) string {
	content := []any{
		e.Seq, e.PrevHash, e.Source, e.At.UnixMilli(), e.OrgID, append([]string{}, e.Orgs...), e.UserID, e.UserName, e.UserKind, e.IP, e.RequestID,
		e.Action, e.Title, e.Type, e.TypeTitle, e.RecordID, e.RecordName, append([]AuditChange{}, e.Changes...), e.Note, e.Failed,
	}
	b, err := json.Marshal(content)
	if err != nil {
		panic(err) // numbers and texts
	}
	return hex.EncodeToString(key.chain(b))
}
