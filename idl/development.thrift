namespace go development

include "records.thrift"

// 发展党员 (manual 6.2).

struct BeginReq {
    1: string memberId
    2: string memberType      // what he is tells where his case begins
    3: string orgId
    4: list<string> orgs
    5: string activistOn
}

struct CaseReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

struct File {
    1: string id
    2: string name
    3: string contentType
}

struct Material {
    1: string id              // of the record developmentMaterial
    2: string kind
    3: string by
    4: i64 at                 // Unix milliseconds
    5: list<File> files
}

struct Decision {
    1: bool passed
    2: string opinion
    3: string by
    4: i64 at
}

struct Correction {
    1: string was
    2: string becomes
    3: string reason
    4: string by
    5: i64 at
}

struct Votes {
    1: i32 due
    2: i32 present
    3: i32 agree
    4: i32 against
    5: i32 abstain
    6: string words           // the result, for the minutes
}

struct Step {
    1: i32 no
    2: string name
    3: string stage
    4: string state           // done 黑, current 红, notReached 灰
    5: string description
    6: string article
    7: string department      // 党支部, 党委, …
    8: string handler         // the organisation; empty: 未配置处理部门
    9: list<string> required  // kinds of materials
    10: list<string> missing  // of them
    11: list<Material> materials
    12: string date           // yyyy-MM-dd, in the file
    13: string opinion
    14: string handledBy
    15: i64 handledAt
    16: optional Votes votes
    17: list<Decision> history
    18: list<Correction> corrections
    19: list<string> warnings // in words
    20: bool candidate        // it is his to do
    21: bool handedIn         // he has
    22: bool works            // the caller may work on it now
    23: bool needsOpinion
    24: bool needsVotes
    25: string publicity      // in words, where one was entered
    26: bool needsPublicity   // a 公示 comes before it
    27: string signers        // who is named, or signed, in words
    28: string needsSigners   // what they are called; empty: nobody has to
}

struct Stage {
    1: string key
    2: string title
    3: list<Step> steps
}

struct Case {
    1: string id
    2: string memberId
    3: string name
    4: string memberType
    5: string orgName
    6: string stage
    7: i32 currentStepNo
    8: string state           // running, finished, terminated
    9: string process         // the regulation in words
    10: string startedOn
    11: list<Stage> stages
}

service Development {
    // BeginCase opens the case of somebody who is no full member yet, once; twice is harmless.
    records.Empty BeginCase(1: BeginReq req) (may = "system", idempotent = "true")
    // GetCase is a case with all its steps.
    Case GetCase(1: CaseReq req) (may = "developmentCase.view", idempotent = "true")
    // GetMyCase is that of the member who calls; without one it has no id.
    Case GetMyCase(1: records.Empty req) (may = "member", idempotent = "true")
    // HandIn says that the candidate has done the current step, whose materials are there.
    Case HandIn(1: records.Empty req) (may = "member")
    // TakeBack takes that back while nobody has decided on it.
    Case TakeBack(1: records.Empty req) (may = "member")
    // Remind does what falls due with time: reports of a quarter, deadlines of steps.
    records.Empty Remind(1: records.Empty req) (may = "system", idempotent = "true")
}
