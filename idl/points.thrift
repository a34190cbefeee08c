namespace go points

include "records.thrift"

// Points, ledger and leaderboards (manual 13). Record type: pointsRule.
// Scores are hundredths of a point (int64), so that weights stay exact.

struct RankReq {
    1: string dimension      // personal, organisation
    2: i32 year
    3: string orgId
    4: i32 page
    5: i32 size (go.tag = 'validate:"gte=0,lte=100"')
}

struct RankRow {
    1: i32 rank              // equal sums share a rank
    2: string id
    3: string name
    4: string orgName
    5: i64 score
}

struct Ranking {
    1: list<RankRow> rows
    2: i64 total
    3: i32 year
}

struct EntriesReq {
    1: string id (go.tag = 'validate:"required,max=64"')
    2: string dimension
    3: i32 year
    4: i32 page
    5: i32 size (go.tag = 'validate:"gte=0,lte=100"')
}

struct Entry {
    1: string item
    2: string itemLabel
    3: i64 score
    4: i64 earnedAt
    5: string source
}

struct Entries {
    1: list<Entry> entries
    2: i64 total
    3: i64 sum
}

struct MyPoints {
    1: i64 score
    2: i32 rank              // this year, within the own branch or among its siblings
    3: i32 of
    4: list<Entry> entries
    5: i32 year
}

service Points {
    Ranking GetRanking(1: RankReq req) (may = "points.view member", idempotent = "true")
    // ListEntries shows members their own, and those of their organisation.
    Entries ListEntries(1: EntriesReq req) (may = "points.view member", idempotent = "true")
    MyPoints GetMine(1: records.Empty req) (may = "member", idempotent = "true")
    // GetMyOrganization is about the caller's organisation among those of one superior.
    MyPoints GetMyOrganization(1: records.Empty req) (may = "member", idempotent = "true")
    // For the relay; idempotent by event id.
    records.Handled HandleEvents(1: records.Events req) (may = "system", idempotent = "true")
    // Rebuild makes the leaderboards anew from the ledger.
    records.Empty Rebuild(1: records.Empty req) (may = "system")
}
