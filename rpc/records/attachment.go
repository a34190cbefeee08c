package records

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"zhihuidangjian/rpc/records/field"
	"zhihuidangjian/rpc/records/files"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
)

// attachment is what is known about an uploaded file. It waits until a record is saved
// with it; one that no record names a day later is removed with its contents.
type attachment struct {
	model.File `bson:",inline"`
	Key        string    `bson:"_id"`
	Type       string    `bson:"type"`
	Field      string    `bson:"field"`
	By         string    `bson:"by"` // who uploaded it
	Record     string    `bson:"record"`
	At         time.Time `bson:"at"`   // uploaded, claimed or dropped
	Kept       bool      `bson:"kept"` // its record was seen to name it
	Dead       bool      `bson:"dead"` // being removed
}

const (
	keepOrphans = 24 * time.Hour
	// mostWaiting and mostBytes bound the files of one person that no record names yet.
	mostWaiting = 200
	mostBytes   = 1 << 30
	// mostPart is how much of a file one answer holds.
	mostPart = 4 << 20
)

// errGone answers who names a file that he may not, or that is gone.
const errGone = "附件不存在或已失效，请重新上传"

func uploader(c *kit.Caller) string {
	if c.Kind == kit.Member {
		return "member:" + c.MemberID
	}
	return "user:" + c.UserID
}

// blobKey spreads files over directories.
func blobKey(id string) string { return id[max(0, len(id)-2):] + "/" + id }

func (e *Engine) openAttachments(ctx context.Context) error {
	e.attachments = e.db.Collection("attachments")
	if !slices.ContainsFunc(e.order, (*recordType).attaches) {
		return nil
	}
	if e.blobs == nil {
		return errors.New("record types with files need Config.Blobs")
	}
	return model.EnsureIndexes(ctx, e.attachments,
		model.Index{Keys: bson.D{{Key: "type", Value: 1}, {Key: "kept", Value: 1}, {Key: "at", Value: 1}}},
		model.Index{Keys: bson.D{{Key: "by", Value: 1}, {Key: "kept", Value: 1}}})
}

// ErrNoContents is the last thing that an upload or an import is refused for: with neither
// name nor contents it asks whether the caller may.
var ErrNoContents = kit.Invalid("file.empty", "请选择有内容的文件")

// Upload keeps a file until a record that has a field for it is saved with it.
func (e *Engine) Upload(ctx context.Context, req *gen.UploadReq) (*gen.Attachment, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	f, err := t.uploadable(ctx, req.Field)
	if err != nil {
		return nil, err
	}
	by := uploader(kit.CallerOf(ctx))
	waiting, bytes, err := e.uploaded(ctx, by)
	if err != nil {
		return nil, err
	}
	if waiting >= mostWaiting || bytes+int64(len(req.Data)) > mostBytes {
		return nil, kit.TooMany("upload.too_many", "上传的文件过多，请先保存已上传的内容")
	}
	if len(req.Data) == 0 && req.FileName == "" {
		return nil, ErrNoContents
	}
	name, contentType, err := files.Recognise(f, files.TidyName(req.FileName), req.Data)
	if reason, no := why(err); no {
		return nil, kit.InvalidFields(map[string]string{f.Key: reason})
	}
	now := e.clock.Now()
	a := attachment{Key: kit.NewID(now), Type: req.Type, Field: f.Key, By: by, At: now}
	a.File = model.File{ID: a.Key, Name: name, Size: int64(len(req.Data)), ContentType: contentType, UploadedBy: kit.CallerOf(ctx).Name, UploadedAt: now}
	// First what is known, then the contents: a crash in between leaves an orphan.
	if _, err := e.attachments.InsertOne(ctx, a); err != nil {
		return nil, fmt.Errorf("keep upload: %w", err)
	}
	if err := e.blobs.Put(ctx, blobKey(a.Key), req.Data); err != nil {
		return nil, err
	}
	return &gen.Attachment{Id: a.ID, Name: a.Name, Size: a.Size, ContentType: a.ContentType}, nil
}

// uploaded is how many files of a person no record names yet, and how long they are together.
func (e *Engine) uploaded(ctx context.Context, by string) (files, bytes int64, err error) {
	cur, err := e.attachments.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "by", Value: by}, {Key: "kept", Value: false}}}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: nil}, {Key: "files", Value: bson.D{{Key: "$sum", Value: 1}}}, {Key: "bytes", Value: bson.D{{Key: "$sum", Value: "$size"}}}}}},
	})
	var sums []struct {
		Files int64 `bson:"files"`
		Bytes int64 `bson:"bytes"`
	}
	if err == nil {
		err = cur.All(ctx, &sums)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("count uploads: %w", err)
	}
	for _, s := range sums {
		files, bytes = s.Files, s.Bytes
	}
	return files, bytes, nil
}

// Download hands out a part of a file to those who may see its record, or of one that
// waits for its record to its uploader.
func (e *Engine) Download(ctx context.Context, req *gen.AttachmentReq) (*gen.File, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	var of model.Document // the record
	if req.Id != "" {
		var names []string
		if of, names, err = t.filesOf(ctx, req.Id); err != nil {
			return nil, Mapped(err)
		}
		if !slices.Contains(names, req.FileId) {
			return nil, kit.ErrNotFound
		}
	} else if err := t.enter(ctx); err != nil {
		return nil, err
	}
	var a attachment
	err = e.attachments.FindOne(ctx, bson.D{{Key: "_id", Value: req.FileId}}).Decode(&a)
	if errors.Is(err, mongo.ErrNoDocuments) || err == nil && req.Id == "" && (a.By != uploader(kit.CallerOf(ctx)) || a.Type != req.Type || a.Kept) { // a record's is fetched through it
		return nil, kit.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find attachment: %w", err)
	}
	if req.Offset < 0 || req.Offset >= a.Size || req.Limit < 0 {
		return nil, kit.ErrInvalid
	}
	length := min(int64(mostPart), a.Size-req.Offset)
	if req.Limit > 0 {
		length = min(length, req.Limit)
	}
	data, err := e.blobs.Read(ctx, blobKey(a.Key), req.Offset, length)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, kit.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	// A document leaves the product; pictures and films are part of the page that shows them.
	// What an address was made for leaves it too, whoever holds the address.
	if c := kit.CallerOf(ctx); (c.Kind == kit.User || c.Channel == kit.Link) && of != nil && req.Offset == 0 && !a.shownInPage() {
		if err := e.Shown(ctx, model.AuditExport, req.Type, "下载附件", of, a.Name); err != nil {
			return nil, err
		}
	}
	return &gen.File{Name: a.Name, ContentType: a.ContentType, Data: data, Size: a.Size}, nil
}

// Contents is a whole attachment, for a paper or a package that a service makes of what its caller
// may see; kit.ErrNotFound when it is gone.
func (e *Engine) Contents(ctx context.Context, id string) ([]byte, error) {
	var a attachment
	err := e.attachments.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&a)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, kit.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find attachment: %w", err)
	}
	data, err := e.blobs.Read(ctx, blobKey(a.Key), 0, a.Size)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, kit.ErrNotFound
	}
	return data, err
}

func (a *attachment) shownInPage() bool {
	return strings.HasPrefix(a.ContentType, "image/") || strings.HasPrefix(a.ContentType, "video/")
}

// attaches tells whether any field of the type may name attachments.
func (t *recordType) attaches() bool {
	return slices.ContainsFunc(t.fields, (*Field).Attaches)
}

// checkFiles finds declarations that would lose files: an attachment is looked for in the
// stored fields of its record.
func (t *recordType) checkFiles() error {
	for _, f := range t.fields {
		switch {
		case f.Attaches() && (f.Virtual || f.Index == nil):
			return fmt.Errorf("%s: a field with files must be stored", f.Key)
		case f.IsFiles() && t.document().FieldByIndex(f.Index).Type != field.FilesType:
			return fmt.Errorf("%s must be a []model.File", f.Key)
		case f.IsFiles() && slices.Contains(t.Columns, f.Key):
			return fmt.Errorf("%s: files cannot be imported from a sheet", f.Key)
		}
		for _, k := range f.Accept {
			if !files.IsKind(k) {
				return fmt.Errorf("%s accepts %s, which is no kind of file", f.Key, k)
			}
		}
	}
	for _, a := range t.Actions {
		for _, f := range a.Fields {
			if stored := t.byKey[f.Key]; f.Attaches() && (stored == nil || stored.Type != f.Type) {
				return fmt.Errorf("action %s: its files %s need a stored field of that name", a.Key, f.Key)
			}
		}
	}
	return nil
}

// uploadable is a field that the caller may fill with files: of the form, or of an action.
func (t *recordType) uploadable(ctx context.Context, key string) (*Field, error) {
	c := kit.CallerOf(ctx)
	if c.Kind == kit.Member {
		if err := t.enter(ctx); err != nil {
			return nil, err
		}
	}
	for _, a := range t.Actions {
		for i, f := range a.Fields {
			if f.Key == key && f.Attaches() && t.mayAct(c, a) {
				return &a.Fields[i], nil
			}
		}
	}
	f := t.byKey[key]
	create, update := t.mayWrite(ctx, "create", t.NoCreate), t.mayWrite(ctx, "update", t.NoUpdate)
	if create != nil && update != nil {
		return nil, create
	}
	if f == nil || !f.Attaches() || !t.fillable(c, f) {
		return nil, kit.ErrNotFound
	}
	return f, nil
}

// enter refuses those who may not even see the type.
func (t *recordType) enter(ctx context.Context) error {
	if kit.CallerOf(ctx).Kind == kit.Member {
		return t.can(ctx, "view")
	}
	return nil // his own upload, which needed a right of its own
}

// filesOf are a record and the ids of the files that it shows to the caller.
func (t *recordType) filesOf(ctx context.Context, id string) (model.Document, []string, error) {
	if err := t.can(ctx, "view"); err != nil {
		return nil, nil, err
	}
	doc, err := t.load(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	fields := t.fields
	if kit.CallerOf(ctx).Kind == kit.Member {
		fields = t.ownFields()
	}
	return doc, named(fields, doc), nil
}

// named are the ids of the files that some fields of a document name.
func named(fields []*Field, doc model.Document) []string {
	var ids []string
	v := reflect.ValueOf(doc).Elem()
	for _, f := range fields {
		if !f.Attaches() {
			continue
		}
		switch x := f.Read(v).(type) {
		case []model.File:
			for _, a := range x {
				ids = append(ids, a.ID)
			}
		case string:
			if f.Type == "richtext" {
				ids = append(ids, field.ImagesOf(x)...)
			}
		}
	}
	return ids
}

// resolve answers for what a form named: files become those that were uploaded, rich text
// is left as it is. A file must be one that the document names already, or one that the
// caller uploaded for this field. Otherwise the field.Refusal says so.
func (t *recordType) resolve(ctx context.Context, f *Field, doc model.Document, value any) (any, error) {
	var ids []string
	switch x := value.(type) {
	case []model.File:
		for _, a := range x {
			ids = append(ids, a.ID)
		}
	case string:
		ids = field.ImagesOf(x)
	}
	if len(ids) == 0 {
		return value, nil
	}
	has := map[string]model.File{}
	stored := t.byKey[f.Key]
	if list, ok := stored.Read(reflect.ValueOf(doc).Elem()).([]model.File); ok {
		for _, a := range list {
			has[a.ID] = a
		}
	}
	for _, id := range named([]*Field{stored}, doc) {
		if _, ok := has[id]; !ok {
			has[id] = model.File{ID: id}
		}
	}
	cur, err := t.engine.attachments.Find(ctx, bson.D{
		{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "type", Value: t.Name}, {Key: "field", Value: f.Key},
		{Key: "by", Value: uploader(kit.CallerOf(ctx))}, {Key: "dead", Value: false},
	})
	if err != nil {
		return nil, fmt.Errorf("find attachments: %w", err)
	}
	var uploads []attachment
	if err := cur.All(ctx, &uploads); err != nil {
		return nil, fmt.Errorf("find attachments: %w", err)
	}
	for _, a := range uploads {
		if _, ok := has[a.Key]; ok {
			continue
		}
		if a.Record != "" { // saved before: with another record, or by a save that failed
			used, err := t.names(ctx, a.Record, a.Key)
			if err != nil {
				return nil, err
			}
			if used {
				return nil, field.Refuse("%s：%s", f.Label, errGone)
			}
		}
		has[a.Key] = a.File
	}
	for _, id := range ids {
		if _, ok := has[id]; !ok {
			return nil, field.Refuse("%s：%s", f.Label, errGone)
		}
	}
	if list, ok := value.([]model.File); ok {
		out := make([]model.File, len(list))
		for i, a := range list {
			out[i] = has[a.ID]
		}
		return out, nil
	}
	return value, nil
}

// names tells whether a record names a file, a deleted one too.
func (t *recordType) names(ctx context.Context, record, file string) (bool, error) {
	doc := t.Collection.New()
	err := t.Collection.Mongo().FindOne(ctx, bson.D{{Key: "_id", Value: record}}).Decode(doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find in %s: %w", t.Name, err)
	}
	return slices.Contains(named(t.fields, doc), file), nil
}

// claim ties the files that a document newly names to it, before it is written. From then
// on there is a day for the write.
func (t *recordType) claim(ctx context.Context, old, doc model.Document) error {
	ids := t.added(old, doc)
	if len(ids) == 0 {
		return nil
	}
	live := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "dead", Value: false}}
	r, err := t.engine.attachments.UpdateMany(ctx,
		append(live[:2:2], bson.E{Key: "type", Value: t.Name}),
		bson.D{{Key: "$set", Value: bson.D{{Key: "record", Value: doc.Header().ID}, {Key: "at", Value: t.engine.clock.Now()}, {Key: "kept", Value: false}}}})
	if err != nil {
		return fmt.Errorf("claim attachments: %w", err)
	}
	if r.MatchedCount == int64(len(ids)) {
		return nil
	}
	// What a hook took over from a record of another type stays that one's.
	n, err := t.engine.attachments.CountDocuments(ctx, live)
	if err != nil {
		return fmt.Errorf("claim attachments: %w", err)
	}
	if n != int64(len(ids)) {
		return kit.Conflict("attachment.gone", errGone)
	}
	return nil
}

// added are the files that doc names and old does not, each once.
func (t *recordType) added(old, doc model.Document) []string {
	if !t.attaches() {
		return nil
	}
	ids := named(t.fields, doc)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if old != nil {
		was := named(t.fields, old)
		ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(was, id) })
	}
	return ids
}

// settle follows a write: what the document names is kept, what it names no more waits for
// its removal. A crash before it leaves both to sweep.
func (t *recordType) settle(ctx context.Context, old, doc model.Document) error {
	set := func(ids []string, kept bool) error {
		if len(ids) == 0 {
			return nil
		}
		_, err := t.engine.attachments.UpdateMany(ctx,
			bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "record", Value: doc.Header().ID}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "kept", Value: kept}, {Key: "at", Value: t.engine.clock.Now()}}}})
		if err != nil {
			return fmt.Errorf("settle attachments: %w", err)
		}
		return nil
	}
	if err := set(t.added(old, doc), true); err != nil || old == nil {
		return err
	}
	return set(t.added(doc, old), false)
}

// sweep removes files that no record names a day after they were uploaded, or dropped.
func (t *recordType) sweep(ctx context.Context) error {
	if !t.attaches() {
		return nil
	}
	c := t.engine.attachments
	until := bson.E{Key: "at", Value: bson.D{{Key: "$lt", Value: t.engine.clock.Now().Add(-keepOrphans)}}}
	cur, err := c.Find(ctx, bson.D{{Key: "type", Value: t.Name}, {Key: "kept", Value: false}, until})
	if err != nil {
		return fmt.Errorf("sweep attachments: %w", err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	var errs []error
	for cur.Next(ctx) {
		var a attachment
		if err := cur.Decode(&a); err != nil {
			return fmt.Errorf("sweep attachments: %w", err)
		}
		errs = append(errs, t.sweepOne(ctx, a, until))
	}
	return errors.Join(append(errs, cur.Err())...)
}

func (t *recordType) sweepOne(ctx context.Context, a attachment, until bson.E) error {
	c := t.engine.attachments
	if a.Record != "" && !a.Dead {
		used, err := t.names(ctx, a.Record, a.Key)
		if err != nil {
			return err
		}
		if used {
			_, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: a.Key}, until}, bson.D{{Key: "$set", Value: bson.D{{Key: "kept", Value: true}}}})
			return err
		}
	}
	// Nobody can claim it from here on; whoever claimed it meanwhile moved its time.
	r, err := c.UpdateOne(ctx, bson.D{{Key: "_id", Value: a.Key}, {Key: "kept", Value: false}, until}, bson.D{{Key: "$set", Value: bson.D{{Key: "dead", Value: true}}}})
	if err != nil || r.MatchedCount == 0 {
		return err
	}
	if err := t.engine.blobs.Delete(ctx, blobKey(a.Key)); err != nil {
		return err
	}
	_, err = c.DeleteOne(ctx, bson.D{{Key: "_id", Value: a.Key}})
	return err
}
