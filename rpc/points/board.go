package points

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

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

// The braces keep a board's keys in one slot of a Redis cluster.
func (b board) key(part string) string {
	return fmt.Sprintf("points:{%d:%s:%s}:%s", b.year, b.dimension, b.orgID, part)
}

// keys are, in order: sums, numbers of entries, names.
func (b board) keys() []string {
	return []string{b.key("sum"), b.key("count"), b.key("name")}
}

// fullField of the counts holds when (Unix milliseconds) the board was made whole.
const fullField = "@full"

// setScript puts a subject's sum on a board unless a newer one is there.
//
// KEYS[1] -> sorted set of sums
// KEYS[2] -> hash of numbers of entries by subject
// --
// ARGV[1] -> subject
// ARGV[2] -> sum of its entries, hundredths
// ARGV[3] -> number of its entries
// --
// Returns 1 if the sum was stored, 0 if the board has seen as many entries or more.
var setScript = redis.NewScript(`
local seen = tonumber(redis.call("HGET", KEYS[2], ARGV[1]) or "-1")
if tonumber(ARGV[3]) <= seen then
	return 0
end
redis.call("HSET", KEYS[2], ARGV[1], ARGV[3])
redis.call("ZADD", KEYS[1], ARGV[2], ARGV[1])
return 1
`)

// pageScript reads one page of a board in one round trip.
//
// KEYS[1] -> sorted set of sums
// KEYS[2] -> hash of numbers of entries, holding the mark of a whole board
// KEYS[3] -> hash of names by subject
// --
// ARGV[1] -> first position, from 0
// ARGV[2] -> last position
// --
// Returns {time the board was made whole or false, number of subjects, number of
// subjects above the first of the page, {subject, sum, …}, {name or false, …}}.
var pageScript = redis.NewScript(`
local full = redis.call("HGET", KEYS[2], "@full")
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
// it is not on the board yet), number of subjects above it}.
var standScript = redis.NewScript(`
local full = redis.call("HGET", KEYS[2], "@full")
local sum = redis.call("ZSCORE", KEYS[1], ARGV[1]) or "0"
return {full, redis.call("ZCARD", KEYS[1]), sum, redis.call("ZCOUNT", KEYS[1], "(" .. sum, "+inf")}
`)

// label is what a board shows of a subject.
type label struct {
	Name string `json:"n"`
	Org  string `json:"o"`
}

// boardPage is one page of a board.
type boardPage struct {
	rows  []*points.RankRow
	total int64
}

// readBoard reads size rows from a position on, making the board first if need be.
func (s *Service) readBoard(ctx context.Context, b board, from, size int) (*boardPage, error) {
	for try := 0; ; try++ {
		v, err := pageScript.Run(ctx, s.d.Redis, b.keys(), from, from+size-1).Slice()
		if err != nil {
			return nil, fmt.Errorf("read board: %w", err)
		}
		if made, err := s.whole(ctx, b, v[0], try); err != nil {
			return nil, err
		} else if made {
			continue
		}
		p := &boardPage{total: v[1].(int64)}
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
			last, row.Rank = row.Score, int32(rank)
			if name, ok := names[i/2].(string); ok {
				var l label
				_ = json.Unmarshal([]byte(name), &l) // ours; malformed: shown without a name
				row.Name, row.OrgName = l.Name, l.Org
			}
			p.rows = append(p.rows, row)
		}
		return p, s.nameRows(ctx, b, p.rows)
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

// standing returns a subject's sum and rank and the number of subjects.
func (s *Service) standing(ctx context.Context, b board, subject string) (sum, rank, of int64, err error) {
	for try := 0; ; try++ {
		v, err := standScript.Run(ctx, s.d.Redis, b.keys()[:2], subject).Slice()
		if err != nil {
			return 0, 0, 0, fmt.Errorf("read board: %w", err)
		}
		if made, err := s.whole(ctx, b, v[0], try); err != nil {
			return 0, 0, 0, err
		} else if made {
			continue
		}
		f, err := strconv.ParseFloat(v[2].(string), 64)
		return int64(f), v[3].(int64) + 1, v[1].(int64), err
	}
}

// whole makes the board when it is not whole (answering true: read again) and has an
// old one made anew in the background.
func (s *Service) whole(ctx context.Context, b board, mark any, try int) (made bool, err error) {
	text, _ := mark.(string)
	at, _ := strconv.ParseInt(text, 10, 64)
	if at == 0 && try == 0 {
		return true, s.makeOnce(ctx, b)
	}
	if _, busy := s.making.Load(b); !busy && time.Since(time.UnixMilli(at)) > boardAge {
		if _, busy = s.making.LoadOrStore(b, true); !busy {
			s.refresh.Go(func() {
				defer s.making.Delete(b)
				if err := s.makeOnce(ctx, b); err != nil {
					slog.WarnContext(ctx, "leaderboard not made anew", "org", b.orgID, "error", err)
				}
			})
		}
	}
	return false, nil
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
	present, err := s.d.Redis.ZRange(ctx, keys[0], 0, -1).Result()
	if err != nil {
		return fmt.Errorf("make board: %w", err)
	}
	if err := setScript.Load(ctx, s.d.Redis).Err(); err != nil {
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
		t := totals[id]
		setScript.EvalSha(ctx, pipe, keys[:2], id, t.sum, t.count)
		name, _ := json.Marshal(l) // two strings: cannot fail
		pipe.HSet(ctx, keys[2], id, name)
		if pipe.Len() >= 1000 {
			if _, err := pipe.Exec(ctx); err != nil {
				return fmt.Errorf("make board: %w", err)
			}
		}
	}
	pipe.HSet(ctx, keys[1], fullField, time.Now().UnixMilli())
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("make board: %w", err)
	}
	return nil
}

// roster returns who belongs on a board: active members or organisations of the subtree.
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
		labels[x.Id] = label{Name: x.Name, Org: x.OrgName}
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

// totals sums a board's part of the ledger by subject. Index: (orgs, year).
func (s *Service) totals(ctx context.Context, b board) (map[string]total, error) {
	totals := map[string]total{}
	err := s.sums(ctx, bson.D{{Key: "orgs", Value: b.orgID}, {Key: "year", Value: b.year}, {Key: "dimension", Value: b.dimension}}, func(l *ledgerLine) {
		t := totals[l.SubjectID]
		totals[l.SubjectID] = total{t.sum + l.Score, t.count + 1}
	})
	return totals, err
}

// ledgerLine is what a sum needs of an entry.
type ledgerLine struct {
	SubjectID string   `bson:"subjectId"`
	Score     int64    `bson:"score"`
	Orgs      []string `bson:"orgs"`
	Dimension string   `bson:"dimension"`
	Year      int      `bson:"year"`
}

func (s *Service) sums(ctx context.Context, filter bson.D, add func(*ledgerLine)) error {
	cur, err := s.entries.Mongo().Find(ctx, filter, options.Find().SetProjection(bson.D{
		{Key: "subjectId", Value: 1}, {Key: "score", Value: 1}, {Key: "orgs", Value: 1}, {Key: "dimension", Value: 1}, {Key: "year", Value: 1},
	}))
	if err != nil {
		return fmt.Errorf("sum the ledger: %w", err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	for cur.Next(ctx) {
		var l ledgerLine
		if err := cur.Decode(&l); err != nil {
			return fmt.Errorf("sum the ledger: %w", err)
		}
		add(&l)
	}
	return cur.Err()
}

// rank sets a subject's sums of a year on the boards of every organisation that its
// entries belong to. What was earned in a branch left since stays there.
func (s *Service) rank(ctx context.Context, dimension, subject string, year int) error {
	totals := map[string]total{} // by organisation
	err := s.sums(ctx, bson.D{{Key: "subjectId", Value: subject}, {Key: "year", Value: year}}, func(l *ledgerLine) {
		if l.Dimension != dimension {
			return
		}
		for _, org := range l.Orgs {
			t := totals[org]
			totals[org] = total{t.sum + l.Score, t.count + 1}
		}
	})
	if err != nil {
		return err
	}
	if len(totals) == 0 {
		return nil
	}
	for range 2 {
		pipe := s.d.Redis.Pipeline()
		for org, t := range totals {
			setScript.EvalSha(ctx, pipe, board{year, dimension, org}.keys()[:2], subject, t.sum, t.count)
		}
		_, err = pipe.Exec(ctx)
		if !redis.HasErrorPrefix(err, "NOSCRIPT") {
			break
		}
		if err = setScript.Load(ctx, s.d.Redis).Err(); err != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("rank: %w", err)
	}
	return nil
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

// Rebuild makes every leaderboard anew from the ledger. Readers meanwhile have a board
// that they miss made on the spot.
func (s *Service) Rebuild(ctx context.Context, _ *recordsgen.Empty) (*recordsgen.Empty, error) {
	if err := kit.RequireSystem(ctx); err != nil {
		return nil, err
	}
	if err := s.dropBoards(ctx); err != nil {
		return nil, err
	}
	boards := map[board]bool{}
	err := s.sums(ctx, bson.D{}, func(l *ledgerLine) {
		for _, org := range l.Orgs {
			boards[board{l.Year, l.Dimension, org}] = true
		}
	})
	if err != nil {
		return nil, err
	}
	for b := range boards {
		// An organisation that is gone has no board.
		if err := s.makeOnce(ctx, b); err != nil && !errors.Is(kit.FromError(err), kit.ErrNotFound) {
			return nil, err
		}
	}
	return &recordsgen.Empty{}, nil
}
