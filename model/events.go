package model

import (
	"encoding/json"
	"time"
)

// The kinds of events and their payloads.
const (
	EventDuesPaid       = "dues.paid"         // DuesPaid
	EventDuesReversed   = "dues.reversed"     // DuesPaid
	EventMeetingStarted = "meeting.started"   // MeetingStarted
	EventCheckedIn      = "meeting.signedIn"  // CheckedIn
	EventSubmitted      = "record.submitted"  // Submitted
	EventDecided        = "record.decided"    // Decided
	EventElectionDue    = "election.due"      // ElectionDue
	EventRewarded       = "member.rewarded"   // Rewarded
	EventRewardRevoked  = "member.unrewarded" // Rewarded
	EventTold           = "members.told"      // Told
)

// DuesPaid says that an order was paid, or that a paid cash order was reversed.
type DuesPaid struct {
	OrderID    string    `json:"orderId"`
	OrderNo    string    `json:"orderNo"`
	MemberID   string    `json:"memberId"`
	MemberName string    `json:"memberName"`
	OrgID      string    `json:"orgId"` // the member's branch
	Orgs       []string  `json:"orgs"`
	FromMonth  string    `json:"fromMonth"`
	ToMonth    string    `json:"toMonth"`
	Months     []string  `json:"months"`
	Amount     int64     `json:"amount"` // fen
	PayMethod  string    `json:"payMethod"`
	PaidAt     time.Time `json:"paidAt"`
}

// MeetingStarted says that a meeting was published; Notify is false for one that was
// over already (MEET-06).
type MeetingStarted struct {
	MeetingID    string    `json:"meetingId"`
	Title        string    `json:"title"`
	StartAt      time.Time `json:"startAt"`
	Place        string    `json:"place"`
	NoticeForm   []string  `json:"noticeForm"` // wechat, sms, site
	Participants []string  `json:"participants"`
	Notify       bool      `json:"notify"`
}

// CheckedIn says that a participant scanned the code, once.
type CheckedIn struct {
	MeetingID   string    `json:"meetingId"`
	Title       string    `json:"title"`
	MeetingForm string    `json:"meetingForm"`
	MemberID    string    `json:"memberId"`
	MemberName  string    `json:"memberName"`
	OrgID       string    `json:"orgId"` // the member's branch
	Orgs        []string  `json:"orgs"`
	At          time.Time `json:"at"`
}

// Submitted says that a member handed something in; the admins of his organisation who
// have the permission hear of it (JOB-02).
type Submitted struct {
	Type       string   `json:"type"`
	Title      string   `json:"title"` // of the record type
	Name       string   `json:"name"`  // of the record
	TargetID   string   `json:"targetId"`
	Permission string   `json:"permission"`
	MemberID   string   `json:"memberId"`
	MemberName string   `json:"memberName"`
	OrgID      string   `json:"orgId"`
	Orgs       []string `json:"orgs"`
}

// Decided says that an admin approved or rejected something.
type Decided struct {
	Type        string `json:"type"`
	Title       string `json:"title"` // of the record type
	Name        string `json:"name"`
	TargetID    string `json:"targetId"`
	MemberID    string `json:"memberId"`    // the applicant, "" when none
	SubmittedBy string `json:"submittedBy"` // the member or user who handed it in
	Approved    bool   `json:"approved"`
	Opinion     string `json:"opinion"`
}

// ElectionDue says that an organisation has to elect in some months, or today with 0; the
// admins of the organisation hear of it, and its secretary when he is a member (ELEC-02).
type ElectionDue struct {
	ElectionID  string `json:"electionId"`
	OrgID       string `json:"orgId"`
	OrgName     string `json:"orgName"`
	DueOn       string `json:"dueOn"`
	Months      int    `json:"months"`
	SecretaryID string `json:"secretaryId"` // "" when he is not known
}

// Rewarded says that a member got a reward or a sanction, or that the record of it was
// deleted (RWD-02).
type Rewarded struct {
	Item     string   `json:"item"` // ItemReward, ItemSanction
	RecordID string   `json:"recordId"`
	Title    string   `json:"title"`
	MemberID string   `json:"memberId"`
	OrgID    string   `json:"orgId"` // the member's branch
	Orgs     []string `json:"orgs"`
}

// Told is what bound members are told, on site and by WeChat: those of an organisation and
// below it, or some by name.
type Told struct {
	Kind       string            `json:"kind"` // names the template at WeChat
	Title      string            `json:"title"`
	Content    string            `json:"content"`
	TargetType string            `json:"targetType"`
	TargetID   string            `json:"targetId"`
	Page       string            `json:"page"` // of the member client, opens the record
	Fields     map[string]string `json:"fields"`
	OrgID      string            `json:"orgId"`
	MemberIDs  []string          `json:"memberIds"`
}

// NewEvent makes an event; parts make its id deterministic, so that the same fact
// cannot be told twice under two ids.
func NewEvent(id, kind, orgID string, at time.Time, payload any) Event {
	b, err := json.Marshal(payload)
	if err != nil {
		panic(err) // payloads are plain structs
	}
	return Event{ID: id, Kind: kind, OrgID: orgID, At: at, Payload: b}
}
