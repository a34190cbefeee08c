package records

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records/sheet"
	"zhihuidangjian/rpc/records/workbook"
)

// An import that is to be confirmed first is checked: its rows are read by the code that
// stores rows, with nothing stored. What the admin mends is kept beside the file, which is
// read again with it, for the next check and in the end for the import itself.

// The limits of what can be mended in the page; a file with more is better mended in Excel.
const (
	mostMended = 2000
	mostGroups = 200
)

// mended is what an admin changed of a file before he confirmed it.
type mended struct {
	Cells map[int]map[string]string    `json:"cells,omitempty"` // row → column → text
	Words map[string]map[string]string `json:"words,omitempty"` // column → word → text
	Skip  map[int]bool                 `json:"skip,omitempty"`
}

// apply changes the rows as the admin did, and leaves out those that he skips unless all
// are wanted.
func (x *mended) apply(rows []sheet.Row, cols []*Field, all bool) []sheet.Row {
	kept := rows[:0]
	for _, r := range rows {
		if x.Skip[r.No] && !all {
			continue
		}
		for i, f := range cols {
			text, ok := x.Cells[r.No][f.Key]
			if words := x.Words[f.Key]; !ok && words != nil {
				text, ok = words[f.Tidy(r.Cells[i].Text)]
			}
			if ok {
				r.Cells[i] = workbook.Cell{Column: r.Cells[i].Column, Kind: workbook.Text, Text: text}
				if text == "" {
					r.Cells[i].Kind = workbook.Blank
				}
			}
		}
		kept = append(kept, r)
	}
	return kept
}

// group is one thing that is wrong with several rows.
type group struct {
	Column, Reason, Word string
	Count                int
}

func (m *imports) mended(b *batch) (*mended, error) {
	x := &mended{}
	return x, m.unseal(b.Mended, model.At(b.ID, "mended"), x)
}

// unseal reads sealed JSON; nothing is nothing.
func (m *imports) unseal(s, place string, into any) error {
	if s == "" {
		return nil
	}
	plain, err := m.opened(s, place)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(plain), into)
}

func (m *imports) sealJSON(v any, place string) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return m.sealed(string(b), place), nil
}

// rows are those of the uploaded file, as they were mended.
func (m *imports) rows(ctx context.Context, b *batch, t *recordType) ([]sheet.Row, string, error) {
	return m.allRows(ctx, b, t, false)
}

func (m *imports) allRows(ctx context.Context, b *batch, t *recordType, skipped bool) ([]sheet.Row, string, error) {
	data, err := m.file(ctx, b)
	if err != nil {
		return nil, "", err
	}
	x, err := m.mended(b)
	if err != nil {
		return nil, "", err
	}
	rows, note, err := sheet.Read(data, t.columns())
	if err != nil {
		return nil, "", err
	}
	return x.apply(rows, t.columns(), skipped), note, nil
}

// check finds out what would become of the rows, from the first on, and then waits.
func (m *imports) check(ctx context.Context, b *batch, t *recordType, rows []sheet.Row, rd *reader) error {
	if err := m.clear(ctx, b); err != nil {
		return err
	}
	rd.dry, rd.ahead, rd.seen = true, map[string]bool{}, map[string]int{}
	found := map[group]int{}
	b.Done, b.Success, b.Failure = 0, 0, 0
	for b.Done < len(rows) {
		chunk := rows[b.Done:min(b.Done+500, len(rows))]
		reasons, err := t.checkRows(ctx, chunk, rd)
		if err != nil {
			return err
		}
		if err := m.fail(ctx, b, chunk, reasons); err != nil {
			return err
		}
		for i, wrong := range reasons {
			for _, c := range wrong {
				g := group{Column: c.Key, Reason: c.Reason}
				if j := slices.Index(t.Columns, c.Key); c.Unknown && j >= 0 {
					g.Word = t.byKey[c.Key].Tidy(chunk[i].Cells[j].Text)
				}
				if _, known := found[g]; known || len(found) < mostGroups {
					found[g]++
				}
			}
		}
		b.Tries, b.Deaths = 0, 0
		b.Done += len(chunk)
		b.Failure += len(reasons)
		b.Success += len(chunk) - len(reasons)
		if err := m.report(ctx, b); err != nil {
			return err
		}
	}
	groups := make([]group, 0, len(found))
	for g, n := range found {
		g.Count = n
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Column, b.Column), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Word, b.Word))
	})
	var err error
	if b.Found, err = m.sealJSON(groups, model.At(b.ID, "found")); err != nil {
		return err
	}
	b.State = statePreview
	return m.report(ctx, b)
}

// clear forgets what an earlier check found.
func (m *imports) clear(ctx context.Context, b *batch) error {
	if _, err := m.failures.DeleteMany(ctx, bson.D{{Key: "batch", Value: b.ID}}); err != nil {
		return fmt.Errorf("clear import failures: %w", err)
	}
	return nil
}

// checkRows is runRows without a write: unique keys are looked for among what is stored,
// and among the rows above.
func (t *recordType) checkRows(ctx context.Context, rows []sheet.Row, rd *reader) (map[int]complaints, error) {
	docs, at, reasons, err := t.read(ctx, rows, rd)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 || len(t.Unique) == 0 {
		return reasons, nil
	}
	taken, err := t.taken(ctx, docs)
	if err != nil {
		return nil, err
	}
	for i, d := range docs {
		if u := taken[i]; u != nil {
			reasons[at[i]] = complaints{{Key: u.Field, Reason: u.Message}}
			continue
		}
		raw, err := bson.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		for n, u := range t.Unique {
			if _, err := bson.Raw(raw).LookupErr(u.Keys[len(u.Keys)-1]); err != nil || !holds(raw, u.Partial) {
				continue
			}
			key := fmt.Sprint(n, keyOf(raw, u.Keys))
			if no := rd.seen[key]; no > 0 {
				reasons[at[i]] = complaints{{Key: u.Field, Reason: fmt.Sprintf("%s（与文件第%d行相同）", u.Message, no)}}
				break
			}
			rd.seen[key] = rows[at[i]].No
		}
	}
	return reasons, nil
}

// holds tells whether a document has the values of a partial index.
func holds(doc bson.Raw, partial bson.D) bool {
	want, err := bson.Marshal(partial)
	if err != nil {
		return false
	}
	for _, e := range partial {
		if keyOf(doc, []string{e.Key}) != keyOf(want, []string{e.Key}) {
			return false
		}
	}
	return true
}

// PreviewImport shows what an import understood, one page of its rows.
func (e *Engine) PreviewImport(ctx context.Context, req *gen.PreviewReq) (*gen.ImportPreview, error) {
	b, t, err := e.waiting(ctx, &gen.IDReq{Type: req.Type, Id: req.Id})
	if err != nil {
		return nil, err
	}
	out := &gen.ImportPreview{Columns: []*gen.ImportColumn{}, Groups: []*gen.ImportGroup{}, Rows: []*gen.ImportRow{}}
	if out.Batch, err = e.imports.show(ctx, b); err != nil {
		return nil, err
	}
	for _, f := range t.columns() {
		options, err := e.choices(ctx, f)
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, &gen.ImportColumn{Key: f.Key, Label: f.Label, Required: f.Required, Options: options})
	}
	var groups []group
	if err := e.imports.unseal(b.Found, model.At(b.ID, "found"), &groups); err != nil {
		return nil, err
	}
	for _, g := range groups {
		label := ""
		if f := t.byKey[g.Column]; f != nil {
			label = f.Label
		}
		out.Groups = append(out.Groups, &gen.ImportGroup{Column: g.Column, Label: label, Reason: g.Reason, Count: int32(g.Count), Word: g.Word})
	}
	return out, e.imports.previewRows(ctx, b, t, req, out)
}

// previewRows reads the rows of a page again; what is wrong with them the check has found.
func (m *imports) previewRows(ctx context.Context, b *batch, t *recordType, req *gen.PreviewReq, out *gen.ImportPreview) error {
	if err := m.wait(ctx, b); err != nil {
		return err
	}
	defer func() { <-reading }()
	all, _, err := m.allRows(ctx, b, t, true)
	if err != nil {
		return err
	}
	x, err := m.mended(b)
	if err != nil {
		return err
	}
	wrong, err := m.wrong(ctx, b)
	if err != nil {
		return err
	}
	rows := all
	if req.Bad {
		rows = slices.DeleteFunc(slices.Clone(all), func(r sheet.Row) bool { return wrong[r.No] == nil })
	}
	size := int(req.Size)
	if size == 0 {
		size = 20
	}
	out.Total = int32(len(rows))
	from := min(max(int(req.Page)-1, 0)*size, len(rows))
	rows = rows[from:min(from+size, len(rows))]
	var caller kit.Caller
	if err := json.Unmarshal(b.Caller, &caller); err != nil {
		return fmt.Errorf("caller of import: %w", err)
	}
	ctx = kit.WithCaller(ctx, caller)
	rd := &reader{batchID: b.ID, found: map[string]string{}, dry: true, ahead: map[string]bool{}, values: map[int][]string{}}
	for _, r := range all { // whatever the page: a row may refer to one above it
		if t.ImportChunk == 1 && wrong[r.No] == nil {
			rd.ahead[t.nameIn(r)] = true
		}
	}
	for _, r := range rows {
		rd.values[r.No] = nil
	}
	if _, _, _, err := t.read(ctx, rows, rd); err != nil {
		return err
	}
	for _, r := range rows {
		row := &gen.ImportRow{RowNo: int32(r.No), Skipped: x.Skip[r.No], Cells: make([]*gen.ImportCell, len(r.Cells))}
		for i, c := range r.Cells {
			cell := &gen.ImportCell{Text: c.Text, Value: t.columns()[i].Tidy(c.Text)}
			if v := rd.values[r.No]; v != nil {
				cell.Value = v[i]
			}
			row.Cells[i] = cell
		}
		for _, c := range wrong[r.No] {
			reason := &row.Reason
			if i := slices.Index(t.Columns, c.Key); i >= 0 {
				reason = &row.Cells[i].Reason
			}
			if *reason != "" {
				*reason += "；"
			}
			*reason += c.Reason
		}
		out.Rows = append(out.Rows, row)
	}
	return nil
}

// nameIn is the text of the column that names what a row becomes.
func (t *recordType) nameIn(r sheet.Row) string {
	f := t.columns()[0]
	return f.Tidy(r.Cells[0].Text)
}

// wrong is what the check found, by row.
func (m *imports) wrong(ctx context.Context, b *batch) (map[int]complaints, error) {
	cur, err := m.failures.Find(ctx, bson.D{{Key: "batch", Value: b.ID}},
		options.Find().SetProjection(bson.D{{Key: "rowNo", Value: 1}, {Key: "wrong", Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("read import failures: %w", err)
	}
	var list []failure
	if err := cur.All(ctx, &list); err != nil {
		return nil, fmt.Errorf("read import failures: %w", err)
	}
	out := make(map[int]complaints, len(list))
	for _, f := range list {
		out[f.RowNo] = f.Wrong
	}
	return out, nil
}

// choices are what may be filled into a column, for the template and for mapping.
func (e *Engine) choices(ctx context.Context, f *Field) ([]string, error) {
	if r := e.ref(f); f.Ref != "" && r.Options != nil {
		return r.Options(ctx)
	}
	if f.Type == "bool" {
		return []string{"是", "否"}, nil
	}
	out := make([]string, 0, len(f.Options))
	for _, o := range f.Options {
		out = append(out, o.Label)
	}
	return out, nil
}

var errNotWaiting = kit.Conflict("import.not_waiting", "该导入已确认、已取消或正在检查，请刷新后再试")

// waiting is an import of the caller's own that waits to be confirmed.
func (e *Engine) waiting(ctx context.Context, req *gen.IDReq) (*batch, *recordType, error) {
	b, err := e.imports.mine(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	if b.State != statePreview {
		return nil, nil, errNotWaiting
	}
	t, err := e.typ(b.Type)
	return b, t, err
}

// MendImport changes what a waiting import will read, and has it checked again.
func (e *Engine) MendImport(ctx context.Context, req *gen.MendReq) (*gen.ImportBatch, error) {
	b, t, err := e.waiting(ctx, &gen.IDReq{Type: req.Type, Id: req.Id})
	if err != nil {
		return nil, err
	}
	x, err := e.imports.mended(b)
	if err != nil {
		return nil, err
	}
	for _, c := range req.Cells {
		if !slices.Contains(t.Columns, c.Column) {
			return nil, kit.Invalid("import.column", "没有该列")
		}
		put(&x.Cells, int(c.RowNo), c.Column, c.Text)
	}
	for _, w := range req.Words {
		if !slices.Contains(t.Columns, w.Column) {
			return nil, kit.Invalid("import.column", "没有该列")
		}
		put(&x.Words, w.Column, t.byKey[w.Column].Tidy(w.Word), w.Text)
	}
	if x.Skip == nil {
		x.Skip = map[int]bool{}
	}
	for _, no := range req.Skip {
		x.Skip[int(no)] = true
	}
	for _, no := range req.Keep {
		delete(x.Skip, int(no))
	}
	if len(x.Cells) > mostMended || len(x.Words) > mostMended || len(x.Skip) > sheet.MaxRows {
		return nil, kit.Invalid("import.mended", "修改较多，请在Excel中改好后重新上传")
	}
	text, err := e.imports.sealJSON(x, model.At(b.ID, "mended"))
	if err != nil {
		return nil, err
	}
	return e.resumeImport(ctx, b, t, bson.D{{Key: "mended", Value: text}})
}

// put sets a value two maps deep.
func put[K comparable](m *map[K]map[string]string, key K, inner, value string) {
	if *m == nil {
		*m = map[K]map[string]string{}
	}
	if (*m)[key] == nil {
		(*m)[key] = map[string]string{}
	}
	(*m)[key][inner] = value
}

// ConfirmImport stores what a waiting import was shown to store.
func (e *Engine) ConfirmImport(ctx context.Context, req *gen.IDReq) (*gen.ImportBatch, error) {
	b, t, err := e.waiting(ctx, req)
	if err != nil {
		return nil, err
	}
	if b.Success == 0 {
		return nil, kit.Invalid("import.nothing", "没有可以导入的数据，请先修改")
	}
	if err := e.imports.clear(ctx, b); err != nil {
		return nil, err
	}
	return e.resumeImport(ctx, b, t, bson.D{{Key: "checks", Value: false}, {Key: "found", Value: ""}})
}

// resumeImport sets a waiting import to work again, once: of two who ask one is refused.
func (e *Engine) resumeImport(ctx context.Context, b *batch, t *recordType, change bson.D) (*gen.ImportBatch, error) {
	set := append(bson.D{
		{Key: "state", Value: stateQueued}, {Key: "done", Value: 0}, {Key: "success", Value: 0}, {Key: "failure", Value: 0},
		{Key: "owner", Value: kit.Token()}, {Key: "leaseUntil", Value: time.Now().Add(leaseTime)}, {Key: "tries", Value: 0}, {Key: "deaths", Value: 0},
	}, change...)
	r, err := e.imports.batches.UpdateOne(ctx, bson.D{{Key: "_id", Value: b.ID}, {Key: "state", Value: statePreview}, {Key: "owner", Value: b.Owner}},
		bson.D{{Key: "$set", Value: set}})
	if err != nil {
		return nil, fmt.Errorf("resume import: %w", err)
	}
	if r.MatchedCount == 0 {
		return nil, errNotWaiting
	}
	if b, err = e.imports.get(ctx, b.ID); err != nil {
		return nil, err
	}
	e.spawn(b, t)
	return e.imports.show(ctx, b)
}

// CancelImport forgets an upload that was not confirmed; nothing of it was stored.
func (e *Engine) CancelImport(ctx context.Context, req *gen.IDReq) (*gen.ImportBatch, error) {
	b, err := e.imports.mine(ctx, req)
	if err != nil {
		return nil, err
	}
	r, err := e.imports.batches.UpdateOne(ctx, bson.D{{Key: "_id", Value: b.ID}, {Key: "checks", Value: true},
		{Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{stateQueued, stateChecking, statePreview}}}}},
		bson.D{{Key: "$set", Value: bson.D{
			{Key: "state", Value: stateCancelled}, {Key: "owner", Value: ""}, {Key: "mended", Value: ""}, {Key: "found", Value: ""},
			{Key: "success", Value: 0}, {Key: "failure", Value: 0},
		}}})
	if err != nil {
		return nil, fmt.Errorf("cancel import: %w", err)
	}
	if r.MatchedCount == 0 {
		return nil, errNotWaiting
	}
	if err := e.imports.clear(ctx, b); err != nil {
		return nil, err
	}
	e.imports.forget(ctx, b)
	if b, err = e.imports.get(ctx, b.ID); err != nil {
		return nil, err
	}
	return e.imports.show(ctx, b)
}
