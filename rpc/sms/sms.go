// Package sms sends short messages. Domain code sees Sender; New is the Aliyun
// adapter; package sms/sim is the other end of the wire for development and tests.
package sms

import "context"

// Message is one short message. Its Kind names the template in the
// configuration; Params are the template's variables by the product's names.
type Message struct {
	Phone  string
	Kind   string
	Params map[string]string
}

// Sender sends short messages.
type Sender interface {
	// Send returns nil once the provider has taken the message. An error of
	// KindUnknown (a timeout) means it may have been taken: never resend blindly.
	Send(ctx context.Context, m Message) error
}
