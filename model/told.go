package model

// Told is a message in its final words, and to whom it goes: members, users of the console,
// or several of them at once. Each of them gets one, whatever how often he is named.
type Told struct {
	Kind    string `json:"kind"` // names the template at WeChat and at the SMS provider
	Title   string `json:"title"`
	Content string `json:"content"` // on site
	// Fields fill the templates, by the product's names of them.
	Fields map[string]string `json:"fields,omitempty"`

	// TargetType and TargetID are the record of which it speaks; Page, of the member client,
	// opens it.
	TargetType string `json:"targetType,omitempty"`
	TargetID   string `json:"targetId,omitempty"`
	Page       string `json:"page,omitempty"`

	// OrgID: the members of this organisation and below who have bound themselves (MENU-11).
	OrgID string `json:"orgId,omitempty"`
	// MemberIDs: these; who is not bound reads it on site when he is.
	MemberIDs []string `json:"memberIds,omitempty"`
	// Channels are those to members; without any, on site and by WeChat.
	Channels []string `json:"channels,omitempty"`
	// Traced: a member whom WeChat cannot reach has a row that says why (MEET-12).
	Traced bool `json:"traced,omitempty"`

	// AdminsOf: the admins of this organisation who hold Permission, "" any, on site.
	AdminsOf   string `json:"adminsOf,omitempty"`
	Permission string `json:"permission,omitempty"`
	// UserIDs: these users of the console, on site.
	UserIDs []string `json:"userIds,omitempty"`
}
