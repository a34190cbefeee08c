// Package records stands for ours.
package records

type Engine struct{}

func (*Engine) Save(form string) error { return nil }

type Action[D any] struct {
	When  func(D) bool
	Do    func(D) error
	After func(D) error
}

type Type[D any] struct {
	Actions                       []Action[D]
	BeforeSave, AfterSave, Follow func(D) error
}
