// Package points keeps the rules, the ledger and the leaderboards (manual 13).
//
// The ledger in the document store is the truth: append-only, one entry for an event, a
// rule and a subject. The leaderboards in Redis are derived from it and can be wiped at
// any time (board.go).
package points

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"golang.org/x/sync/singleflight"

	partygen "zhihuidangjian/idl/gen/party"
	partysvc "zhihuidangjian/idl/gen/party/party"
	points "zhihuidangjian/idl/gen/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps is what the service needs.
type Deps struct {
	DB    *mongo.Database
	Redis redis.UniversalClient
	Clock *kit.Clock
	Party partysvc.Client
	Blobs blob.Store
}

// Service implements idl/points.thrift.
type Service struct {
	*records.Engine
	d       Deps
	rules   *model.Collection[*model.PointsRule]
	entries *model.Collection[*model.PointsEntry]
	days    *model.Collection[*model.PointsDay]

	flight  singleflight.Group // one making of a board at a time
	making  sync.Map           // boards being made anew in the background
	refresh kit.Group          // of those
	orgs    sync.Map           // organisation id → orgPath
	pages   pages              // of boards, read before

	marking *kit.Batcher[board, [2]string]
}

// New opens the service, creates its indexes and the default rules that are missing.
func New(d Deps) (*Service, error) {
	s := &Service{
		d:       d,
		rules:   model.NewCollection[*model.PointsRule](d.DB, "pointsRules", d.Clock.Now),
		entries: model.NewCollection[*model.PointsEntry](d.DB, "pointsEntries", d.Clock.Now),
		days:    model.NewCollection[*model.PointsDay](d.DB, "pointsDays", d.Clock.Now),
	}
	s.marking = kit.NewBatcher(marksAtOnce, s.marksOf)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// A person's year and his detail list; a board made anew; a reversal. Entries emit no
	// events and no list shows all of a scope, so that the usual indexes are spared.
	err := model.EnsureIndexes(ctx, s.entries.Mongo(),
		model.Index{Keys: bson.D{{Key: "subjectId", Value: 1}, {Key: "year", Value: 1}, {Key: "earnedAt", Value: -1}}},
		model.Index{Keys: bson.D{{Key: "orgs", Value: 1}, {Key: "year", Value: 1}}},
		model.Index{Keys: bson.D{{Key: "sourceId", Value: 1}}},
	)
	if err != nil {
		return nil, fmt.Errorf("points: %w", err)
	}
	if s.Engine, err = s.newEngine(ctx); err != nil {
		return nil, fmt.Errorf("points: %w", err)
	}
	if err := s.seedRules(ctx); err != nil {
		return nil, fmt.Errorf("points: %w", err)
	}
	return s, nil
}

// Close waits for boards that are being made anew.
func (s *Service) Close() {
	_ = s.refresh.Wait() // logged where it happened
	s.Engine.Close()
}

// GetRanking implements PRNK-01 and PRNK-05: the subjects of an organisation's subtree
// by their sums of a year. A member sees his own branch.
func (s *Service) GetRanking(ctx context.Context, req *points.RankReq) (*points.Ranking, error) {
	c := kit.CallerOf(ctx)
	b := board{year: s.year(req.Year), dimension: req.Dimension, orgID: req.OrgId}
	switch c.Kind {
	case kit.Member:
		if _, err := kit.RequireMember(ctx); err != nil {
			return nil, err
		}
		b.orgID, b.dimension = c.OrgID, model.DimensionPersonal
	case kit.User, kit.System:
		if b.orgID == "" {
			b.orgID = c.OrgID
		}
		if err := s.within(ctx, c, b.orgID); err != nil {
			return nil, err
		}
	default:
		return nil, kit.ErrUnauthenticated
	}
	if b.dimension == "" {
		b.dimension = model.DimensionPersonal
	}
	if err := checkDimension(b.dimension); err != nil {
		return nil, err
	}
	from, size := page(req.Page, req.Size)
	p, err := s.readBoard(ctx, b, from, size)
	if err != nil {
		return nil, err
	}
	return &points.Ranking{Rows: p.rows, Total: p.total, Year: int32(b.year)}, nil
}

// ListEntries implements PRNK-02 and PRNK-06: the entries of one member or organisation
// in a year, newest first, and their sum.
func (s *Service) ListEntries(ctx context.Context, req *points.EntriesReq) (*points.Entries, error) {
	c, dimension := kit.CallerOf(ctx), req.Dimension
	if dimension == "" {
		dimension = model.DimensionPersonal
	}
	if err := checkDimension(dimension); err != nil {
		return nil, err
	}
	scope := model.Everything
	switch c.Kind {
	case kit.Member:
		// His own, and those of the organisation he belongs to (我的组织).
		if own := dimension == model.DimensionPersonal && req.Id == c.MemberID || dimension == model.DimensionOrganisation && req.Id == c.OrgID; !own || c.MemberID == "" {
			return nil, kit.ErrNotFound
		}
	case kit.User:
		// What he earned elsewhere before a transfer does not count here, as on the
		// board of this organisation.
		scope = model.Within(c.OrgID)
		if err := s.subjectWithin(ctx, c, dimension, req.Id); err != nil {
			return nil, err
		}
	case kit.System:
	default:
		return nil, kit.ErrUnauthenticated
	}
	from, size := page(req.Page, req.Size)
	return s.listEntries(ctx, scope, dimension, req.Id, s.year(req.Year), from, size)
}

// GetMine implements PRNK-04: the caller's score and rank within his branch this year. Who
// is not on the board, such as an activist, has a score and rank 0; so has everybody before
// the first point of the year.
func (s *Service) GetMine(ctx context.Context, _ *recordsgen.Empty) (*points.MyPoints, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	b := board{year: s.year(0), dimension: model.DimensionPersonal, orgID: c.OrgID}
	score, rank, of, err := s.standing(ctx, b, c.MemberID)
	if err != nil {
		return nil, err
	}
	list, err := s.listEntries(ctx, model.Within(c.OrgID), b.dimension, c.MemberID, b.year, 0, 50)
	if err != nil {
		return nil, err
	}
	if rank == 0 {
		score = list.Sum
	}
	return &points.MyPoints{Score: score, Rank: int32(rank), Of: int32(of), Entries: list.Entries, Year: int32(b.year)}, nil
}

// GetMyOrganization implements PRNK-08: the score of the caller's organisation this year
// and its rank among the organisations of the same superior, 0 before the first point.
func (s *Service) GetMyOrganization(ctx context.Context, _ *recordsgen.Empty) (*points.MyPoints, error) {
	c, err := kit.RequireMember(ctx)
	if err != nil {
		return nil, err
	}
	path, err := s.path(ctx, c.OrgID)
	if err != nil {
		return nil, err
	}
	parent := path.ids[max(len(path.ids)-2, 0)]
	b := board{year: s.year(0), dimension: model.DimensionOrganisation, orgID: parent}
	score, _, _, err := s.standing(ctx, b, c.OrgID)
	if err != nil {
		return nil, err
	}
	tree, err := s.tree(ctx, parent)
	if err != nil {
		return nil, err
	}
	siblings := []string{c.OrgID}
	for _, n := range tree.Nodes {
		if n.ParentId == parent && n.Id != c.OrgID && parent != c.OrgID {
			siblings = append(siblings, n.Id)
		}
	}
	sums, err := s.d.Redis.ZMScore(ctx, b.keys()[0], siblings...).Result()
	if err != nil {
		return nil, fmt.Errorf("read board: %w", err)
	}
	rank := int64(1)
	for _, sum := range sums {
		if int64(sum) > score {
			rank++
		}
	}
	if len(siblings) > 1 { // an only child is first all the same
		rank = placed(rank, score)
	}
	list, err := s.listEntries(ctx, model.Everything, b.dimension, c.OrgID, b.year, 0, 50)
	if err != nil {
		return nil, err
	}
	return &points.MyPoints{Score: score, Rank: int32(rank), Of: int32(len(siblings)), Entries: list.Entries, Year: int32(b.year)}, nil
}

func (s *Service) listEntries(ctx context.Context, scope model.Scope, dimension, id string, year, from, size int) (*points.Entries, error) {
	filter := bson.D{{Key: "subjectId", Value: id}, {Key: "year", Value: year}, {Key: "dimension", Value: dimension}}
	out := &points.Entries{}
	i := 0
	err := s.entries.Each(ctx, scope, filter, model.Page{Sort: bson.D{{Key: "earnedAt", Value: -1}, {Key: "_id", Value: 1}}}, func(e *model.PointsEntry) error {
		out.Total++
		out.Sum += e.Score
		if i >= from && i < from+size {
			out.Entries = append(out.Entries, &points.Entry{
				Item: e.Item, ItemLabel: itemLabels[e.Item], Score: e.Score, EarnedAt: e.EarnedAt.UnixMilli(), Source: e.Source,
			})
		}
		i++
		return nil
	})
	return out, err
}

// within refuses an organisation outside the caller's subtree like a missing one.
func (s *Service) within(ctx context.Context, c *kit.Caller, orgID string) error {
	if c.Kind == kit.System || orgID == c.OrgID {
		return nil
	}
	path, err := s.path(ctx, orgID)
	if err != nil {
		return err
	}
	if !slices.Contains(path.ids, c.OrgID) {
		return kit.ErrNotFound
	}
	return nil
}

func (s *Service) subjectWithin(ctx context.Context, c *kit.Caller, dimension, id string) error {
	if dimension == model.DimensionOrganisation {
		return s.within(ctx, c, id)
	}
	m, err := s.d.Party.GetMember(kit.AsSystem(ctx), &partygen.MemberReq{MemberId: id})
	if err != nil {
		return err
	}
	if !slices.Contains(m.Orgs, c.OrgID) {
		return kit.ErrNotFound
	}
	return nil
}

// orgPath is where an organisation stands.
type orgPath struct {
	ids  []string
	name string
	read time.Time
}

// pathTTL bounds how long a moved or renamed organisation is remembered as it was.
const pathTTL = time.Minute

// path returns an organisation's path, remembered for a minute: every event needs it.
func (s *Service) path(ctx context.Context, orgID string) (orgPath, error) {
	if v, ok := s.orgs.Load(orgID); ok && time.Since(v.(orgPath).read) < pathTTL {
		return v.(orgPath), nil
	}
	o, err := s.d.Party.GetOrganization(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: orgID})
	if err != nil {
		return orgPath{}, err
	}
	p := orgPath{ids: o.Orgs, name: o.OrgName, read: time.Now()}
	s.orgs.Store(orgID, p)
	return p, nil
}

// year is the asked year, or the current one in Shanghai.
func (s *Service) year(asked int32) int {
	if asked > 0 {
		return int(asked)
	}
	return s.d.Clock.Now().Year()
}

func checkDimension(d string) error {
	if d != model.DimensionPersonal && d != model.DimensionOrganisation {
		return kit.Invalid("points.dimension", "积分类型不正确")
	}
	return nil
}

func page(number, size int32) (from, n int) {
	n = int(size)
	if n <= 0 {
		n = 20
	}
	n = min(n, 100)
	return max(int(number)-1, 0) * n, n
}
