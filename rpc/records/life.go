package records

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// Life is the life of a record as one table: the states it may be in, by the clock too, and
// the verbs that a state allows. What a page offers, what is refused and in which words, the
// filter by state, the colours of its tags and what the phone offers all follow from it; a
// use case beside the engine asks Life.Step.
type Life[D model.Document] struct {
	// Field is the key of the field that shows the state; "" for records without states,
	// whose verbs depend on something else.
	Field string
	// At is the state of a record at a moment.
	At     func(doc D, now time.Time) string
	States []State
	// Verbs are what somebody may do to a record: update, delete, actions of the type, and
	// those of the service's own use cases. What is not named is allowed in every state.
	Verbs []Verb[D]
	// Load reads what the guards need beside the documents, of a whole page at once, and puts
	// it into fields of theirs that are not stored; nil: nothing.
	Load func(ctx context.Context, docs []D) error
	// By is who handed a record in, for verbs that are for others; nil: who made it.
	By func(doc D) string
}

// State is one state of a Life.
type State struct {
	Value, Label string
	// Color is that of its tag: success, warning, info, danger, primary.
	Color string
	// Where finds the records in it at a moment; nil: those whose field holds Value.
	Where func(now time.Time) bson.D
	// Refuse answers a verb that the state does not allow, unless the verb has its own words.
	Refuse *kit.Error
	// Hidden: no list shows it, and nobody can ask for it.
	Hidden bool
}

// Verb is one line of a Life.
type Verb[D model.Document] struct {
	// Key is update, delete, the key of an action, or the name of a use case.
	Key string
	// In are the states that allow it; empty: all.
	In []string
	// To is the state that it leads to; "": it stays as it is. An action stores it by
	// itself, after Do.
	To string
	// If says what else stands against it, to this caller at this moment; nil: nothing.
	If func(c *kit.Caller, doc D, now time.Time) *kit.Error
	// Others: it is not for who handed the record in (Life.By).
	Others bool
	// Refuse answers in every state that does not allow it, Refusals in some of them.
	Refuse   *kit.Error
	Refusals map[string]*kit.Error
	// Inner: a use case of the service, a job or a notice, and no button.
	Inner bool
}

// errOthers refuses who would decide on what he handed in himself.
var errOthers = kit.Conflict("action.own", "不能处理自己提交的内容，请由其他人员操作")

// errNoStep is a use case that a life does not name: a fault of ours.
var errNoStep = errors.New("no such step")

// Step is the state that a verb leads to, for a caller at a moment, or a *kit.Error that
// says why it may not be done. For who asks on behalf of the product, kit.System.
func (l *Life[D]) Step(c *kit.Caller, doc D, verb string, now time.Time) (string, error) {
	v, state := l.verb(verb), ""
	if v == nil {
		return "", kit.ErrInternal.Because(fmt.Errorf("%w: %s", errNoStep, verb))
	}
	if l.At != nil {
		state = l.At(doc, now)
	}
	if len(v.In) > 0 && !slices.Contains(v.In, state) {
		return "", l.refusal(v, state)
	}
	if v.If != nil {
		if e := v.If(c, doc, now); e != nil {
			return "", e
		}
	}
	if v.Others && c.Kind != kit.System {
		by := doc.Header().CreatedBy
		if l.By != nil {
			by = l.By(doc)
		}
		if by != "" && (by == c.UserID || by == c.MemberID) {
			return "", errOthers
		}
	}
	if v.To == "" {
		return state, nil
	}
	return v.To, nil
}

func (l *Life[D]) refusal(v *Verb[D], state string) *kit.Error {
	if e := v.Refusals[state]; e != nil {
		return e
	}
	if v.Refuse != nil {
		return v.Refuse
	}
	for _, s := range l.States {
		if s.Value == state && s.Refuse != nil {
			return s.Refuse
		}
	}
	return errRefused
}

// errRefused stands for the words that the engine finds, which knows what a verb is called.
var errRefused = kit.Conflict("action.refused", "当前状态不能进行该操作")

// untyped is the life of the same records for the engine.
func (l *Life[D]) untyped() *Life[model.Document] {
	if l == nil {
		return nil
	}
	u := &Life[model.Document]{Field: l.Field, States: l.States, By: about(l.By)}
	if load := l.Load; load != nil {
		u.Load = func(ctx context.Context, docs []model.Document) error { return load(ctx, typed[D](docs)) }
	}
	if at := l.At; at != nil {
		u.At = func(doc model.Document, now time.Time) string { return at(doc.(D), now) }
	}
	for _, v := range l.Verbs {
		w := Verb[model.Document]{
			Key: v.Key, In: v.In, To: v.To, Others: v.Others, Refuse: v.Refuse, Refusals: v.Refusals, Inner: v.Inner,
		}
		if may := v.If; may != nil {
			w.If = func(c *kit.Caller, doc model.Document, now time.Time) *kit.Error { return may(c, doc.(D), now) }
		}
		u.Verbs = append(u.Verbs, w)
	}
	return u
}

// verb is the line of a verb, nil for one that every state allows.
func (l *Life[D]) verb(key string) *Verb[D] {
	if l == nil {
		return nil
	}
	i := slices.IndexFunc(l.Verbs, func(v Verb[D]) bool { return v.Key == key })
	if i < 0 {
		return nil
	}
	return &l.Verbs[i]
}

// may is what the type's life says to a verb: nil, or why not, in words that name the verb.
func (t *recordType) may(ctx context.Context, doc model.Document, verb, title string) error {
	if t.Life.verb(verb) == nil {
		return nil
	}
	if err := t.loadLife(ctx, doc); err != nil {
		return err
	}
	_, err := t.Life.Step(kit.CallerOf(ctx), doc, verb, t.engine.clock.Now())
	if e, ok := errors.AsType[*kit.Error](err); ok && e == errRefused { // no words of its own
		return kit.Conflict("action.refused", "该%s当前不能%s", t.Title, title)
	}
	return err
}

// loadLife reads what the guards of documents need.
func (t *recordType) loadLife(ctx context.Context, docs ...model.Document) error {
	if t.Life == nil || t.Life.Load == nil || len(docs) == 0 {
		return nil
	}
	return t.Life.Load(ctx, docs)
}

// move stores the state that a verb leads to, if it leads to one and the field holds it.
func (t *recordType) move(doc model.Document, verb string) {
	v, f := t.Life.verb(verb), t.byKey[t.Life.field()]
	if v != nil && v.To != "" && f != nil && f.Held() {
		f.Write(reflect.ValueOf(doc).Elem(), v.To)
	}
}

func (l *Life[D]) field() string {
	if l == nil {
		return ""
	}
	return l.Field
}

// inState is the part of a query that finds the records in states, of several one of them.
func (t *recordType) inState(value string) (bson.D, error) {
	f, now := t.byKey[t.Life.Field], t.engine.clock.Now()
	var any bson.A
	for one := range strings.SplitSeq(value, ",") {
		i := slices.IndexFunc(t.Life.States, func(s State) bool { return s.Value == one && !s.Hidden })
		if i < 0 {
			return nil, kit.Invalid("filter.invalid", "筛选条件“%s”填写有误", f.Label)
		}
		switch where := t.Life.States[i].Where; {
		case where != nil:
			any = append(any, where(now))
		case f.Stored == "":
			return nil, errFilter
		default:
			any = append(any, bson.D{{Key: f.Stored, Value: one}})
		}
	}
	if len(any) == 1 {
		return any[0].(bson.D), nil
	}
	return bson.D{{Key: "$or", Value: any}}, nil
}

// live readies the field that shows the states: its options are theirs.
func (t *recordType) live() {
	f := t.byKey[t.Life.field()]
	if f == nil {
		return
	}
	f.Type, f.Options = "enum", nil
	for _, s := range t.Life.States {
		if !s.Hidden {
			f.Options = append(f.Options, Option{Value: s.Value, Label: s.Label, Color: s.Color})
		}
	}
}

// checkLife finds what a life forgot or misspelt.
func (t *recordType) checkLife(wrong func(string, ...any)) {
	l := t.Life
	if l == nil {
		return
	}
	f := t.byKey[l.Field]
	if l.Field != "" && (f == nil || l.At == nil || len(l.States) == 0) {
		wrong("its life needs the field %s, At and States", l.Field)
	}
	known := func(what string, states ...string) {
		for _, s := range states {
			if !slices.ContainsFunc(l.States, func(x State) bool { return x.Value == s }) {
				wrong("%s names the state %s, which there is not", what, s)
			}
		}
	}
	for _, s := range l.States {
		if s.Where == nil && !s.Hidden && f != nil && f.Search && f.Stored == "" {
			wrong("nothing finds the records in the state %s", s.Value)
		}
	}
	var seen []string
	for _, v := range l.Verbs {
		if slices.Contains(seen, v.Key) {
			wrong("its life has the verb %s twice", v.Key)
		}
		seen = append(seen, v.Key)
		if !v.Inner && v.Key != "update" && v.Key != "delete" && t.action(v.Key) == nil {
			wrong("its life has the verb %s, which is no action", v.Key)
		}
		known("the verb "+v.Key, v.In...)
		known("the verb "+v.Key, slices.Collect(maps.Keys(v.Refusals))...)
		if v.To != "" {
			known("the verb "+v.Key, v.To)
		}
	}
}
