namespace go account

include "records.thrift"

// Users of the console, their sessions, captcha and log-in (manual 1, 18).

struct Captcha {
    1: string id
    2: string image      // data: URL of the picture
    3: string tile       // data: URL of the piece
    4: i32 width
    5: i32 height
    6: i32 tileWidth
    7: i32 tileHeight
    8: i32 tileX
    9: i32 tileY
}

struct CaptchaAnswer {
    1: string id (go.tag = 'validate:"required,max=64"')
    2: i32 x
    3: i32 y
}

struct CaptchaToken {
    1: string token
}

struct LoginReq {
    1: string userName (go.tag = 'validate:"required,max=30" label:"用户名"')
    2: string password (go.tag = 'validate:"required,max=200" label:"密码"')
    3: string captchaToken
}

struct Session {
    1: string token           // set as an HttpOnly cookie by the BFF, never in JSON
    2: Me me
}

struct Me {
    1: string userId
    2: string userName
    3: string realName
    4: string orgId
    5: string orgName
    6: bool topLevel          // 一级管理员
    7: list<string> permissions
    // members only
    8: string memberId
    9: string openId
    10: bool bound
}

struct TokenReq {
    1: string token
}

// Caller is who holds a session (kit.Caller).
struct Caller {
    1: string kind            // user or member
    2: string userId
    3: string name
    4: string memberId        // "" until bound
    5: string openId
    6: string unionId
    7: string channel         // oa or mini, of a member
    8: string orgId
    9: list<string> orgs      // the path from the root to orgId
    10: bool topLevel
    11: list<string> permissions
}

// StoredSession is what Redis keeps of one log-in; times are Unix milliseconds of the
// product's clock.
struct StoredSession {
    1: Caller caller
    2: i64 since
    3: i64 seenAt
    4: i64 changes            // count of changes of rights or bindings that it knows
    5: i64 checkedAt          // when the user was last looked up
}

struct MemberSessionReq {
    1: string openId
    2: string unionId
    3: string channel         // oa, mini
}

// Home is what a user put on his home page (常用功能, manual 4.1).
struct Home {
    1: list<string> modules   // addresses of the console's pages, in order
    2: bool chosen            // false: never changed, the page shows its own choice
}

struct ChangePasswordReq {
    1: string oldPassword (go.tag = 'validate:"required" label:"原密码"')
    2: string newPassword (go.tag = 'validate:"required,min=8,max=200" label:"新密码"')
}

struct AdminsReq {
    1: string orgId
    2: string permission      // "" for all of them
}

struct Admins {
    1: list<string> userIds
}

service Account {
    Captcha DrawCaptcha(1: records.Empty req) (may = "anyone")
    CaptchaToken SolveCaptcha(1: CaptchaAnswer req) (may = "anyone")
    // CaptchaAnswerOf answers in sandbox mode only.
    CaptchaAnswer CaptchaAnswerOf(1: records.IDReq req) (may = "system")
    Session Login(1: LoginReq req) (may = "anyone")
    // MemberSession opens a session for a WeChat user, bound or not.
    Session MemberSession(1: MemberSessionReq req) (may = "system")
    Caller Authenticate(1: TokenReq req) (may = "system", idempotent = "true")
    records.Empty Logout(1: TokenReq req) (may = "user phone")
    Me GetMe(1: records.Empty req) (may = "user phone", idempotent = "true")
    Home GetHome(1: records.Empty req) (may = "user", idempotent = "true")
    Home SaveHome(1: Home req) (may = "user")
    records.Empty ChangePassword(1: ChangePasswordReq req) (may = "user")
    // FindAdmins are the enabled users of one organisation who hold a permission; for
    // services only.
    Admins FindAdmins(1: AdminsReq req) (may = "system", idempotent = "true")
}
