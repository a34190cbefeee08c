package records

import (
	"context"
	"fmt"
	"reflect"

	"zhihuidangjian/model"
)

// Declaration is a *Type of any kind of document.
type Declaration interface{ run() (*recordType, error) }

// run makes of a declaration what the engine runs. What does not name the document's type is
// taken as it is; a hook gets a few lines below.
func (t *Type[D]) run() (*recordType, error) {
	u := &Type[model.Document]{}
	from, to := reflect.ValueOf(t).Elem(), reflect.ValueOf(u).Elem()
	for i := range from.NumField() {
		if f := to.Field(i); f.CanSet() && f.Type() == from.Field(i).Type() {
			f.Set(from.Field(i))
		}
	}
	if t.Collection != nil {
		u.Collection = t.Collection.Untyped()
	}
	for _, a := range t.Actions {
		u.Actions = append(u.Actions, Action[model.Document]{
			Key: a.Key, Title: a.Title, Confirm: a.Confirm, Fields: a.Fields, Related: a.Related, Alone: a.Alone, Phone: a.Phone, All: a.All, Opens: a.Opens,
			Permission: a.Permission, Do: with(a.Do), Run: running(a.Run), Print: printing(a.Print), Done: about(a.Done),
		})
	}
	if o := t.Own; o != nil {
		u.Own = &Own[model.Document]{
			Where: o.Where, Fields: o.Fields, Form: o.Form, Create: o.Create, Update: o.Update, Delete: o.Delete,
			Place: o.Place, Actions: o.Actions, Announce: o.Announce, Prepare: alone(o.Prepare),
		}
	}
	if a := t.Approval; a != nil {
		u.Approval = &Approval[model.Document]{Applicant: about(a.Applicant), Ask: a.Ask, OnApprove: with(a.OnApprove), Effect: alone(a.Effect)}
	}
	u.Life = t.Life.untyped()
	u.NameOf, u.FollowWhen = about(t.NameOf), about(t.FollowWhen)
	u.BeforeSave = change(t.BeforeSave)
	u.BeforeDelete = alone(t.BeforeDelete)
	u.Follow, u.Viewed = alone(t.Follow), alone(t.Viewed)
	if f := t.FromImport; f != nil {
		u.FromImport = func(ctx context.Context, row map[string]string, doc model.Document) error {
			return f(ctx, row, doc.(D))
		}
	}
	if f := t.Store; f != nil {
		u.Store = func(ctx context.Context, docs []model.Document) (map[int]error, error) { return f(ctx, typed[D](docs)) }
	}
	if f := t.Present; f != nil {
		u.Present = func(ctx context.Context, docs []model.Document, rows []Row) error {
			return f(ctx, typed[D](docs), rows)
		}
	}
	if f := t.Reveal; f != nil {
		u.Reveal = func(ctx context.Context, doc model.Document, row Row) error { return f(ctx, doc.(D), row) }
	}
	for i := range from.NumField() {
		if f := from.Type().Field(i); f.IsExported() && !from.Field(i).IsZero() && to.Field(i).IsZero() {
			return nil, fmt.Errorf("record type %s: %s is not handed on to the engine", t.Name, f.Name)
		}
	}
	t.running = &recordType{Type: u}
	t.running.compose()
	return t.running, nil
}
