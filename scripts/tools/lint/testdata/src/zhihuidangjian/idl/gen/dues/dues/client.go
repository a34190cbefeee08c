// Package dues stands for a generated client.
package dues

type Client interface {
	GetOwed() error
	PayCash() error
}
