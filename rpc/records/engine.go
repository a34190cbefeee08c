package records

import (
	"context"
	"errors"
	"slices"
	"sync"

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

	rounds  *mongo.Collection
	imports *imports
	ctx     context.Context // ctx: ends with the engine, and with it the imports that outlive their call.
	cancel  context.CancelFunc
	running kit.Group
	mu      sync.Mutex // guards running against Close
}

var _ gen.Records = (*Engine)(nil)

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

// imports are the batches of all types.
type imports struct {
	e                        *Engine
	batches, parts, failures *mongo.Collection
}
