package model

import "time"

// Earned says that somebody did what rules give or take points for. Whether a rule counts,
// what it is worth and how much of it a day may bring is for the rules to say.
type Earned struct {
	SourceType string    `json:"sourceType"` // with SourceID what it was: an order, a meeting, a reward
	SourceID   string    `json:"sourceId"`
	At         time.Time `json:"at"`
	Shares     []Share   `json:"shares"`
}

// Share is what one member or organisation earns of a source by one rule.
type Share struct {
	Dimension string `json:"dimension"` // with Item the rule
	Item      string `json:"item"`
	SubjectID string `json:"subjectId"` // member or organisation
	// OrgID and Orgs are the member's branch at the time, or the organisation itself.
	OrgID string   `json:"orgId"`
	Orgs  []string `json:"orgs"`
	// Units is how often: 1 earns what the rule adds, -1 loses what it deducts.
	Units int `json:"units"`
	// Due is the month (yyyy-MM) for which it was due, where the rule asks how early it came;
	// it tells shares of a subject apart. "" where nothing was due.
	Due    string `json:"due,omitempty"`
	Source string `json:"source"` // for people: 党费 2026-11
}

// Unearned says that what a source earned or lost counts no longer.
type Unearned struct {
	SourceType string `json:"sourceType"`
	SourceID   string `json:"sourceId"`
}
