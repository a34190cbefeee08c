package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/field"
	"zhihuidangjian/rpc/records/sheet"
	"zhihuidangjian/rpc/trail"
)

// The states of an import.
const (
	stateQueued    = "queued"
	stateChecking  = "checking"
	statePreview   = "preview" // checked; it waits to be confirmed
	stateRunning   = "running"
	stateFinished  = "finished"
	stateFailed    = "failed" // refused as a whole, or given up
	stateCancelled = "cancelled"
)

// working are the states in which an import wants a worker.
var working = bson.A{stateQueued, stateChecking, stateRunning}

const (
	// leaseTime is how long an import without a heartbeat stays with its worker. It is
	// wall time: processes die by it, not by the product's clock.
	leaseTime = 30 * time.Second
	// keepImports is how long batches and their failed rows, which hold personal data,
	// are kept.
	keepImports = 30 * 24 * time.Hour
	partSize    = 1 << 20
	// maxTries is how many workers may take an import without getting any further, and
	// maxDeaths how many of them may die of it: what killed the process twice is not tried
	// again.
	maxTries, maxDeaths = 20, 2
)

// reading are the imports that are in memory, of all services of the process.
var reading = make(chan struct{}, 2)

// batch is one upload. Rows are stored under ids derived from its own, so that a row
// that was stored before a crash is known again.
type batch struct {
	ID         string    `bson:"_id"`
	Type       string    `bson:"type"`
	FileName   string    `bson:"fileName"`
	State      string    `bson:"state"`
	Total      int       `bson:"total"`
	Done       int       `bson:"done"` // rows that are dealt with
	Success    int       `bson:"success"`
	Failure    int       `bson:"failure"`
	Message    string    `bson:"message"`
	Parts      int       `bson:"parts"`
	Caller     []byte    `bson:"caller"` // who uploaded it, JSON of kit.Caller
	UserID     string    `bson:"userId"`
	Owner      string    `bson:"owner"`
	LeaseUntil time.Time `bson:"leaseUntil"`
	Tries      int       `bson:"tries"`  // workers since the last progress
	Deaths     int       `bson:"deaths"` // those of them that never gave it back
	CreatedAt  time.Time `bson:"createdAt"`

	// Checks: it is to be shown and confirmed; until then it only checks.
	Checks bool `bson:"checks"`
	// Mended is what was mended before it was confirmed, and Found what the check found:
	// JSON, sealed, since both hold what is in the file.
	Mended string `bson:"mended"`
	Found  string `bson:"found"`
}

// part is a piece of the uploaded file, gone when the import ends.
type part struct {
	ID        string    `bson:"_id"` // batch/number
	Data      []byte    `bson:"data"`
	CreatedAt time.Time `bson:"createdAt"`
}

// failure is one row that was refused.
type failure struct {
	ID        string     `bson:"_id"` // batch/row
	Batch     string     `bson:"batch"`
	RowNo     int        `bson:"rowNo"`
	Values    string     `bson:"values"`  // JSON, sealed: it holds personal data
	Figures   string     `bson:"figures"` // likewise
	Reason    string     `bson:"reason"`
	Wrong     complaints `bson:"wrong"`
	CreatedAt time.Time  `bson:"createdAt"`
}

func openImports(ctx context.Context, e *Engine) (*imports, error) {
	m := &imports{
		e: e, batches: e.db.Collection("imports"),
		parts: e.db.Collection("importParts"), failures: e.db.Collection("importFailures"),
	}
	importable := false
	for _, t := range e.types {
		importable = importable || len(t.columns()) > 0
	}
	if !importable {
		return m, nil
	}
	ttl := model.Index{Keys: bson.D{{Key: "createdAt", Value: 1}}, TTL: keepImports}
	for c, more := range map[*mongo.Collection]model.Index{
		m.batches:  {Keys: bson.D{{Key: "state", Value: 1}, {Key: "leaseUntil", Value: 1}}},
		m.failures: {Keys: bson.D{{Key: "batch", Value: 1}, {Key: "rowNo", Value: 1}}},
		m.parts:    ttl,
	} {
		if err := model.EnsureIndexes(ctx, c, more); err != nil {
			return nil, err
		}
	}
	for _, c := range []*mongo.Collection{m.batches, m.failures} {
		if err := model.EnsureIndexes(ctx, c, ttl); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// PendingImports are the imports of every service that nobody works at: just queued, or
// left by a process that died. A worker calls RunImport for each.
func PendingImports(ctx context.Context, db *mongo.Database) ([]*gen.IDReq, error) {
	cur, err := db.Collection("imports").Find(ctx, bson.D{
		{Key: "state", Value: bson.D{{Key: "$in", Value: working}}},
		{Key: "leaseUntil", Value: bson.D{{Key: "$lt", Value: time.Now()}}},
	}, options.Find().SetLimit(100))
	if err != nil {
		return nil, fmt.Errorf("pending imports: %w", err)
	}
	var list []batch
	if err := cur.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("pending imports: %w", err)
	}
	out := make([]*gen.IDReq, len(list))
	for i, b := range list {
		out[i] = &gen.IDReq{Type: b.Type, Id: b.ID}
	}
	return out, nil
}

// StartImport stores an uploaded workbook and begins to work at it.
func (e *Engine) StartImport(ctx context.Context, req *gen.ImportReq) (*gen.ImportBatch, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	if err := mayImport(ctx, t); err != nil {
		return nil, err
	}
	caller := *kit.CallerOf(ctx)
	if req.OrgId != "" && req.OrgId != caller.OrgID {
		if _, _, err := e.scope(ctx, req.OrgId); err != nil {
			return nil, err
		}
	}
	if len(req.Data) > sheet.MaxFile {
		return nil, kit.ErrTooLarge.Because(errors.New("import file"))
	}
	if len(req.Data) == 0 {
		return nil, ErrNoContents
	}
	who, err := json.Marshal(caller)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	b := &batch{
		ID: kit.NewID(e.clock.Now()), Type: req.Type, FileName: field.Clip(req.FileName), State: stateQueued,
		Caller: who, UserID: caller.UserID, CreatedAt: now, LeaseUntil: now.Add(leaseTime), Checks: req.Preview,
	}
	if err := e.imports.putFile(ctx, b, req.Data); err != nil {
		return nil, err
	}
	b.Owner = kit.Token() // this process, which begins at once
	if _, err := e.imports.batches.InsertOne(ctx, b); err != nil {
		return nil, fmt.Errorf("store import: %w", err)
	}
	e.spawn(b, t)
	return e.imports.show(ctx, b)
}

// spawn works at an import after its call has ended.
func (e *Engine) spawn(b *batch, t *recordType) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx.Err() != nil {
		return // closed: another process takes it
	}
	copied := *b
	e.running.Go(fmt.Sprintf("import %s of %s", copied.ID, copied.Type), func() error {
		if err := e.imports.run(e.ctx, &copied, t); err != nil {
			slog.Warn("import interrupted", "import", copied.ID, "type", copied.Type, "cause", err)
		}
		return nil
	})
}

// GetImport tells how far an import is, to who uploaded it.
func (e *Engine) GetImport(ctx context.Context, req *gen.IDReq) (*gen.ImportBatch, error) {
	b, err := e.imports.mine(ctx, req)
	if err != nil {
		return nil, err
	}
	return e.imports.show(ctx, b)
}

// ImportFailures is the template with the failed rows and why each failed. Corrected,
// it imports as it is.
func (e *Engine) ImportFailures(ctx context.Context, req *gen.IDReq) (*gen.File, error) {
	b, err := e.imports.mine(ctx, req)
	if err != nil {
		return nil, err
	}
	t, err := e.typ(b.Type)
	if err != nil {
		return nil, err
	}
	failed, date1904 := [][]any{}, false
	err = e.imports.eachFailure(ctx, b.ID, 0, func(f *gen.ImportFailure, numbers sheet.Figures) {
		row := make([]any, 0, len(f.Values)+1)
		for i, v := range f.Values {
			if n, ok := numbers.At[i]; ok { // as the sender had it: 2024.1 as a text would be January
				row = append(row, n)
			} else {
				row = append(row, sheet.Harmless(v))
			}
		}
		failed, date1904 = append(failed, append(row, f.Reason)), date1904 || numbers.Date1904
	})
	if err != nil {
		return nil, err
	}
	data, err := templateOf(ctx, e, t.columns(), failed, date1904)
	if err != nil {
		return nil, err
	}
	return Workbook(t.Title+"导入失败列表", data), nil
}

// RunImport works at an import that nobody works at; workers call it. It may run twice
// and stores no row twice. When the call's deadline comes it stops where it is.
func (e *Engine) RunImport(ctx context.Context, req *gen.IDReq) (*gen.ImportBatch, error) {
	b, err := e.imports.get(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	t, err := e.typ(b.Type)
	if err != nil {
		return nil, err
	}
	ok, err := e.imports.take(ctx, b)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := e.imports.run(ctx, b, t); err != nil {
			return nil, err
		}
	}
	if b, err = e.imports.get(ctx, req.Id); err != nil {
		return nil, err
	}
	return e.imports.show(ctx, b)
}

func (m *imports) get(ctx context.Context, id string) (*batch, error) {
	b := new(batch)
	err := m.batches.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(b)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, kit.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read import: %w", err)
	}
	return b, nil
}

// mine is an import of the caller's own; another's looks like none.
func (m *imports) mine(ctx context.Context, req *gen.IDReq) (*batch, error) {
	t, err := m.e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	if err := mayImport(ctx, t); err != nil {
		return nil, err
	}
	b, err := m.get(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	if c := kit.CallerOf(ctx); b.Type != req.Type || c.Kind != kit.System && c.UserID != b.UserID {
		return nil, kit.ErrNotFound
	}
	return b, nil
}

// take leases an import whose lease has run out. Who gives a lease back is no owner any
// more: one that still has an owner was left by a process that died.
func (m *imports) take(ctx context.Context, b *batch) (bool, error) {
	now := time.Now()
	owner := kit.Token()
	deaths := 0
	if b.Owner != "" {
		deaths = 1
	}
	r, err := m.batches.UpdateOne(ctx, bson.D{
		{Key: "_id", Value: b.ID},
		{Key: "owner", Value: b.Owner},
		{Key: "state", Value: bson.D{{Key: "$in", Value: working}}},
		{Key: "leaseUntil", Value: bson.D{{Key: "$lt", Value: now}}},
	}, bson.D{{Key: "$set", Value: bson.D{{Key: "owner", Value: owner}, {Key: "leaseUntil", Value: now.Add(leaseTime)}}},
		{Key: "$inc", Value: bson.D{{Key: "tries", Value: 1}, {Key: "deaths", Value: deaths}}}})
	if err != nil {
		return false, fmt.Errorf("lease import: %w", err)
	}
	if r.ModifiedCount == 0 {
		return false, nil
	}
	fresh, err := m.get(ctx, b.ID) // as the last owner left it
	if err != nil {
		return false, err
	}
	*b = *fresh
	return true, nil
}

var errLeaseLost = errors.New("another worker has the import")

// report saves progress and prolongs the lease.
func (m *imports) report(ctx context.Context, b *batch) error {
	b.LeaseUntil = time.Now().Add(leaseTime)
	r, err := m.batches.UpdateOne(ctx, bson.D{{Key: "_id", Value: b.ID}, {Key: "owner", Value: b.Owner}},
		bson.D{{Key: "$set", Value: bson.D{
			{Key: "state", Value: b.State}, {Key: "message", Value: b.Message}, {Key: "total", Value: b.Total},
			{Key: "done", Value: b.Done}, {Key: "success", Value: b.Success}, {Key: "failure", Value: b.Failure},
			{Key: "leaseUntil", Value: b.LeaseUntil}, {Key: "tries", Value: b.Tries}, {Key: "deaths", Value: b.Deaths}, {Key: "found", Value: b.Found},
		}}})
	if err != nil {
		return fmt.Errorf("report import: %w", err)
	}
	if r.MatchedCount == 0 {
		return errLeaseLost
	}
	return nil
}

// run works at a leased import until it ends, the lease is lost or ctx ends; then the
// next worker goes on after the last chunk that was reported. A panic ends it.
func (m *imports) run(ctx context.Context, b *batch, t *recordType) (err error) {
	tries := b.Tries
	defer func() {
		if err != nil && !errors.Is(err, errLeaseLost) {
			// Give the lease back, so that the next worker need not wait for it.
			if ctx.Err() != nil {
				tries = max(tries-1, 0) // the product stops, which says nothing of the import
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_, rerr := m.batches.UpdateOne(ctx, bson.D{{Key: "_id", Value: b.ID}, {Key: "owner", Value: b.Owner}},
				bson.D{{Key: "$set", Value: bson.D{{Key: "leaseUntil", Value: time.Unix(0, 0)}, {Key: "owner", Value: ""}, {Key: "tries", Value: tries}}}})
			err = errors.Join(err, rerr)
		}
	}()
	var caller kit.Caller
	if err := json.Unmarshal(b.Caller, &caller); err != nil {
		return fmt.Errorf("caller of import: %w", err)
	}
	ctx = kit.WithCaller(ctx, caller)
	if b.Tries > maxTries || b.Deaths >= maxDeaths {
		return m.giveUp(ctx, b, "导入未能完成，已处理%d行；请检查文件，或拆分后重新导入")
	}
	if err := m.wait(ctx, b); err != nil {
		return err
	}
	defer func() { <-reading }()
	panicked := kit.Guard("import "+b.ID+" of "+b.Type, func() error {
		err = m.work(ctx, b, t)
		tries = b.Tries
		return nil
	})
	if panicked != nil {
		return m.giveUp(ctx, b, "导入时发生内部错误，已处理%d行；请联系管理员，并附上该文件")
	}
	return err
}

// giveUp ends an import that did not come to its end.
func (m *imports) giveUp(ctx context.Context, b *batch, message string) error {
	b.State, b.Message = stateFailed, fmt.Sprintf(message, b.Done)
	return m.finish(ctx, b)
}

// wait takes one of the few places of reading, and keeps the lease meanwhile.
func (m *imports) wait(ctx context.Context, b *batch) error {
	for {
		select {
		case reading <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leaseTime / 3):
			if err := m.report(ctx, b); err != nil {
				return err
			}
		}
	}
}

func (m *imports) work(ctx context.Context, b *batch, t *recordType) error {
	if b.State = stateRunning; b.Checks {
		b.State = stateChecking
	}
	if err := m.report(ctx, b); err != nil {
		return err
	}
	rows, note, err := m.rows(ctx, b, t)
	if whole, ok := errors.AsType[field.Refusal](err); ok {
		b.State, b.Message = stateFailed, string(whole)
		return m.finish(ctx, b)
	}
	if err != nil {
		return err
	}
	b.Total, b.Message = len(rows), note
	rd := t.newReader(b.ID, rows)
	if b.Checks {
		return m.check(ctx, b, t, rows, rd)
	}
	for b.Done < len(rows) {
		chunk := rows[b.Done:min(b.Done+t.chunk(), len(rows))]
		reasons, err := t.runRows(ctx, chunk, rd)
		if err != nil {
			return err
		}
		if err := m.fail(ctx, b, chunk, reasons); err != nil {
			return err
		}
		b.Tries, b.Deaths = 0, 0
		b.Done += len(chunk)
		b.Failure += len(reasons)
		b.Success += len(chunk) - len(reasons)
		if t.chunk() < 20 && b.Done%20 != 0 && b.Done < len(rows) {
			continue // a row is known again by its id: reporting each costs more than it saves
		}
		if err := m.report(ctx, b); err != nil {
			return err
		}
	}
	b.State = stateFinished
	return m.finish(ctx, b)
}

func (m *imports) finish(ctx context.Context, b *batch) error {
	// It is over: whatever is cancelled now, that is told and the file goes.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := m.note(ctx, b); err != nil {
		return err
	}
	if err := m.report(ctx, b); err != nil {
		return err
	}
	m.forget(ctx, b)
	return nil
}

// forget deletes the uploaded file.
func (m *imports) forget(ctx context.Context, b *batch) {
	ids := make(bson.A, b.Parts)
	for i := range ids {
		ids[i] = partID(b.ID, i)
	}
	if _, err := m.parts.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
		slog.Warn("import file stays until it expires", "import", b.ID, "cause", err)
	}
}

// note writes the end of an import down for the audit, under one id however often it ends.
func (m *imports) note(ctx context.Context, b *batch) error {
	t, err := m.e.typ(b.Type)
	if err != nil {
		return err
	}
	f := trail.By(ctx, m.e.clock.Now())
	f.ID, f.Action, f.Title, f.Type, f.TypeTitle = "import-"+b.ID, model.AuditImport, "导入", t.Name, t.Title
	f.RecordID, f.RecordName, f.Failed = b.ID, b.FileName, b.State == stateFailed
	f.Note = fmt.Sprintf("共%d行，成功%d行，失败%d行", b.Total, b.Success, b.Failure)
	if f.Failed {
		f.Note = b.Message
	}
	return trail.Note(ctx, m.e.db, f)
}

// fail stores the rows that were refused, each once.
func (m *imports) fail(ctx context.Context, b *batch, chunk []sheet.Row, reasons map[int]complaints) error {
	if len(reasons) == 0 {
		return nil
	}
	docs := make([]failure, 0, len(reasons))
	for i, r := range chunk {
		reason, ok := reasons[i]
		if !ok {
			continue
		}
		values, err := json.Marshal(r.Values())
		if err != nil {
			return err
		}
		numbers, err := json.Marshal(r.Figures())
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%s/%d", b.ID, r.No)
		docs = append(docs, failure{
			ID: id, Batch: b.ID, RowNo: r.No, Values: m.sealed(string(values), model.At(id, "values")),
			Figures: m.sealed(string(numbers), model.At(id, "figures")),
			Reason:  reason.Error(), Wrong: reason, CreatedAt: time.Now(),
		})
	}
	_, err := m.failures.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	if err != nil && !mongo.IsDuplicateKeyError(err) { // duplicates: from before a crash
		return fmt.Errorf("store import failures: %w", err)
	}
	return nil
}

// sealed and opened are about a part of an import: its place is the part's id, or the batch's
// with the field.
func (m *imports) sealed(s, place string) string {
	if m.e.seal == nil {
		return s
	}
	return m.e.seal.Seal(s, place)
}

func (m *imports) opened(s, place string) (string, error) {
	if m.e.seal == nil {
		return s, nil
	}
	return m.e.seal.Open(s, place)
}

func (m *imports) eachFailure(ctx context.Context, id string, limit int64, f func(*gen.ImportFailure, sheet.Figures)) error {
	cur, err := m.failures.Find(ctx, bson.D{{Key: "batch", Value: id}},
		options.Find().SetSort(bson.D{{Key: "rowNo", Value: 1}}).SetLimit(limit))
	if err != nil {
		return fmt.Errorf("read import failures: %w", err)
	}
	var list []failure
	if err := cur.All(ctx, &list); err != nil {
		return fmt.Errorf("read import failures: %w", err)
	}
	for _, x := range list {
		plain, err := m.opened(x.Values, model.At(x.ID, "values"))
		if err != nil {
			return err
		}
		out := &gen.ImportFailure{RowNo: int32(x.RowNo), Reason: x.Reason}
		if err := json.Unmarshal([]byte(plain), &out.Values); err != nil {
			return fmt.Errorf("read import failures: %w", err)
		}
		var numbers sheet.Figures
		if err := m.unseal(x.Figures, model.At(x.ID, "figures"), &numbers); err != nil {
			return fmt.Errorf("read import failures: %w", err)
		}
		f(out, numbers)
	}
	return nil
}

func (m *imports) show(ctx context.Context, b *batch) (*gen.ImportBatch, error) {
	out := &gen.ImportBatch{
		Id: b.ID, Type: b.Type, FileName: b.FileName, State: b.State, Message: b.Message, Total: int32(b.Total),
		Done: int32(b.Done), SuccessCount: int32(b.Success), FailureCount: int32(b.Failure), Failures: []*gen.ImportFailure{},
	}
	if b.Failure == 0 {
		return out, nil
	}
	return out, m.eachFailure(ctx, b.ID, 100, func(f *gen.ImportFailure, _ sheet.Figures) { out.Failures = append(out.Failures, f) })
}

func partID(id string, i int) string { return fmt.Sprintf("%s/%03d", id, i) }

func (m *imports) putFile(ctx context.Context, b *batch, data []byte) error {
	for at := 0; at < len(data); at += partSize {
		piece := data[at:min(at+partSize, len(data))]
		id := partID(b.ID, b.Parts)
		p := part{ID: id, Data: []byte(m.sealed(string(piece), id)), CreatedAt: time.Now()}
		if _, err := m.parts.InsertOne(ctx, p); err != nil {
			return fmt.Errorf("store import file: %w", err)
		}
		b.Parts++
	}
	return nil
}

func (m *imports) file(ctx context.Context, b *batch) ([]byte, error) {
	var data []byte
	for i := range b.Parts {
		var p part
		if err := m.parts.FindOne(ctx, bson.D{{Key: "_id", Value: partID(b.ID, i)}}).Decode(&p); err != nil {
			return nil, fmt.Errorf("read import file: %w", err)
		}
		plain, err := m.opened(string(p.Data), p.ID)
		if err != nil {
			return nil, err
		}
		data = append(data, plain...)
	}
	return data, nil
}

func mayImport(ctx context.Context, t *recordType) error {
	if len(t.columns()) == 0 {
		return kit.ErrNotFound
	}
	return kit.Require(ctx, t.Name+".import")
}
