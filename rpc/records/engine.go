package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"zhihuidangjian/rpc/records/files"

	"go.mongodb.org/mongo-driver/v2/mongo"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
)

// Orgs knows the organisation tree.
type Orgs interface {
	// Path is the path from the root to an organisation, itself included;
	// kit.ErrNotFound when there is none.
	Path(ctx context.Context, orgID string) ([]string, error)
}

// Config is what an Engine stands on.
type Config struct {
	DB    *mongo.Database
	Clock *kit.Clock
	Orgs  Orgs
	// Seal encrypts the rows of uploaded files at rest. Without it they are stored as
	// they are: only for types without personal data.
	Seal *model.Sealer
	// Refs answer for the fields of type ref and refs.
	Refs map[string]Ref
	// Blobs keep what is uploaded for fields of type files, image and richtext.
	Blobs blob.Store
	// Beside are the service's collections of documents that are no record types, and
	// that move with their organisation all the same.
	Beside []*mongo.Collection
}

// Engine implements the generated Records service for a set of types. A domain service
// embeds it. Close stops its imports; they go on elsewhere or after the next start.
type Engine struct {
	db     *mongo.Database
	clock  *kit.Clock
	orgs   Orgs
	seal   *model.Sealer
	refs   map[string]Ref
	types  map[string]*recordType
	order  []*recordType // as declared
	beside []*mongo.Collection
	blobs  blob.Store

	attachments *mongo.Collection
	lookups     *mongo.Collection

	imports *imports
	ctx     context.Context // ctx: ends with the engine, and with it the imports that outlive their call.
	cancel  context.CancelFunc
	running kit.Group
	mu      sync.Mutex // guards running against Close
}

var _ gen.Records = (*Engine)(nil)

// New makes an engine of record types (*Type values) and ensures their indexes.
func New(ctx context.Context, c Config, types ...Declaration) (*Engine, error) {
	e := &Engine{db: c.DB, clock: c.Clock, orgs: c.Orgs, seal: c.Seal, refs: c.Refs, types: map[string]*recordType{}, beside: c.Beside, blobs: c.Blobs}
	for _, d := range types {
		t, err := d.run()
		if err != nil {
			return nil, err
		}
		if err := t.bind(e); err != nil {
			return nil, err
		}
		e.types[t.Name] = t
		e.order = append(e.order, t)
	}
	for _, t := range e.order {
		if err := t.check(); err != nil {
			return nil, err
		}
	}
	for _, t := range e.order {
		if err := t.ready(ctx); err != nil {
			return nil, err
		}
	}
	if err := e.openAttachments(ctx); err != nil {
		return nil, err
	}
	if err := e.openLookups(ctx); err != nil {
		return nil, err
	}
	var err error
	if e.imports, err = openImports(ctx, e); err != nil {
		return nil, err
	}
	// The imports outlive the calls that start them, and end with Close.
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Close stops the imports that run here and waits for them.
func (e *Engine) Close() {
	e.mu.Lock()
	e.cancel()
	e.mu.Unlock()
	_ = e.running.Wait() // logged where it happened
}

// ref is what answers for a field.
func (e *Engine) ref(f *Field) Ref { return e.resolve(resolverOf(f)) }

// resolve is what answers for a name: what the Config gives, or the engine's own type of
// that name.
func (e *Engine) resolve(name string) Ref {
	if r, ok := e.refs[name]; ok {
		return r
	}
	if t := e.types[name]; t != nil {
		return t.ref()
	}
	return Ref{}
}

func resolverOf(f *Field) string {
	if f.Resolver != "" {
		return f.Resolver
	}
	return f.Ref
}

func (e *Engine) typ(name string) (*recordType, error) {
	if t := e.types[name]; t != nil {
		return t, nil
	}
	return nil, kit.ErrNotFound
}

// admin returns the type and refuses everybody but admins and the system.
func (e *Engine) admin(ctx context.Context, name string) (*recordType, error) {
	switch kit.CallerOf(ctx).Kind {
	case kit.User, kit.System:
		return e.typ(name)
	case kit.Member:
		return nil, kit.ErrForbidden
	}
	return nil, kit.ErrUnauthenticated
}

// person returns the type and refuses visitors; members see only what is open to them.
func (e *Engine) person(ctx context.Context, name string) (*recordType, error) {
	if kit.CallerOf(ctx).Kind == kit.Visitor {
		return nil, kit.ErrUnauthenticated
	}
	return e.typ(name)
}

// scope is the subtree that a read may see: the caller's own, or a node inside it.
func (e *Engine) scope(ctx context.Context, node string) (model.Scope, string, error) {
	c := kit.CallerOf(ctx)
	if c.Kind == kit.System && node == "" {
		return model.Everything, "", nil
	}
	if node == "" || node == c.OrgID {
		if c.OrgID == "" { // an admin without a place sees nothing
			return model.Scope{}, "", kit.ErrForbidden
		}
		return model.Within(c.OrgID), c.OrgID, nil
	}
	path, err := e.orgs.Path(ctx, node)
	if err != nil {
		return model.Scope{}, "", err
	}
	if c.Kind != kit.System && !slices.Contains(path, c.OrgID) {
		return model.Scope{}, "", kit.ErrNotFound
	}
	return model.Within(node), node, nil
}

func answer(v any, err error) (*gen.JSON, error) {
	if err != nil {
		return nil, Mapped(err)
	}
	if b, ok := v.(encoded); ok {
		return &gen.JSON{Json: b}, nil
	}
	b, err := encoding.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return &gen.JSON{Json: b}, nil
}

// Mapped turns the store's errors into those that people are told; others stay as they are.
func Mapped(err error) error {
	switch {
	case errors.Is(err, model.ErrNotFound):
		return kit.ErrNotFound
	case errors.Is(err, model.ErrStale):
		return kit.ErrConflict
	case errors.Is(err, model.ErrDuplicate):
		return kit.Conflict("duplicate", "数据已存在").Because(err)
	}
	return err
}

// Schema tells the console a type's fields, and what this caller may do.
func (e *Engine) Schema(ctx context.Context, req *gen.TypeReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.schema(ctx))
}

// List is one page of the records within the caller's scope.
func (e *Engine) List(ctx context.Context, req *gen.ListReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.list(ctx, query{req}))
}

// Get is one record within the caller's scope.
func (e *Engine) Get(ctx context.Context, req *gen.IDReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.get(ctx, req.Id))
}

// Save creates a record, or changes the one that was read at a version.
func (e *Engine) Save(ctx context.Context, req *gen.SaveReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.save(ctx, req.Id, req.Version, req.Json))
}

// Delete removes all the records or, when one refuses, none.
func (e *Engine) Delete(ctx context.Context, req *gen.IDsReq) (*gen.Empty, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	ids, err := ticked(req.Ids, "删除")
	if err != nil {
		return nil, err
	}
	if err := t.delete(ctx, ids); err != nil {
		return nil, Mapped(err)
	}
	return &gen.Empty{}, nil
}

// Act runs an action on one record within the caller's scope.
func (e *Engine) Act(ctx context.Context, req *gen.ActReq) (*gen.JSON, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	return answer(t.act(ctx, req.Id, req.Action, req.Json))
}

// ActMany runs an action on several records within the caller's scope.
func (e *Engine) ActMany(ctx context.Context, req *gen.ActManyReq) (*gen.ActOutcomes, error) {
	t, err := e.person(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	out, err := t.actMany(ctx, req.Action, req.Json)
	return out, Mapped(err)
}

// Types are the record types of this service, in the order of their declaration.
func (e *Engine) Types(context.Context, *gen.Empty) (*gen.TypeInfos, error) {
	out := &gen.TypeInfos{}
	for _, t := range e.order {
		out.Types = append(out.Types, t.info())
	}
	return out, nil
}

// Rehome moves what belongs to an organisation, and to those below it, to its new place
// in the tree. It may run again and changes nothing more.
func (e *Engine) Rehome(ctx context.Context, req *gen.RehomeReq) (*gen.Empty, error) {
	for _, t := range e.order {
		if err := t.rehome(ctx, req.OrgId, req.Path); err != nil {
			return nil, err
		}
	}
	for _, c := range e.beside {
		if err := Rehome(ctx, c, req.OrgId, req.Path); err != nil {
			return nil, err
		}
	}
	return &gen.Empty{}, nil
}

// Resume finishes what a crash left undone, effects of approvals, and removes files that no
// record names. A worker calls it.
func (e *Engine) Resume(ctx context.Context, _ *gen.Empty) (*gen.Empty, error) {
	var errs []error
	for _, t := range e.order {
		errs = append(errs, t.resume(ctx), t.sweep(ctx))
	}
	return &gen.Empty{}, errors.Join(errs...)
}

// Template is the import template of a type.
func (e *Engine) Template(ctx context.Context, req *gen.TypeReq) (*gen.File, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	if err := mayImport(ctx, t); err != nil {
		return nil, err
	}
	data, err := t.template(ctx)
	if err != nil {
		return nil, Mapped(err)
	}
	return &gen.File{Name: t.Title + "导入模板.xlsx", ContentType: files.XLSX, Data: data}, nil
}

// Export is the list, all pages of it, as a workbook.
func (e *Engine) Export(ctx context.Context, req *gen.ListReq) (*gen.File, error) {
	t, err := e.admin(ctx, req.Type)
	if err != nil {
		return nil, err
	}
	data, err := t.export(ctx, query{req})
	if err != nil {
		return nil, Mapped(err)
	}
	name := t.Title + e.clock.Now().Format("20060102150405") + ".xlsx"
	return &gen.File{Name: name, ContentType: files.XLSX, Data: data}, nil
}

func mayImport(ctx context.Context, t *recordType) error {
	if len(t.columns()) == 0 {
		return kit.ErrNotFound
	}
	return kit.Require(ctx, t.Name+".import")
}
