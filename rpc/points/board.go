package points

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	partygen "zhihuidangjian/idl/gen/party"
	points "zhihuidangjian/idl/gen/points"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// A board is one leaderboard: the subjects of one organisation's subtree by the sum of
// their entries of one year. Every organisation has its own, so that a page of any
// level is one range of one sorted set.
//
// A board is set from the ledger, never added to: after an entry the subject's sum and
// number of entries are read again and stored only if the number is newer, so that
// parallel and repeated workers cannot put back an older sum (the ledger only grows).
// A board that is not there, because Redis was wiped or nobody looked before, is made
// whole when it is read; one that is older than boardAge is made anew in the
// background, which also lets new members appear with 0 and those who left disappear.
type board struct {
	year      int
	dimension string
	orgID     string
}

// boardAge is how long a board shows members who have left or changed their name.
const boardAge = time.Minute

// boardLife is how long a board that nobody reads or changes is kept.
const boardLife = 48 * time.Hour

// The braces keep a board's keys in one slot of a Redis cluster.
func (b board) key(part string) string {
	return fmt.Sprintf("points:{%d:%s:%s}:%s", b.year, b.dimension, b.orgID, part)
}

// keys are, in order: sums, numbers of entries, names.
func (b board) keys() []string {
	return []string{b.key("sum"), b.key("count"), b.key("name")}
}

// The fields of the counts that are no subjects: when (Unix milliseconds) the board was
// made whole, and how often sums were put on it since. Together they tell whether a page
// read before still holds.
const (
	fullField    = "@full"
	versionField = "@version"
)

// setScript puts subjects' sums on a board unless newer ones are there.
//
// KEYS[1] -> sorted set of sums
// KEYS[2] -> hash of numbers of entries by subject
// KEYS[3] -> hash of names by subject; it ends with the others
// --
// ARGV[1] -> how long the board is kept, seconds
// ARGV[i] -> subject
// ARGV[i+1] -> sum of its entries, hundredths
// ARGV[i+2] -> number of its entries
// --
// Returns how many sums were stored; the board had seen as many entries of the others,
// or more.
var setScript = redis.NewScript(`
local stored = 0
for i = 2, #ARGV, 3 do
	local seen = tonumber(redis.call("HGET", KEYS[2], ARGV[i]) or "-1")
	if tonumber(ARGV[i+2]) > seen then
		redis.call("HSET", KEYS[2], ARGV[i], ARGV[i+2])
		redis.call("ZADD", KEYS[1], ARGV[i+1], ARGV[i])
		stored = stored + 1
	end
end
if stored > 0 then
	redis.call("HINCRBY", KEYS[2], "@version", 1)
end
for _, key in ipairs(KEYS) do
	redis.call("EXPIRE", key, ARGV[1])
end
return stored
`)

// setMost is how many subjects one call of setScript sets: Redis does nothing else meanwhile.
const setMost = 500

// pageScript reads one page of a board in one round trip.
//
// KEYS[1] -> sorted set of sums
// KEYS[2] -> hash of numbers of entries, holding the mark of a whole board
// KEYS[3] -> hash of names by subject
// --
// ARGV[1] -> first position, from 0
// ARGV[2] -> last position
// --
// Returns {{time the board was made whole or false, version or false}, number of subjects,
// number of subjects above the first of the page, {subject, sum, …}, {name or false, …}}.
var pageScript = redis.NewScript(`
local full = redis.call("HMGET", KEYS[2], "@full", "@version")
local rows = redis.call("ZREVRANGE", KEYS[1], ARGV[1], ARGV[2], "WITHSCORES")
if #rows == 0 then
	return {full, redis.call("ZCARD", KEYS[1]), 0, rows, rows}
end
local ids = {}
for i = 1, #rows, 2 do
	ids[#ids + 1] = rows[i]
end
return {full, redis.call("ZCARD", KEYS[1]), redis.call("ZCOUNT", KEYS[1], "(" .. rows[2], "+inf"),
	rows, redis.call("HMGET", KEYS[3], unpack(ids))}
`)

// standScript tells where a subject stands on a board.
//
// KEYS[1] -> sorted set of sums
// KEYS[2] -> hash of numbers of entries, holding the mark of a whole board
// --
// ARGV[1] -> subject
// --
// Returns {time the board was made whole or false, number of subjects, its sum ("0" when
// it is not on the board), number of subjects above it, whether it is on the board}.
var standScript = redis.NewScript(`
local full = redis.call("HGET", KEYS[2], "@full")
local own = redis.call("ZSCORE", KEYS[1], ARGV[1])
local sum = own or "0"
return {full, redis.call("ZCARD", KEYS[1]), sum, redis.call("ZCOUNT", KEYS[1], "(" .. sum, "+inf"), own and 1 or 0}
`)

// label is what a board shows of a subject.
type label struct {
	Name string `json:"n"`
	Org  string `json:"o"`
}

// boardPage is one page of a board; nobody may change it.
type boardPage struct {
	rows  []*points.RankRow
	total int64
	mark  [2]string // full and version of the board when it was read
}

// pageKey is a page that was asked for.
type pageKey struct {
	board
	from, size int
}

// pages remembers pages. One is shown again only while the board is what it was.
type pages struct {
	mu    sync.Mutex
	pages map[pageKey]*boardPage
}

const pagesMost = 1000

func (m *pages) get(k pageKey) *boardPage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pages[k]
}

func (m *pages) put(k pageKey, p *boardPage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pages == nil || len(m.pages) >= pagesMost {
		m.pages = map[pageKey]*boardPage{}
	}
	m.pages[k] = p
}

// marks reads what HMGET answered of full and version.
func marks(v []any) (mark [2]string) {
	for i := range mark {
		mark[i], _ = v[i].(string)
	}
	return mark
}

// marksAtOnce bounds one trip to Redis.
const marksAtOnce = 128

// marksOf reads the marks of boards as they are, each once: people look at the same ones.
func (s *Service) marksOf(ctx context.Context, boards []board) ([][2]string, error) {
	answers := map[board]*redis.SliceCmd{}
	_, err := s.d.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, b := range boards {
			if answers[b] == nil {
				answers[b] = p.HMGet(ctx, b.key("count"), fullField, versionField)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read boards: %w", err)
	}
	out := make([][2]string, len(boards))
	for i, b := range boards {
		out[i] = marks(answers[b].Val())
	}
	return out, nil
}

// readBoard reads size rows from a position on, making the board first if need be.
func (s *Service) readBoard(ctx context.Context, b board, from, size int) (*boardPage, error) {
	k := pageKey{b, from, size}
	if p := s.pages.get(k); p != nil {
		mark, err := s.marking.Do(ctx, b)
		if err != nil {
			return nil, err
		}
		if mark == p.mark {
			_, err := s.whole(ctx, b, mark[0], 1)
			return p, err
		}
	}
	for try := 0; ; try++ {
		v, err := pageScript.Run(ctx, s.d.Redis, b.keys(), from, from+size-1).Slice()
		if err != nil {
			return nil, fmt.Errorf("read board: %w", err)
		}
		mark := marks(v[0].([]any))
		if made, err := s.whole(ctx, b, mark[0], try); err != nil {
			return nil, err
		} else if made {
			continue
		}
		p := &boardPage{total: v[1].(int64), mark: mark}
		rows, names := v[3].([]any), v[4].([]any)
		var last int64
		rank := v[2].(int64) + 1
		for i := 0; i < len(rows); i += 2 {
			sum, err := strconv.ParseFloat(rows[i+1].(string), 64)
			if err != nil {
				return nil, fmt.Errorf("read board: %w", err)
			}
			row := &points.RankRow{Id: rows[i].(string), Score: int64(sum)}
			// Equal sums share a rank; the next one counts everybody above it.
			if i > 0 && row.Score != last {
				rank = int64(from + i/2 + 1)
			}
			last, row.Rank = row.Score, int32(placed(rank, row.Score))
			if name, ok := names[i/2].(string); ok {
				var l label
				_ = json.Unmarshal([]byte(name), &l) // ours; malformed: shown without a name
				row.Name, row.OrgName = l.Name, l.Org
			}
			p.rows = append(p.rows, row)
		}
		if err := s.nameRows(ctx, b, p.rows); err != nil {
			return nil, err
		}
		if mark[0] != "" {
			s.pages.put(k, p)
		}
		return p, nil
	}
}

// nameRows names the rows of members who came after the board was made.
func (s *Service) nameRows(ctx context.Context, b board, rows []*points.RankRow) error {
	missing := map[string]*points.RankRow{}
	var ids []string
	for _, r := range rows {
		if r.Name == "" {
			missing[r.Id] = r
			ids = append(ids, r.Id)
		}
	}
	if len(ids) == 0 || b.dimension != model.DimensionPersonal {
		return nil
	}
	m, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: ids})
	if err != nil {
		return err
	}
	for _, x := range m.Members {
		if r := missing[x.Id]; r != nil {
			r.Name, r.OrgName = x.Name, x.OrgName
		}
	}
	return nil
}

// placed is the rank that a sum gives, 0 as long as nobody has a point: a year in which all are
// first has no first.
func placed(rank, sum int64) int64 {
	if rank == 1 && sum <= 0 {
		return 0
	}
	return rank
}

// standing returns a subject's sum and rank, 0 when it is not on the board or nobody has a
// point yet, and the number of subjects.
func (s *Service) standing(ctx context.Context, b board, subject string) (sum, rank, of int64, err error) {
	for try := 0; ; try++ {
		v, err := standScript.Run(ctx, s.d.Redis, b.keys()[:2], subject).Slice()
		if err != nil {
			return 0, 0, 0, fmt.Errorf("read board: %w", err)
		}
		full, _ := v[0].(string)
		if made, err := s.whole(ctx, b, full, try); err != nil {
			return 0, 0, 0, err
		} else if made {
			continue
		}
		f, err := strconv.ParseFloat(v[2].(string), 64)
		if v[4].(int64) == 1 {
			rank = placed(v[3].(int64)+1, int64(f))
		}
		return int64(f), rank, v[1].(int64), err
	}
}

// whole makes the board when it is not whole (answering true: read again) and has an
// old one made anew in the background. A year that nobody has to do with stays empty, and
// leaves nothing behind.
func (s *Service) whole(ctx context.Context, b board, full string, try int) (made bool, err error) {
	at, _ := strconv.ParseInt(full, 10, 64)
	if at == 0 && try == 0 {
		if ok, err := s.lived(ctx, b); err != nil || !ok {
			return false, err
		}
		return true, s.makeOnce(ctx, b)
	}
	if _, busy := s.making.Load(b); !busy && time.Since(time.UnixMilli(at)) > boardAge {
		if _, busy = s.making.LoadOrStore(b, true); !busy {
			s.refresh.Go("leaderboard", func() error {
				defer s.making.Delete(b)
				if err := s.makeOnce(ctx, b); err != nil {
					slog.WarnContext(ctx, "leaderboard not made anew", "org", b.orgID, "error", err)
				}
				return nil
			})
		}
	}
	return false, nil
}

// lived tells whether a board's year is worth a board: it is about now, or its organisation
// has entries in it or in a year beside it. Index: (orgs, year).
func (s *Service) lived(ctx context.Context, b board) (bool, error) {
	if now := s.year(0); b.year >= now-1 && b.year <= now+1 {
		return true, nil
	}
	err := s.entries.Mongo().FindOne(ctx, bson.D{
		{Key: "orgs", Value: b.orgID}, {Key: "year", Value: bson.D{{Key: "$gte", Value: b.year - 1}, {Key: "$lte", Value: b.year + 1}}},
	}).Err()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("years of a board: %w", err)
	}
	return true, nil
}

// makeOnce makes a board; callers at the same time share one making, which therefore
// outlives the caller who began it.
func (s *Service) makeOnce(ctx context.Context, b board) error {
	_, err, _ := s.flight.Do(b.key(""), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, s.make(ctx, b)
	})
	return err
}

// make sets a whole board from the ledger and the roster.
func (s *Service) make(ctx context.Context, b board) error {
	labels, err := s.roster(ctx, b)
	if err != nil {
		return err
	}
	totals, err := s.totals(ctx, b)
	if err != nil {
		return err
	}
	keys := b.keys()
	sums := make([]standing, 0, len(labels))
	for id := range labels {
		sums = append(sums, standing{id, totals[id]})
	}
	present, err := s.d.Redis.ZRange(ctx, keys[0], 0, -1).Result()
	if err != nil {
		return fmt.Errorf("make board: %w", err)
	}
	if err := s.set(ctx, map[board][]standing{b: sums}); err != nil {
		return fmt.Errorf("make board: %w", err)
	}
	pipe := s.d.Redis.Pipeline()
	for _, id := range present {
		if _, ok := labels[id]; !ok {
			pipe.ZRem(ctx, keys[0], id)
			pipe.HDel(ctx, keys[1], id)
			pipe.HDel(ctx, keys[2], id)
		}
	}
	for id, l := range labels {
		name, _ := json.Marshal(l) // two strings: cannot fail
		pipe.HSet(ctx, keys[2], id, name)
		if pipe.Len() >= 1000 {
			if _, err := pipe.Exec(ctx); err != nil {
				return fmt.Errorf("make board: %w", err)
			}
		}
	}
	pipe.HSet(ctx, keys[1], fullField, time.Now().UnixMilli())
	for _, key := range keys {
		pipe.Expire(ctx, key, boardLife)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("make board: %w", err)
	}
	return nil
}

// roster returns who belongs on a board: members of the party or organisations of the subtree.
func (s *Service) roster(ctx context.Context, b board) (map[string]label, error) {
	labels := map[string]label{}
	if b.dimension == model.DimensionOrganisation {
		t, err := s.tree(ctx, b.orgID)
		if err != nil {
			return nil, err
		}
		for _, n := range t.Nodes {
			labels[n.Id] = label{Name: n.OrgName, Org: levels[n.OrgType]}
		}
		return labels, nil
	}
	m, err := s.d.Party.ListMembers(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: b.orgID})
	if err != nil {
		return nil, err
	}
	for _, x := range m.Members {
		if model.IsPartyMember(x.MemberType) {
			labels[x.Id] = label{Name: x.Name, Org: x.OrgName}
		}
	}
	return labels, nil
}

// tree returns an organisation and those below it. The tree belongs to people: it is
// what an admin of the organisation sees.
func (s *Service) tree(ctx context.Context, orgID string) (*partygen.Tree, error) {
	path, err := s.path(ctx, orgID)
	if err != nil {
		return nil, err
	}
	viewer := kit.WithCaller(ctx, kit.Caller{Kind: kit.User, Name: "系统", OrgID: orgID, Orgs: path.ids, RequestID: kit.CallerOf(ctx).RequestID})
	return s.d.Party.GetTree(viewer, &partygen.OrgReq{OrgId: orgID})
}

// levels are shown beside organisations, where members show their branch (PRNK-05).
var levels = map[string]string{
	"committee": "党委", "generalBranch": "党总支", "jointBranch": "联合党支部", "branch": "党支部",
	"group": "党小组", "workCommittee": "党工委",
}

// total is the sum and the number of a subject's entries.
type total struct{ sum, count int64 }

// standing is a subject's total.
type standing struct {
	subject string
	total
}

// yearly is what part of the ledger a board shows, whatever the organisation.
type yearly struct {
	year      int
	dimension string
}

// share is the total of a subject's entries that belong to one path of organisations.
type share struct {
	Of struct {
		Subject string   `bson:"s"`
		Orgs    []string `bson:"o"`
	} `bson:"_id"`
	Sum   int64 `bson:"sum"`
	Count int64 `bson:"n"`
}

// shares sums a part of the ledger by subject and path.
func (s *Service) shares(ctx context.Context, y yearly, filter bson.D) ([]share, error) {
	cur, err := s.entries.Mongo().Aggregate(ctx, bson.A{
		bson.D{{Key: "$match", Value: append(filter, bson.E{Key: "year", Value: y.year}, bson.E{Key: "dimension", Value: y.dimension})}},
		bson.D{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: bson.D{{Key: "s", Value: "$subjectId"}, {Key: "o", Value: "$orgs"}}},
			{Key: "sum", Value: bson.D{{Key: "$sum", Value: "$score"}}}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}},
		}}},
	})
	if err != nil {
		return nil, fmt.Errorf("sum the ledger: %w", err)
	}
	var all []share
	if err := cur.All(ctx, &all); err != nil {
		return nil, fmt.Errorf("sum the ledger: %w", err)
	}
	return all, nil
}

// totals sums a board's part of the ledger by subject. Index: (orgs, year).
func (s *Service) totals(ctx context.Context, b board) (map[string]total, error) {
	all, err := s.shares(ctx, yearly{b.year, b.dimension}, bson.D{{Key: "orgs", Value: b.orgID}})
	if err != nil {
		return nil, err
	}
	totals := map[string]total{}
	for _, x := range all {
		t := totals[x.Of.Subject]
		totals[x.Of.Subject] = total{t.sum + x.Sum, t.count + x.Count}
	}
	return totals, nil
}

// rank sets subjects' sums of a year on the boards of every organisation that their
// entries belong to. What was earned in a branch left since stays there. Index:
// (subjectId, year).
func (s *Service) rank(ctx context.Context, y yearly, subjects []string) error {
	subjects, err := s.ranked(ctx, y.dimension, subjects)
	if err != nil || len(subjects) == 0 {
		return err
	}
	all, err := s.shares(ctx, y, bson.D{{Key: "subjectId", Value: bson.D{{Key: "$in", Value: subjects}}}})
	if err != nil {
		return err
	}
	totals := map[board]map[string]total{}
	for _, x := range all {
		for _, org := range x.Of.Orgs {
			b := board{y.year, y.dimension, org}
			if totals[b] == nil {
				totals[b] = map[string]total{}
			}
			t := totals[b][x.Of.Subject]
			totals[b][x.Of.Subject] = total{t.sum + x.Sum, t.count + x.Count}
		}
	}
	sums := make(map[board][]standing, len(totals))
	for b, m := range totals {
		for id, t := range m {
			sums[b] = append(sums[b], standing{id, t})
		}
	}
	if err := s.set(ctx, sums); err != nil {
		return fmt.Errorf("rank: %w", err)
	}
	return nil
}

// ranked are the subjects that belong on boards. Activists and guests earn points too, and
// are ranked once they are members.
func (s *Service) ranked(ctx context.Context, dimension string, subjects []string) ([]string, error) {
	if dimension != model.DimensionPersonal || len(subjects) == 0 {
		return subjects, nil
	}
	m, err := s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: subjects})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, x := range m.Members {
		if model.IsPartyMember(x.MemberType) {
			out = append(out, x.Id)
		}
	}
	return out, nil
}

// dropBoards forgets every leaderboard; who reads one has it made anew.
func (s *Service) dropBoards(ctx context.Context) error {
	iter := s.d.Redis.Scan(ctx, 0, "points:{*", 500).Iterator()
	for iter.Next(ctx) {
		if err := s.d.Redis.Del(ctx, iter.Val()).Err(); err != nil {
			return fmt.Errorf("drop boards: %w", err)
		}
	}
	if err := iter.Err(); err != nil {
		return fmt.Errorf("drop boards: %w", err)
	}
	return nil
}

// Rehome moves what an organisation has earned along with it. The boards of its former
// and its new superiors are made anew.
func (s *Service) Rehome(ctx context.Context, req *recordsgen.RehomeReq) (*recordsgen.Empty, error) {
	s.orgs.Clear()
	if _, err := s.Engine.Rehome(ctx, req); err != nil {
		return nil, err
	}
	return &recordsgen.Empty{}, s.dropBoards(ctx)
}

// set puts sums on boards, in one round trip unless they are many.
func (s *Service) set(ctx context.Context, sums map[board][]standing) error {
	send := func() error {
		pipe := s.d.Redis.Pipeline()
		for b, all := range sums {
			for part := range slices.Chunk(all, setMost) {
				args := append(make([]any, 0, 1+3*len(part)), int(boardLife.Seconds()))
				for _, x := range part {
					args = append(args, x.subject, x.sum, x.count)
				}
				setScript.EvalSha(ctx, pipe, b.keys(), args...)
			}
		}
		_, err := pipe.Exec(ctx)
		return err
	}
	err := send()
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		if err = setScript.Load(ctx, s.d.Redis).Err(); err == nil {
			err = send()
		}
	}
	return err
}

// Rebuild makes every leaderboard anew from the ledger. Readers meanwhile have a board
// that they miss made on the spot.
func (s *Service) Rebuild(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	if err := s.dropBoards(ctx); err != nil {
		return nil, err
	}
	cur, err := s.entries.Mongo().Aggregate(ctx, bson.A{bson.D{{Key: "$group", Value: bson.D{
		{Key: "_id", Value: bson.D{{Key: "y", Value: "$year"}, {Key: "d", Value: "$dimension"}, {Key: "o", Value: "$orgs"}}},
	}}}})
	if err != nil {
		return nil, fmt.Errorf("rebuild: %w", err)
	}
	var parts []struct {
		Of struct {
			Year      int      `bson:"y"`
			Dimension string   `bson:"d"`
			Orgs      []string `bson:"o"`
		} `bson:"_id"`
	}
	if err := cur.All(ctx, &parts); err != nil {
		return nil, fmt.Errorf("rebuild: %w", err)
	}
	boards := map[board]bool{}
	for _, p := range parts {
		for _, org := range p.Of.Orgs {
			boards[board{p.Of.Year, p.Of.Dimension, org}] = true
		}
	}
	for b := range boards {
		// An organisation that is gone has no board.
		if err := s.makeOnce(ctx, b); err != nil && !errors.Is(kit.FromError(err), kit.ErrNotFound) {
			return nil, err
		}
	}
	return &recordsgen.Empty{}, nil
}
