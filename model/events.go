package model

import (
	"encoding/json"
	"time"
)

// The kinds of events, each with one follower that knows no domain: what is to be told, and
// what points follow, is said in full by who knows it. EventAudited stands with its fact.
const (
	EventTold     = "told"     // Told, for notify
	EventEarned   = "earned"   // Earned, for points
	EventUnearned = "unearned" // Unearned, for points
)

// NewEvent makes an event. Its id names the fact, so that the same fact cannot be told twice
// under two; what one fact tells and what it earns may share it.
func NewEvent(id, kind, orgID string, at time.Time, payload any) Event {
	b, err := json.Marshal(payload)
	if err != nil {
		panic(err) // payloads are plain structs
	}
	return Event{ID: id, Kind: kind, OrgID: orgID, At: at, Payload: b}
}

// Tell lets people know, in the document's next write. The id is that of the fact.
func (b *Base) Tell(id string, at time.Time, t Told) {
	b.Emit(NewEvent(id, EventTold, b.OrgID, at, t))
}

// Earn lets points follow, in the document's next write.
func (b *Base) Earn(id string, at time.Time, e Earned) {
	b.Emit(NewEvent(id, EventEarned, b.OrgID, at, e))
}

// Unearn takes back, in the document's next write, whatever a source earned.
func (b *Base) Unearn(id string, at time.Time, u Unearned) {
	b.Emit(NewEvent(id, EventUnearned, b.OrgID, at, u))
}
