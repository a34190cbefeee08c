package model

import "time"

// The channels of a notification.
const (
	ChannelSite   = "site"   // seen in the product itself
	ChannelWeChat = "wechat" // template message of the official account
	ChannelMini   = "mini"   // subscribe message of the mini-program
	ChannelSMS    = "sms"
)

// The states of sending.
const (
	SendQueued  = "queued"
	SendSending = "sending" // a worker holds it until NextAt
	SendSent    = "sent"
	SendFailed  = "failed"
)

// Notification 消息通知, spec/records.md 83: one message to one receiver by one channel,
// and at the same time its log row (JOB-03, JOB-04). OrgID and Orgs are the receiver's.
type Notification struct {
	Base         `bson:",inline"`
	ReceiverType string            `bson:"receiverType" json:"receiverType"` // user, member
	ReceiverID   string            `bson:"receiverId" json:"receiverId"`
	Kind         string            `bson:"kind" json:"kind"`
	Title        string            `bson:"title" json:"title"`
	Content      string            `bson:"content" json:"content"`
	TargetType   string            `bson:"targetType" json:"targetType"`
	TargetID     string            `bson:"targetId" json:"targetId"`
	ReadAt       *time.Time        `bson:"readAt,omitempty" json:"readAt"`
	Channel      string            `bson:"channel" json:"channel"`
	OpenID       string            `bson:"openId,omitempty" json:"-"`
	PhoneMasked  string            `bson:"phoneMasked,omitempty" json:"phone"` // the number itself stays with the member
	URL          string            `bson:"url,omitempty" json:"-"`
	Fields       map[string]string `bson:"fields,omitempty" json:"-"`
	SendState    string            `bson:"sendState" json:"sendState"`
	// NextAt is when a queued message is due by the product's clock, and when a
	// sending one counts as abandoned by the machine's clock: a lease must not end
	// because somebody moved the product's clock.
	NextAt     time.Time  `bson:"nextAt" json:"-"`
	Tries      int        `bson:"retries" json:"retries"`
	FailReason string     `bson:"failReason,omitempty" json:"failReason"`
	SentAt     *time.Time `bson:"sentAt,omitempty" json:"sentAt"`
	Consumed   bool       `bson:"consumed,omitempty" json:"-"` // its consent was taken from the quota
}

// Consent counts the subscribe messages of one kind that a member still accepts: one
// for each time he agreed. The id is member and kind.
type Consent struct {
	Base     `bson:",inline"`
	MemberID string `bson:"memberId"`
	Kind     string `bson:"kind"`
	Count    int    `bson:"count"`
}
