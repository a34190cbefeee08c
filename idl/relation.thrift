namespace go relation

include "records.thrift"

// 组织关系 (manual 8): transfers in and out with their letters, and certificates.

struct TokenReq {
    1: string token (go.tag = 'validate:"required,max=64"')
}

struct Line {
    1: string label
    2: string text
}

// Letter is a letter or certificate as its QR code shows it to whoever holds the paper.
struct Letter {
    1: string title
    2: string state           // valid, expired, received, returned
    3: string stateName
    4: list<Line> lines       // personal numbers masked
}

struct ApplyReq {
    1: binary json            // a TransferIn as its form has it
}

struct FindReq {
    1: string idNumber (go.tag = 'validate:"required,max=60" label:"身份证号"')
    2: string phone (go.tag = 'validate:"required,max=40" label:"手机号"')
}

struct Progress {
    1: string id
    2: string toOrgName
    3: string appliedOn
    4: string state           // pending, approved, rejected
    5: string opinion
    6: i64 appointmentAt      // Unix milliseconds, 0: none
}

struct Progresses {
    1: list<Progress> applications // the newest first
}

struct BranchesReq {
    1: string keyword (go.tag = 'validate:"required,max=50" label:"党支部名称"')
}

struct Branch {
    1: string id
    2: string orgName
    3: string parentName
}

struct Branches {
    1: list<Branch> branches  // ten at most
}

service Relation {
    // GetLetter shows what a letter's QR code stands for; a code that was made up shows nothing.
    Letter GetLetter(1: TokenReq req) (may = "anyone", idempotent = "true")
    // ReadLetter is the same for an admin: of the receiving organisation, or above it, in full, which is
    // written down.
    Letter ReadLetter(1: TokenReq req) (may = "transferIn.view", idempotent = "true")
    // Of whoever uses WeChat, bound or not: who comes from elsewhere is no member here yet (A39).
    Progress ApplyTransferIn(1: ApplyReq req) (may = "phone")
    Progresses FindTransferIns(1: FindReq req) (may = "phone")
    Branches FindBranches(1: BranchesReq req) (may = "transferOutApplication.approve phone", idempotent = "true")
    // For workers: what is warned of before a letter runs out, and when it has, once each.
    records.Empty WarnLetters(1: records.Empty req) (may = "system", idempotent = "true")
}
