package points

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// The sources of entries.
const (
	sourceDues    = "duesOrder"
	sourceMeeting = "meeting"
)

// HandleEvent books what an event earns. It may be called again with the same event, by
// two workers at once, and after dying anywhere in between: entry ids are made of event,
// rule, subject and part, and the boards are set from the ledger, not added to.
func (s *Service) HandleEvent(ctx context.Context, e *recordsgen.Event) (*recordsgen.Empty, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	var err error
	switch e.Kind {
	case model.EventDuesPaid:
		err = handle(ctx, e, s.duesPaid)
	case model.EventDuesReversed:
		err = handle(ctx, e, s.duesReversed)
	case model.EventCheckedIn:
		err = handle(ctx, e, s.checkedIn)
	}
	return &recordsgen.Empty{}, err
}

func handle[T any](ctx context.Context, e *recordsgen.Event, f func(context.Context, *recordsgen.Event, *T) error) error {
	p := new(T)
	if err := json.Unmarshal(e.Payload, p); err != nil {
		return fmt.Errorf("event %s: %w", e.Id, err)
	}
	return f(ctx, e, p)
}

// duesPaid books every month of an order for the member and for his branch, wherever
// it was paid (PTS-02, PRNK-07).
func (s *Service) duesPaid(ctx context.Context, e *recordsgen.Event, p *model.DuesPaid) error {
	for _, x := range []struct{ dimension, subject string }{
		{model.DimensionPersonal, p.MemberID}, {model.DimensionOrganisation, p.OrgID},
	} {
		rule, err := s.rule(ctx, x.dimension, model.ItemDues)
		if err != nil {
			return err
		}
		if rule == nil {
			continue
		}
		for _, month := range p.Months {
			source := "党费 " + month
			if x.dimension == model.DimensionOrganisation {
				source = p.MemberName + " " + source
			}
			err := s.book(ctx, rule, rule.DuesScore(month, p.PaidAt), model.PointsEntry{
				Base:      model.Base{ID: kit.KeyID(e.Id, rule.ID, x.subject, month), OrgID: p.OrgID, Orgs: p.Orgs},
				SubjectID: x.subject, EarnedAt: p.PaidAt,
				SourceType: sourceDues, SourceID: p.OrderID, Source: source, EventID: e.Id,
			})
			if err != nil {
				return err
			}
		}
		if err := s.rank(ctx, x.dimension, x.subject, p.PaidAt.In(kit.Shanghai).Year()); err != nil {
			return err
		}
	}
	return nil
}

// duesReversed takes back exactly what the order earned, whatever the rules say by now.
// The lines count in the year of the reversal: earlier years do not change (JOB-06).
func (s *Service) duesReversed(ctx context.Context, e *recordsgen.Event, p *model.DuesPaid) error {
	earned, err := s.entries.Find(ctx, model.Everything, bson.D{{Key: "sourceId", Value: p.OrderID}, {Key: "sourceType", Value: sourceDues}}, model.Page{})
	if err != nil {
		return err
	}
	at := time.UnixMilli(e.At)
	type subject struct{ dimension, id string }
	touched := map[subject]bool{}
	for _, was := range earned {
		if was.Reverses != "" {
			continue
		}
		back := *was
		back.Base = model.Base{ID: kit.KeyID("reverse", was.ID), OrgID: was.OrgID, Orgs: was.Orgs}
		back.Score, back.EarnedAt, back.EventID, back.Reverses = -was.Score, at, e.Id, was.ID
		back.Source = "撤销 " + was.Source
		if err := s.insert(ctx, &back); err != nil {
			return err
		}
		touched[subject{was.Dimension, was.SubjectID}] = true
	}
	for t := range touched {
		if err := s.rank(ctx, t.dimension, t.id, at.In(kit.Shanghai).Year()); err != nil {
			return err
		}
	}
	return nil
}

// checkedIn books a scanned check-in at an offline activity: for the member (PTS-09) and
// as one more head for the organisation that held it (PTS-15, A12).
func (s *Service) checkedIn(ctx context.Context, e *recordsgen.Event, p *model.CheckedIn) error {
	if p.MeetingForm != model.FormOffline {
		return nil
	}
	year := p.At.In(kit.Shanghai).Year()
	rule, err := s.rule(ctx, model.DimensionPersonal, model.ItemOfflineActivity)
	if err != nil {
		return err
	}
	if rule != nil {
		err := s.book(ctx, rule, rule.Add(), model.PointsEntry{
			Base:      model.Base{ID: kit.KeyID(e.Id, rule.ID, p.MemberID), OrgID: p.OrgID, Orgs: p.Orgs},
			SubjectID: p.MemberID, EarnedAt: p.At,
			SourceType: sourceMeeting, SourceID: p.MeetingID, Source: p.Title, EventID: e.Id,
		})
		if err != nil {
			return err
		}
		if err := s.rank(ctx, model.DimensionPersonal, p.MemberID, year); err != nil {
			return err
		}
	}
	rule, err = s.rule(ctx, model.DimensionOrganisation, model.ItemOfflineQuality)
	if err != nil || rule == nil {
		return err
	}
	host, err := s.path(ctx, e.OrgId)
	if err != nil {
		return err
	}
	err = s.book(ctx, rule, rule.Add(), model.PointsEntry{
		Base:      model.Base{ID: kit.KeyID(e.Id, rule.ID, e.OrgId), OrgID: e.OrgId, Orgs: host.ids},
		SubjectID: e.OrgId, EarnedAt: p.At,
		SourceType: sourceMeeting, SourceID: p.MeetingID, Source: p.Title + " " + p.MemberName, EventID: e.Id,
	})
	if err != nil {
		return err
	}
	return s.rank(ctx, model.DimensionOrganisation, e.OrgId, year)
}

// book writes one entry of a rule, cut to what the person may still earn that day.
func (s *Service) book(ctx context.Context, rule *model.PointsRule, score int64, e model.PointsEntry) error {
	e.Dimension, e.RuleID, e.Item = rule.Dimension, rule.ID, rule.Item
	if rule.Dimension == model.DimensionPersonal && rule.Max() > 0 {
		var err error
		if score, err = s.grant(ctx, rule, score, &e); err != nil {
			return err
		}
	}
	if score == 0 {
		return nil
	}
	e.Score = score
	return s.insert(ctx, &e)
}

// grant asks the person's day for a share of the daily maximum. The grant is kept before
// the entry is, so that dying in between loses nothing and gives nothing twice.
func (s *Service) grant(ctx context.Context, rule *model.PointsRule, score int64, e *model.PointsEntry) (given int64, err error) {
	day := e.EarnedAt.In(kit.Shanghai).Format(time.DateOnly)
	id := kit.KeyID(rule.ID, e.SubjectID, day)
	for {
		_, err = s.days.Update(ctx, model.Everything, id, func(d *model.PointsDay) error {
			given = d.Grant(e.ID, score, rule.Max())
			return nil
		})
		if !errors.Is(err, model.ErrNotFound) {
			return given, err
		}
		d := &model.PointsDay{Base: model.Base{ID: id, OrgID: e.OrgID, Orgs: e.Orgs}}
		given = d.Grant(e.ID, score, rule.Max())
		if err = s.days.Insert(ctx, d); !errors.Is(err, model.ErrDuplicate) {
			return given, err
		}
	}
}

func (s *Service) insert(ctx context.Context, e *model.PointsEntry) error {
	e.Year = e.EarnedAt.In(kit.Shanghai).Year()
	if err := s.entries.Insert(ctx, e); err != nil && !errors.Is(err, model.ErrDuplicate) {
		return err
	}
	return nil
}
