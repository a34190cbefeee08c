package party

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/normal"
)

// forest is a snapshot of all organisations, for the names and paths that every list
// and import asks for. It is dropped with each change made here. A change by another
// instance is counted in Redis: who decides by the tree compares, who only shows names
// sees it within a second.
type forest struct {
	mu      sync.Mutex
	loaded  time.Time
	version string
	byID    map[string]*model.Organization
}

const (
	forestLife = time.Second
	// forestKey counts the changes of the tree by all instances.
	forestKey = "party:tree"
)

// tree returns the snapshot; nobody may change it.
func (s *Service) tree(ctx context.Context) (map[string]*model.Organization, error) {
	return s.readTree(ctx, false)
}

// treeNow returns the snapshot with all that any instance has changed by now.
func (s *Service) treeNow(ctx context.Context) (map[string]*model.Organization, error) {
	return s.readTree(ctx, true)
}

func (s *Service) readTree(ctx context.Context, compare bool) (map[string]*model.Organization, error) {
	f := &s.forest
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := f.byID != nil && time.Since(f.loaded) < forestLife
	if fresh && !compare {
		return f.byID, nil
	}
	version, err := s.d.Redis.Get(ctx, forestKey).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("version of the tree: %w", err)
	}
	if fresh && version == f.version {
		return f.byID, nil
	}
	all, err := s.orgs.Find(ctx, model.Everything, nil, model.Page{})
	if err != nil {
		return nil, err
	}
	f.byID, f.loaded, f.version = make(map[string]*model.Organization, len(all)), time.Now(), version
	for _, o := range all {
		f.byID[o.ID] = o
	}
	return f.byID, nil
}

// treeChanged drops the snapshot here and, by the count, elsewhere. The change is made
// already: that others cannot be told makes them see it a second later.
func (s *Service) treeChanged(ctx context.Context) {
	if err := s.d.Redis.Incr(context.WithoutCancel(ctx), forestKey).Err(); err != nil {
		slog.WarnContext(ctx, "party: change of the tree not counted", "cause", err)
	}
	s.bindingsChanged(ctx) // members move with their organisation
	s.forest.mu.Lock()
	s.forest.byID = nil
	s.forest.mu.Unlock()
}

// Path implements records.Orgs.
func (s *Service) Path(ctx context.Context, orgID string) ([]string, error) {
	all, err := s.treeNow(ctx)
	if err != nil {
		return nil, err
	}
	if o := all[orgID]; o != nil {
		return slices.Clone(o.Orgs), nil
	}
	return nil, kit.ErrNotFound
}

func (s *Service) orgLabels(ctx context.Context, ids []string) (map[string]string, error) {
	all, err := s.tree(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(ids))
	for _, id := range ids {
		if o := all[id]; o != nil {
			out[id] = o.OrgName
		}
	}
	return out, nil
}

// checkOrgs refuses organisations outside the caller's subtree.
func (s *Service) checkOrgs(ctx context.Context, ids []string) error {
	all, err := s.treeNow(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if o := all[id]; o == nil || !visible(ctx, o) {
			return kit.ErrNotFound
		}
	}
	return nil
}

func visible(ctx context.Context, o *model.Organization) bool {
	c := kit.CallerOf(ctx)
	return c.Kind == kit.System || slices.Contains(o.Orgs, c.OrgID)
}

// home tells whether members may belong to an organisation.
func home(o *model.Organization) bool {
	return o.OrgType == "branch" || o.OrgType == "jointBranch" || o.OrgType == "group"
}

// findOrg finds the organisation that a cell means, within the caller's subtree: by its
// code, its name, or the end of its path (第一总支/第一支部). only narrows the choice.
func (s *Service) findOrg(only func(*model.Organization) bool) func(context.Context, string) (string, error) {
	return func(ctx context.Context, text string) (string, error) {
		all, err := s.treeNow(ctx)
		if err != nil {
			return "", err
		}
		path := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '／' || r == '>' })
		for i := range path {
			path[i] = normal.Name(path[i])
		}
		id, unfit := "", false
		for _, o := range all {
			if !visible(ctx, o) || o.OrgCode != text && !endsWith(all, o, path) {
				continue
			}
			if only != nil && !only(o) {
				unfit = true
				continue
			}
			if id != "" {
				return "", kit.Invalid("ref.ambiguous", "有多个名为“%s”的组织，请填写组织编码或如“上级组织/组织名称”的路径", text)
			}
			id = o.ID
		}
		switch {
		case id != "":
			return id, nil
		case unfit:
			return "", errNoHome
		}
		return "", kit.Invalid("ref.unknown", "“%s”不存在或不在管理范围内", text)
	}
}

func endsWith(all map[string]*model.Organization, o *model.Organization, path []string) bool {
	for _, name := range slices.Backward(path) {
		if o == nil || o.OrgName != name {
			return false
		}
		o = all[o.ParentID]
	}
	return len(path) > 0
}

// orgOptions are the texts that findOrg understands: names, or paths where a name alone
// would be ambiguous.
func (s *Service) orgOptions(only func(*model.Organization) bool) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		all, err := s.treeNow(ctx)
		if err != nil {
			return nil, err
		}
		names := map[string]int{}
		for _, o := range all {
			if visible(ctx, o) {
				names[o.OrgName]++
			}
		}
		var out []string
		for _, o := range all {
			if !visible(ctx, o) || only != nil && !only(o) {
				continue
			}
			name := o.OrgName
			if parent := all[o.ParentID]; names[name] > 1 && parent != nil {
				name = fmt.Sprintf("%s/%s", parent.OrgName, name)
			}
			out = append(out, name)
		}
		slices.Sort(out)
		return out, nil
	}
}
