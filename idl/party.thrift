namespace go party

include "records.thrift"

// Organisations, members and WeChat bindings (manual 3, 4.2, 5.1, 6.1, 6.8).
// Record types: organization, member, binding.

struct OrgReq {
    1: string orgId           // empty: the caller's own
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
}

struct Members {
    1: list<Member> members
}

struct BindCodeReq {
    1: string name (go.tag = 'validate:"required,max=30" label:"姓名"')
    2: string idNumber (go.tag = 'validate:"required,len=18" label:"身份证号"')
    3: string phone (go.tag = 'validate:"required,len=11,numeric" label:"手机号"')
}

struct BindCodeResp {
    1: i32 retryAfter         // seconds until the next code may be asked for
}

struct BindReq {
    1: string name (go.tag = 'validate:"required,max=30" label:"姓名"')
    2: string idNumber (go.tag = 'validate:"required,len=18" label:"身份证号"')
    3: string phone (go.tag = 'validate:"required,len=11,numeric" label:"手机号"')
    4: string code (go.tag = 'validate:"required,len=6,numeric" label:"验证码"')
}

struct PaidThroughReq {
    1: string memberId
    2: string month           // yyyy-MM, "" for none
    3: string fromMonth       // set only when the member still stands here (compare and set)
    4: bool force
}

service Party extends records.Records {
    Tree GetTree(1: OrgReq req)
    Statistics GetStatistics(1: OrgReq req)
    // Unbind ends a member's binding (微信解绑, manual 6.8.1).
    records.Empty Unbind(1: MemberReq req)
    // RevealMember shows the personal fields of one member; the look is logged.
    Member RevealMember(1: MemberReq req)

    // Of the member who calls.
    BindCodeResp SendBindCode(1: BindCodeReq req)
    Member Bind(1: BindReq req)
    Member GetMyProfile(1: records.Empty req)
    Organization GetMyOrganization(1: records.Empty req)

    // For services only: the caller is the system.
    Organization GetOrganization(1: OrgReq req)
    Member GetMember(1: MemberReq req)
    Members GetMembers(1: MembersReq req)
    Members ListMembers(1: OrgReq req)
    Member FindByOpenID(1: OpenIDReq req)
    records.Empty SetDuesPaidThrough(1: PaidThroughReq req)
}
