// Command sheets measures the import and the export of the record engine: 10,000 members
// from a workbook with all checks, beside a raw insert of the same rows in one
// transaction; and 50,000 members of 20 columns to a workbook, beside excelize's own
// stream writer.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/conf"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

const (
	imported = 10_000
	exported = 50_000
	columns  = 20
	rounds   = 3 // the least time counts
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	dir, err := os.MkdirTemp("", "sheets")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg := conf.Default()
	cfg.Data, cfg.Demo, cfg.AdminPassword = filepath.Join(dir, "data"), false, "Dangjian#2026"
	cfg.Addr = "127.0.0.1:0" // nothing listens
	cfg.PublicURL = "http://" + cfg.Addr
	p, err := suite.Open(cfg, true)
	if err != nil {
		return err
	}
	defer p.Close()
	s, err := suite.Local(p)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Prepare(ctx); err != nil {
		return err
	}
	x := &product{p: p, s: s}
	ctx = kit.WithCaller(ctx, kit.Caller{Kind: kit.User, UserID: "bench", Name: "基准", OrgID: "root", Orgs: []string{"root"}, TopLevel: true, Permissions: []string{"*"}})
	if err := x.imports(ctx); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if err := x.exports(ctx); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// product is the services in one process, on the embedded store.
type product struct {
	p    *suite.Platform
	s    *suite.Services
	born int // members so far: each has an ID number of his own
}

// people are the rows of a workbook, by the titles of its columns.
func (x *product) people(n int, branch string) []map[string]string {
	out := make([]map[string]string, n)
	for i := range out {
		x.born++
		day := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, x.born%14000)
		digits := fmt.Sprintf("990201%s%03d", day.Format("20060102"), x.born/14000)
		out[i] = map[string]string{
			"姓名": fmt.Sprintf("党员%d", x.born), "身份证号": digits + string(model.IDCheck(digits)),
			"手机号": fmt.Sprintf("199%08d", x.born), "所在支部": branch, "党员类型": "正式党员",
			"入党日期": "2010-07-01", "转正日期": "2011-07-01",
		}
	}
	return out
}

// workbook fills the template of members in.
func (x *product) workbook(ctx context.Context, rows []map[string]string) ([]byte, error) {
	tpl, err := x.s.Of["party"].Template(ctx, &records.TypeReq{Type: "member"})
	if err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(tpl.Data))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sheet := f.GetSheetName(0)
	head, err := f.GetRows(sheet)
	if err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return nil, err
	}
	titles := make([]any, len(head[0]))
	for i, title := range head[0] {
		titles[i] = title
	}
	if err := w.SetRow("A1", titles); err != nil {
		return nil, err
	}
	for r, row := range rows {
		cells := make([]any, len(titles))
		known := 0
		for i, title := range head[0] {
			if v, ok := row[strings.Trim(title, "* ")]; ok {
				cells[i] = v
				known++
			}
		}
		if known != len(row) {
			return nil, fmt.Errorf("the columns %q do not hold all of %q", head[0], row)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", r+2), cells); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	return b.Bytes(), err
}

// branch makes a branch to import into.
func (x *product) branch(ctx context.Context) (string, error) {
	name := fmt.Sprintf("基准支部%d", x.born)
	doc := fmt.Sprintf(`{"orgName":%q,"orgType":"branch","parentId":"root","secretary":"书记","contactName":"干事","contactPhone":"19900000000"}`, name)
	_, err := x.s.Of["party"].Save(ctx, &records.SaveReq{Type: "organization", Json: []byte(doc)})
	return name, err
}

func (x *product) imports(ctx context.Context) error {
	var import_, insert time.Duration
	for range rounds {
		name, err := x.branch(ctx)
		if err != nil {
			return err
		}
		book, err := x.workbook(ctx, x.people(imported, name))
		if err != nil {
			return err
		}
		begin := time.Now()
		b, err := x.s.Of["party"].StartImport(ctx, &records.ImportReq{Type: "member", FileName: "党员.xlsx", Data: book})
		if err != nil {
			return err
		}
		for tick := time.NewTicker(5 * time.Millisecond); b.State != "finished" && b.State != "failed"; <-tick.C {
			if b, err = x.s.Of["party"].GetImport(ctx, &records.IDReq{Type: "member", Id: b.Id}); err != nil {
				return err
			}
		}
		took := time.Since(begin)
		if b.SuccessCount != imported {
			return fmt.Errorf("%d of %d rows stored: %s %v", b.SuccessCount, imported, b.Message, b.Failures[:min(3, len(b.Failures))])
		}
		raw, err := x.insert(ctx)
		if err != nil {
			return err
		}
		if import_ == 0 || took < import_ {
			import_ = took
		}
		if insert == 0 || raw < insert {
			insert = raw
		}
	}
	fmt.Printf("import of %d members       %8s   raw insert of the same %8s   %5.1fx   (bar: 3 s, or 20x)\n",
		imported, import_.Round(time.Millisecond), insert.Round(time.Millisecond), import_.Seconds()/insert.Seconds())
	return nil
}

// insert stores the members of the last import once more, as they are, in a collection
// with the same indexes.
func (x *product) insert(ctx context.Context) (time.Duration, error) {
	from, to := x.p.DB.Collection("members"), x.p.DB.Collection("bench")
	defer func() { _ = to.Drop(ctx) }()
	cur, err := from.Find(ctx, bson.D{})
	if err != nil {
		return 0, err
	}
	var docs []bson.Raw
	if err := cur.All(ctx, &docs); err != nil {
		return 0, err
	}
	docs = docs[len(docs)-imported:]
	ixs, err := from.Indexes().ListSpecifications(ctx)
	if err != nil {
		return 0, err
	}
	for _, ix := range ixs {
		if ix.Name == "_id_" {
			continue
		}
		spec := bson.D{{Key: "createIndexes", Value: "bench"}, {Key: "indexes", Value: bson.A{bson.D{{Key: "name", Value: ix.Name}, {Key: "key", Value: ix.KeysDocument}}}}}
		if err := x.p.DB.RunCommand(ctx, spec).Err(); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	_, err = to.InsertMany(ctx, docs)
	return time.Since(begin), err
}

func (x *product) exports(ctx context.Context) error {
	// Beyond the imported ones, copies: only what is read counts here.
	if err := x.fill(ctx); err != nil {
		return err
	}
	keys, titles, err := x.fields(ctx)
	if err != nil {
		return err
	}
	var export, raw time.Duration
	var rows [][]string
	for range rounds {
		begin := time.Now()
		book, err := x.s.Of["party"].Export(ctx, &records.ListReq{Type: "member", Columns: keys})
		if err != nil {
			return err
		}
		took := time.Since(begin)
		if rows == nil {
			if rows, err = read(book.Data); err != nil {
				return err
			}
			if len(rows) != exported+1 || len(rows[0]) != columns {
				return fmt.Errorf("%d rows of %d columns", len(rows), len(rows[0]))
			}
		}
		begin = time.Now()
		if err := write(titles, rows[1:]); err != nil {
			return err
		}
		if plain := time.Since(begin); raw == 0 || plain < raw {
			raw = plain
		}
		if export == 0 || took < export {
			export = took
		}
	}
	peak, err := most(func() error {
		_, err := x.s.Of["party"].Export(ctx, &records.ListReq{Type: "member", Columns: keys})
		return err
	})
	if err != nil {
		return err
	}
	rawPeak, err := most(func() error { return write(titles, rows[1:]) })
	if err != nil {
		return err
	}
	fmt.Printf("export of %d x %d     %8s   stream writer alone    %8s   %5.2fx   (bar: 1.3x)\n", exported, columns,
		export.Round(time.Millisecond), raw.Round(time.Millisecond), export.Seconds()/raw.Seconds())
	fmt.Printf("memory of the export       %5d MB   stream writer alone    %5d MB            (bar: 150 MB)\n", peak>>20, rawPeak>>20)
	return nil
}

func (x *product) fill(ctx context.Context) error {
	members := x.p.DB.Collection("members")
	cur, err := members.Find(ctx, bson.D{})
	if err != nil {
		return err
	}
	var docs []bson.M
	if err := cur.All(ctx, &docs); err != nil {
		return err
	}
	for n := len(docs); n < exported; {
		var more []any
		for _, d := range docs[:min(1000, exported-n)] {
			n++
			c := bson.M{}
			maps.Copy(c, d)
			c["_id"], c["idBlind"], c["phoneBlind"] = kit.NewID(time.Now()), fmt.Sprint("id", n), fmt.Sprint("phone", n)
			more = append(more, c)
		}
		if _, err := members.InsertMany(ctx, more); err != nil {
			return err
		}
	}
	return nil
}

// fields are the columns to export.
func (x *product) fields(ctx context.Context) (keys []string, titles []any, err error) {
	j, err := x.s.Of["party"].Schema(ctx, &records.TypeReq{Type: "member"})
	if err != nil {
		return nil, nil, err
	}
	var schema struct {
		Fields []struct {
			Key, Label string
			List, Form bool
		}
	}
	if err := bson.UnmarshalExtJSON(j.Json, false, &schema); err != nil {
		return nil, nil, err
	}
	for _, f := range schema.Fields {
		if (f.List || f.Form) && len(keys) < columns {
			keys, titles = append(keys, f.Key), append(titles, f.Label)
		}
	}
	if len(keys) < columns {
		return nil, nil, errors.New("members have fewer columns")
	}
	return keys, titles, nil
}

func read(book []byte) ([][]string, error) {
	f, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	for i, r := range rows { // empty cells at the end are not told
		rows[i] = append(r, make([]string, columns-len(r))...)
	}
	return rows, err
}

// write is what excelize needs for the same cells.
func write(titles []any, rows [][]string) error {
	f := excelize.NewFile()
	defer f.Close()
	text, err := f.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return err
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	if err := w.SetRow("A1", titles); err != nil {
		return err
	}
	cells := make([]any, columns)
	for i, r := range rows {
		for j, v := range r {
			cells[j] = excelize.Cell{Value: v, StyleID: text}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+2), cells); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = f.WriteToBuffer()
	return err
}

// most is the most memory that f had beyond what was there. The collector runs often
// meanwhile: how much garbage it lets lie depends on the store in the same process.
func most(f func() error) (uint64, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	runtime.GC()
	before := heap()
	done := make(chan struct{})
	peak := make(chan uint64)
	go func() {
		var m uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				peak <- m
				return
			case <-tick.C:
				m = max(m, heap())
			}
		}
	}()
	err := f()
	close(done)
	return max(<-peak, before) - before, err
}

// heap is what objects take, dead ones not yet collected included.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
