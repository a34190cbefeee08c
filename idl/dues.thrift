namespace go dues

include "records.thrift"

// Party dues (manual 7). Amounts are fen, months yyyy-MM in Asia/Shanghai.
// Record types: duesBase, duesOrder.

struct Item {
    1: string month
    2: i64 baseAmount
    3: i32 rate              // 1/10,000: 50 is 0.5%
    4: i64 payable
    5: i64 reduction
    6: i64 due
}

struct Order {
    1: string id
    2: string orderNo
    3: string memberId
    4: string memberName
    5: string idNumber       // masked
    6: string orgName
    7: string fromMonth
    8: string toMonth
    9: list<Item> items
    10: i64 amount
    11: string status        // unpaid, paid, cleared, deleted
    12: string payMethod     // cash, wechat
    13: string payChannel    // console, mobile
    14: i64 createdAt        // Unix milliseconds
    15: i64 paidAt
    16: string operator
    17: string transactionNo
    18: i64 version
    19: i64 expiresAt
    20: list<string> actions // pay, delete, print, reverse, confirm, reject
    21: string cashBy        // who entered cash that waits to be confirmed
    22: string confirmedBy
}

struct Orders {
    1: list<Order> orders
}

struct PreviewBaseReq {
    1: string memberId (go.tag = 'validate:"required,max=64" label:"党员"')
    2: i64 baseAmount (go.tag = 'validate:"gte=0,lte=100000000" label:"应缴基数"')
    3: string month // 使用年月, yyyy-MM; the current one when empty
}

struct PreviewBase {
    1: i32 rate
    2: i64 payable
}

struct OwedReq {
    1: string memberId (go.tag = 'validate:"required,max=64" label:"党员"')
    2: string toMonth
}

struct Owed {
    1: string paidThrough
    2: list<Item> items      // from the month after paidThrough
    3: i64 amount
    4: string message        // why nothing can be paid, e.g. 请联系党组织设置党费基数
    5: list<Order> orders    // own orders, newest first
    6: list<Item> ahead      // months after the current one that may be paid too
}

struct CreateOrderReq {
    1: string memberId (go.tag = 'validate:"required,max=64" label:"党员"')
    2: string fromMonth
    3: string toMonth (go.tag = 'validate:"required,len=7" label:"缴纳截止月份"')
    4: string idempotencyKey (go.tag = 'validate:"max=64"')
}

struct OrderReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

struct NativePay {
    1: string codeUrl
    2: string qr             // data: URL of the PNG
    3: i64 expiresAt
}

struct PayMineReq {
    1: string toMonth (go.tag = 'validate:"required,len=7" label:"缴纳截止月份"')
    2: string idempotencyKey (go.tag = 'validate:"required,max=64"')
}

struct JSAPIPay {
    1: Order order
    2: string appId
    3: string timeStamp
    4: string nonceStr
    5: string packageValue   // "prepay_id=…", the field "package" of WeChat
    6: string signType
    7: string paySign
}

struct Notice {
    1: map<string, string> headers
    2: binary body
}

struct Done {
    1: i32 count
}

service Dues {
    PreviewBase GetBasePreview(1: PreviewBaseReq req) (may = "duesBase.view", idempotent = "true")
    Owed GetOwed(1: OwedReq req) (may = "duesOrder.view", idempotent = "true")
    Order CreateOrder(1: CreateOrderReq req) (may = "duesOrder.create")
    Order GetOrder(1: OrderReq req) (may = "duesOrder.view", idempotent = "true")
    Order PayCash(1: OrderReq req) (may = "duesOrder.pay", idempotent = "true")
    NativePay PayNative(1: OrderReq req) (may = "duesOrder.pay", idempotent = "true")
    records.File PrintReceipt(1: OrderReq req) (may = "duesOrder.print")

    // Of the member who calls.
    Owed GetMine(1: records.Empty req) (may = "member", idempotent = "true")
    JSAPIPay PayMine(1: PayMineReq req) (may = "member", idempotent = "true")
    Order GetMyOrder(1: OrderReq req) (may = "member", idempotent = "true")

    // From WeChat Pay, unverified: the service verifies.
    records.Empty HandlePayNotice(1: Notice req) (may = "system", idempotent = "true")

    // For workers.
    Done ExpireOrders(1: records.Empty req) (may = "system", idempotent = "true")
    Done QueryWaiting(1: records.Empty req) (may = "system", idempotent = "true")
    // Reconcile compares the days that are over with WeChat's bills.
    Done Reconcile(1: records.Empty req) (may = "system", idempotent = "true")
}
