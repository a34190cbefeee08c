// Package audit keeps the audit trail: who did what, when, from where, and what changed, as
// a chain of entries that only grows. Each entry holds the keyed hash of the one before it, so
// that a changed, missing or inserted one shows.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	gen "zhihuidangjian/idl/gen/audit"
	partysvc "zhihuidangjian/idl/gen/party/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
	"zhihuidangjian/rpc/trail"
)

// Deps are what the service stands on.
type Deps struct {
	DB    *mongo.Database
	Clock *kit.Clock
	Seal  *model.Sealer // keys the chain
	Party partysvc.Client
}

// Service implements idl/audit.thrift.
type Service struct {
	*records.Engine
	d       Deps
	entries *model.Collection[*model.AuditEntry]
	mu      sync.Mutex // appenders of one process wait here instead of colliding
}

var _ gen.Audit = (*Service)(nil)

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{d: d, entries: model.NewCollection[*model.AuditEntry](d.DB, "auditEntries", d.Clock.Now)}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var err error
	if s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Orgs: records.Party{Client: d.Party}}, s.entryType()); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return s, nil
}

// entryType is 操作日志: read and exported, never written by anybody. An entry stays where
// it happened when its organisation moves.
func (s *Service) entryType() *records.Type[*model.AuditEntry] {
	return &records.Type[*model.AuditEntry]{
		Name: "audit", Title: "操作日志", Menu: "系统管理", Icon: "guide", Section: "18.3", Collection: s.entries,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{
			{Key: "changes", Label: "内容", Type: "text", List: true, Virtual: true, After: "recordName", Width: 200},
			{Key: "result", Label: "结果", List: true, Virtual: true, After: "changes"},
		},
		Indexes: []model.Index{
			{Keys: bson.D{{Key: "source", Value: 1}}, Unique: true},
			{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "at", Value: -1}}},
			{Keys: bson.D{{Key: "recordId", Value: 1}, {Key: "_id", Value: -1}}},
		},
		NameOf:  func(e *model.AuditEntry) string { return e.ID },
		Present: present,
		Rehome:  func(context.Context, string, []string) error { return nil },
	}
}

// present writes the changes, and what else is to be said, as people read them.
func present(_ context.Context, docs []*model.AuditEntry, rows []records.Row) error {
	for i, e := range docs {
		var lines []string
		rows[i]["result"] = "成功"
		if e.Failed {
			rows[i]["result"] = "未成功"
			lines = append(lines, "未成功："+e.Note)
		} else if e.Note != "" {
			lines = append(lines, e.Note)
		}
		for _, c := range e.Changes {
			was := shown(c.Old) + " → "
			if e.Action == model.AuditCreate {
				was = ""
			}
			lines = append(lines, c.Label+"："+was+shown(c.New))
		}
		rows[i]["changes"] = strings.Join(lines, "；\n") // lines on its page, one in a list
	}
	return nil
}

func shown(s string) string {
	if s == "" {
		return "（空）"
	}
	return s
}

// HandleEvents appends the facts that documents carried. It may be called again with the
// same ones.
func (s *Service) HandleEvents(ctx context.Context, req *recordsgen.Events) (*recordsgen.Handled, error) {
	out := &recordsgen.Handled{Refused: map[string]string{}}
	var facts []*model.AuditFact
	for _, e := range req.Events {
		if e.Kind != model.EventAudited {
			continue
		}
		f := &model.AuditFact{}
		if err := json.Unmarshal(e.Payload, f); err != nil {
			out.Refused[e.Id] = err.Error()
			continue
		}
		facts = append(facts, f)
	}
	return out, s.append(ctx, facts)
}

// Note keeps one fact until Gather appends it.
func (s *Service) Note(ctx context.Context, req *recordsgen.JSON) (*recordsgen.Empty, error) {
	var f model.AuditFact
	if err := json.Unmarshal(req.Json, &f); err != nil {
		return nil, kit.ErrInvalid.Because(err)
	}
	return &recordsgen.Empty{}, trail.Note(ctx, s.d.DB, f)
}
