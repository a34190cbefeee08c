namespace go affairs

include "records.thrift"

// What an organisation does as one: elections and those elected, and what members think of it
// (manual 5.1.2, 5.3, 5.5).

struct LeadershipReq {
    1: string orgId           // empty: the caller's own
}

// Leader is a person of an election's leadership (records.md 4).
struct Leader {
    1: string id
    2: string memberId
    3: string name
    4: string position
    5: string positionName
    6: string phone
    7: string adminDuty
    8: string tenureStart
}

// Term is one election and who came out of it.
struct Term {
    1: string electionId
    2: string electedOn
    3: string nextElectionOn
    4: string electionForm
    5: string electionFormName
    6: i32 termNo
    7: list<Leader> leaders
}

// Leadership: the newest election is the current one, the others are history.
struct Leadership {
    1: string orgName
    2: optional Term current  // absent without an election
    3: list<Term> history     // newest first
}

service Affairs {
    // GetLeadership shows the present and the former leaders (manual 5.1.2).
    Leadership GetLeadership(1: LeadershipReq req) (may = "organization.view", idempotent = "true")
    // RemindElections gives the reminders of elections that are due (manual 5.3).
    records.Empty RemindElections(1: records.Empty req) (may = "system")
}
