// Package model holds the documents, one file a domain, and the one way to read and
// change them: Collection.
package model

import "time"

// RootOrg is the topmost organisation. What belongs to the platform as a whole belongs
// to it: its admins only see it.
const RootOrg = "root"

// Base is what every document carries. Embed it inline.
type Base struct {
	ID    string `bson:"_id" json:"id"`
	OrgID string `bson:"orgId" json:"orgId"`
	// Orgs is the path from the root organisation to OrgID. A reader's scope is one
	// equality on it, served by the index (orgs, deleted, _id), newest first.
	Orgs      []string   `bson:"orgs" json:"-"`
	Version   int64      `bson:"version" json:"version"`
	CreatedBy string     `bson:"createdBy" json:"createdBy"`
	CreatedAt time.Time  `bson:"createdAt" json:"createdAt"`
	UpdatedAt time.Time  `bson:"updatedAt" json:"updatedAt"`
	Deleted   bool       `bson:"deleted" json:"-"`
	DeletedAt *time.Time `bson:"deletedAt,omitempty" json:"-"`
	DeletedBy string     `bson:"deletedBy,omitempty" json:"-"`
	// FollowDue: what must follow this change in other documents is not known to be
	// done (records.Type.Follow).
	FollowDue bool `bson:"followDue,omitempty" json:"-"`
	// Pending are the events that this document caused and the relay has not yet
	// handed on. They are saved in the same write as the change itself.
	Pending []Event `bson:"pending,omitempty" json:"-"`
}

// Header gives Collection access to the Base of any document.
func (b *Base) Header() *Base { return b }

// Document is any struct that embeds Base.
type Document interface{ Header() *Base }

// Event is a fact that other domains follow: points, notices, counters. Handlers are
// idempotent by ID, since the relay hands on at least once.
type Event struct {
	ID      string    `bson:"id"`
	Kind    string    `bson:"kind"`
	OrgID   string    `bson:"orgId"`
	At      time.Time `bson:"at"`
	Payload []byte    `bson:"payload"` // JSON
}

// Emit adds an event to be saved with the document's next write.
func (b *Base) Emit(e Event) { b.Pending = append(b.Pending, e) }
