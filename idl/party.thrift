namespace go party

include "records.thrift"

// The tree, members, their WeChat bindings and guests (manual 3, 4.2, 5.1, 5.2, 5.4, 6.1, 6.8).

struct OrgReq {
    1: string orgId           // empty: the caller's own
    2: bool guests            // of ListMembers: part-time and report-in persons too
}

struct TreeNode {
    1: string id
    2: string parentId
    3: string orgName
    4: string orgType
    5: string icon            // 委 总 联 支 组 工
    6: i32 memberCount
}

struct Tree {
    1: list<TreeNode> nodes   // parents before children, in sort order
}

struct Count {
    1: string key
    2: string label
    3: i64 count
}

struct Statistics {
    1: list<Count> organizations
    2: list<Count> genders
    3: list<Count> bindings
    4: list<Count> ages
    5: i64 memberCount
}

struct MemberReq {
    1: string memberId (go.tag = 'validate:"required,max=64"')
}

// Places are organisations by their ids; those that are gone are left out.
struct PlacesReq {
    1: list<string> orgIds
}

struct OrgPlace {
    1: string id
    2: string orgName
    3: list<string> orgs      // ids from the root down to itself
    4: string committeeId     // the nearest committee (委员会) above it, its own; "" of none
}

struct OrgPlaces {
    1: list<OrgPlace> places
}

struct MembersReq {
    1: list<string> memberIds
}

struct OpenIDReq {
    1: string openId
    2: string unionId
    3: string channel
}

struct Organization {
    1: string id
    2: string orgName
    3: string orgType
    4: string parentId
    5: list<string> orgs      // ids from the root down to itself
    6: list<string> orgNames
    7: string secretary
    8: string contactName
    9: string contactPhone
    10: string address
    11: i64 memberCount       // active members of the node itself
    12: string icon
    13: string secretaryPhone
    14: string orgTypeName
    15: string introduction
}

// Place is an organisation on the map.
struct Place {
    1: string id
    2: string orgName
    3: string orgType
    4: string icon
    5: string secretary
    6: string secretaryPhone
    7: string contactName
    8: string contactPhone
    9: string address
    10: string longitude      // "" when it has no place
    11: string latitude
}

struct OrgMap {
    1: Place center
    2: list<Place> children
    3: string message         // why there is no map
    4: string tiles           // MAP_TILES, "" for a plain grid
}

// Transfer is a whole-organisation transfer that has work left for the job.
struct Transfer {
    1: string id
    2: string orgId
    3: list<string> path      // its new one
    4: i32 step               // services done
}

struct Transfers {
    1: list<Transfer> transfers
}

struct StepReq {
    1: string id
    2: i32 step               // services done by now
    3: i32 steps              // of so many
}

struct Member {
    1: string id
    2: string name
    3: string gender
    4: string idNumber        // masked unless asked for by a service
    5: string phone           // masked likewise
    6: string orgId
    7: string orgName
    8: list<string> orgs
    9: string memberType
    10: string status
    11: bool retired
    12: string duesPaidThrough // yyyy-MM
    13: string openId          // official account, empty when unbound
    14: string miniOpenId
    15: string committeeName
    16: string birthDate
    17: string joinedOn
    18: i64 version
    19: string duesCategory    // salaried, retired, farmer, student (records.md, domain-rules 1)
    20: string memberId        // of a part-time or report-in person: the member of this system he is
    21: string retiredOn       // yyyy-MM-dd, of the record of 退休
    23: i64 updatedAt         // Unix milliseconds
    22: string activistOn      // yyyy-MM-dd, 确定为积极分子日期
}

struct Members {
    1: list<Member> members
}

struct BindCodeReq {
    1: string name (go.tag = 'validate:"required,max=30" label:"姓名"')
    2: string idNumber (go.tag = 'validate:"required,max=60" label:"身份证号"')
    3: string phone (go.tag = 'validate:"required,max=40" label:"手机号"')
}

struct BindCodeResp {
    1: i32 retryAfter         // seconds until the next code may be asked for
}

struct BindReq {
    1: string name (go.tag = 'validate:"required,max=30" label:"姓名"')
    2: string idNumber (go.tag = 'validate:"required,max=60" label:"身份证号"')
    3: string phone (go.tag = 'validate:"required,max=40" label:"手机号"')
    4: string code (go.tag = 'validate:"required,len=6,numeric" label:"验证码"')
}

struct PaidThroughReq {
    1: string memberId
    2: string month           // yyyy-MM, "" for none
    3: string fromMonth       // set only when the member still stands here (compare and set)
    4: bool force
}

// Identity is the ID number of a member, masked for people and sealed for who may open it.
struct Identity {
    1: string memberId
    2: string masked
    3: string sealed
}

struct Identities {
    1: list<Identity> identities
}

struct BlindReq {
    1: string idBlind         // the blind index of an ID number
}

struct StandingReq {
    1: string memberId
    2: bool left              // 党员减少, or by a transfer; else he is back
    3: bool transferred       // it is a transfer by which he left
}

// AdmitReq is who comes by a transfer (8.1); numbers are open.
struct AdmitReq {
    1: string memberId        // his id, made of what admits him
    2: string orgId
    3: string name
    4: string gender
    5: string idNumber
    6: string phone
    7: string ethnicity
    8: string education
    9: string memberType
    10: string joinedOn
    11: string regularizedOn
    12: string duesPaidThrough
}

struct MoveReq {
    1: string memberId
    2: string fromOrgId       // where he is
    3: string toOrgId
}

// ChangedReq asks for members in the order of their last change.
struct ChangedReq {
    1: i64 since              // Unix milliseconds: later ones, and of the same moment those after an id
    2: string after
    3: i64 until
    4: i32 most
}

struct BranchesReq {
    1: string keyword         // a part of the name
}

struct BranchPlace {
    1: string id
    2: string orgName
    3: string parentName
}

struct BranchPlaces {
    1: list<BranchPlace> branches
}

struct SettleReq {
    1: string memberId
    2: string orgId           // to where his records have followed him
}

// DevelopReq is what a step of 发展党员 made of somebody; a date that is empty stays as it is.
struct DevelopReq {
    1: string memberId
    2: string memberType
    3: string activistOn
    4: string joinedOn
    5: string regularizedOn
}

struct RetiredReq {
    1: string memberId
    2: string retiredOn       // yyyy-MM-dd; empty: not retired
}

service Party {
    Tree GetTree(1: OrgReq req) (may = "user", idempotent = "true")
    Statistics GetStatistics(1: OrgReq req) (may = "statistics.view", idempotent = "true")
    // RevealMember shows the personal fields of one member; the look is logged.
    Member RevealMember(1: MemberReq req) (may = "member.reveal")

    // GetMap shows an organisation and those right below it (manual 5.1.5).
    OrgMap GetMap(1: OrgReq req) (may = "organization.view", idempotent = "true")

    // Of the member who calls.
    BindCodeResp SendBindCode(1: BindCodeReq req) (may = "phone")
    Member Bind(1: BindReq req) (may = "phone")
    Member GetMyProfile(1: records.Empty req) (may = "member", idempotent = "true")
    Organization GetMyOrganization(1: records.Empty req) (may = "member", idempotent = "true")

    // For services only: the caller is the system.
    Organization GetOrganization(1: OrgReq req) (may = "system", idempotent = "true")
    // GetPlaces are the names and paths of organisations, from the tree in memory.
    OrgPlaces GetPlaces(1: PlacesReq req) (may = "system", idempotent = "true")
    Member GetMember(1: MemberReq req) (may = "system", idempotent = "true")
    Members GetMembers(1: MembersReq req) (may = "system", idempotent = "true")
    // GetIdentities are the ID numbers of members, of those who left too.
    Identities GetIdentities(1: MembersReq req) (may = "system", idempotent = "true")
    // FindByIDNumber is the member on the roll who has an ID number; without an id there is none.
    Member FindByIDNumber(1: BlindReq req) (may = "system", idempotent = "true")
    // SetStanding takes a member off the roll or back on it; twice is harmless. Back he does not
    // come whose ID number is registered anew.
    records.Empty SetStanding(1: StandingReq req) (may = "system", idempotent = "true")
    // CheckReturn refuses who is registered anew.
    records.Empty CheckReturn(1: MemberReq req) (may = "system", idempotent = "true")
    // AdmitMember puts somebody on the roll, once.
    records.Empty AdmitMember(1: AdmitReq req) (may = "system", idempotent = "true")
    // CheckAdmission and CheckMove only tell whether he could be.
    records.Empty CheckAdmission(1: AdmitReq req) (may = "system", idempotent = "true")
    records.Empty CheckMove(1: MoveReq req) (may = "system", idempotent = "true")
    // MoveMember takes a member from one branch to another, unbound; twice is harmless.
    records.Empty MoveMember(1: MoveReq req) (may = "system", idempotent = "true")
    // ListMoved are members whose records have not all followed them yet; SettleMember notes that they have.
    Members ListMoved(1: records.Empty req) (may = "system", idempotent = "true")
    records.Empty SettleMember(1: SettleReq req) (may = "system", idempotent = "true")
    // ListChanged are members, of those who left too, who changed since a moment.
    Members ListChanged(1: ChangedReq req) (may = "system", idempotent = "true")
    // FindBranches are organisations that members may belong to, by a part of their name, ten at most.
    BranchPlaces FindBranches(1: BranchesReq req) (may = "system", idempotent = "true")
    // SetDeveloped tells a member's record what he is by now; twice is harmless.
    records.Empty SetDeveloped(1: DevelopReq req) (may = "system", idempotent = "true")
    // SetRetired tells a member's record since when he is retired; twice is harmless.
    records.Empty SetRetired(1: RetiredReq req) (may = "system", idempotent = "true")
    Members ListMembers(1: OrgReq req) (may = "system", idempotent = "true")
    // ListParticipants are the people whom an organisation, and those below it, can invite.
    Members ListParticipants(1: OrgReq req) (may = "meeting.create", idempotent = "true")
    // ListGuests are the part-time and report-in persons that a member is, in or after the period.
    Members ListGuests(1: MemberReq req) (may = "system", idempotent = "true")
    // TurnGuests moves part-time and report-in persons on whose period began or ended.
    records.Empty TurnGuests(1: records.Empty req) (may = "system")
    Member FindByOpenID(1: OpenIDReq req) (may = "system", idempotent = "true")
    records.Empty SetDuesPaidThrough(1: PaidThroughReq req) (may = "system", idempotent = "true")
    // Transfers are those with work left: the job moves each service's records, and
    // tells after every one by StepTransfer.
    Transfers ListTransfers(1: records.Empty req) (may = "system", idempotent = "true")
    records.Empty StepTransfer(1: StepReq req) (may = "system")
}
