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

struct Refund {
    1: string fromMonth      // the first month that is given back, with those after it
    2: i64 amount
    3: string reason
    4: string by
    5: i64 at
    6: string state          // asked, confirmed (WeChat is at it), done, rejected
    7: string decidedBy
    8: string rejected       // why
    9: i64 doneAt
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
    23: i64 refunded          // fen given back
    24: list<Refund> refunds
    25: string rounding       // the policy, in words
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

// AnalysisReq asks for an organisation, and those right below it, in a month, a quarter or a year.
struct AnalysisReq {
    1: string orgId           // empty: the caller's own
    2: string period (go.tag = 'validate:"required,max=7" label:"时间"') // 2026-11, 2026Q4 or 2026
}

// AnalysisRow is what an organisation, with all below it, owes and has paid in a period.
struct AnalysisRow {
    1: string orgId
    2: string orgName
    3: i32 members            // who owe dues in it
    4: i32 payers             // who paid in it
    5: i64 payable            // fen, of the months of the period
    6: i64 paid               // fen, of the orders that were paid in it
    7: string rate            // paid of payable, in percent; — where nothing is payable
    8: i64 before             // paid in the period before
    9: string change          // against it, in percent; — where nothing was paid
    10: bool self             // the organisation itself, the others are below it
}

struct Analysis {
    1: string period
    2: list<AnalysisRow> rows // the organisation first, then those right below it
}

struct MonthRow {
    1: string month
    2: i64 paid
    3: i32 payers
    4: string change          // against the month before
}

struct MonthRows {
    1: string orgName
    2: list<MonthRow> months  // the last twelve, the oldest first
}

// SheetReq asks for a branch's month.
struct SheetReq {
    1: string orgId           // empty: the caller's own
    2: string month (go.tag = 'validate:"required,len=7" label:"月份"')
}

struct SheetRow {
    1: string memberId
    2: string name
    3: string idNumber        // masked
    4: string orgName
    5: string paidThrough
    6: string state           // paid, owed, none: there is nothing to pay, message says why
    7: string message
    8: string fromMonth       // owed from there to the month
    9: i32 months
    10: i64 amount            // owed, or of the order that paid it
    11: string orderId        // that paid it
    12: string payMethod
    13: string operator
    14: bool openOrder        // an order waits to be paid
    15: bool cashOpen         // its cash waits to be confirmed
    16: bool bound            // he can be told in WeChat
}

struct Sheet {
    1: list<SheetRow> rows
}

struct PayMonthReq {
    1: string month (go.tag = 'validate:"required,len=7" label:"月份"')
    2: list<string> memberIds (go.tag = 'validate:"required,min=1,max=300,dive,max=64" label:"党员"')
    3: string method (go.tag = 'validate:"required,oneof=cash wechat" label:"支付方式"')
    4: string idempotencyKey (go.tag = 'validate:"required,max=64"')
}

struct PaidMonth {
    1: string memberId
    2: bool done
    3: string message         // why not, or what is still to be done
    4: string orderId
    5: i64 amount
}

struct PaidMonths {
    1: list<PaidMonth> outcomes
}

struct OrdersReq {
    1: list<string> ids (go.tag = 'validate:"required,min=1,max=300,dive,max=64" label:"订单"')
}

service Dues {
    PreviewBase GetBasePreview(1: PreviewBaseReq req) (may = "duesBase.view", idempotent = "true")
    Owed GetOwed(1: OwedReq req) (may = "duesOrder.view", idempotent = "true")
    Order CreateOrder(1: CreateOrderReq req) (may = "duesOrder.create")
    Order GetOrder(1: OrderReq req) (may = "duesOrder.view", idempotent = "true")
    Order PayCash(1: OrderReq req) (may = "duesOrder.pay", idempotent = "true")
    NativePay PayNative(1: OrderReq req) (may = "duesOrder.pay", idempotent = "true")
    records.File PrintReceipt(1: OrderReq req) (may = "duesOrder.print")

    // A branch's month on one sheet: seen, taken in one act, and its receipts printed as one file.
    Sheet GetMonthSheet(1: SheetReq req) (may = "duesOrder.view", idempotent = "true")
    PaidMonths PayMonth(1: PayMonthReq req) (may = "duesOrder.pay")
    records.File PrintReceipts(1: OrdersReq req) (may = "duesOrder.print")

    // GetAnalysis is 变动分析, 月报, 季报 and 年报 (7.5): of a period, for the node and those below it.
    Analysis GetAnalysis(1: AnalysisReq req) (may = "duesAnalysis.view", idempotent = "true")
    // GetMonths is 查看缴纳分析情况: one organisation month by month, up to that of the period.
    MonthRows GetMonths(1: AnalysisReq req) (may = "duesAnalysis.view", idempotent = "true")
    records.File ExportAnalysis(1: AnalysisReq req) (may = "duesAnalysis.export")

    // Of the member who calls.
    Owed GetMine(1: records.Empty req) (may = "member", idempotent = "true")
    JSAPIPay PayMine(1: PayMineReq req) (may = "member", idempotent = "true")
    Order GetMyOrder(1: OrderReq req) (may = "member", idempotent = "true")

    // From WeChat Pay, unverified: the service verifies.
    records.Empty HandlePayNotice(1: Notice req) (may = "system", idempotent = "true")

    // For workers.
    Done ExpireOrders(1: records.Empty req) (may = "system", idempotent = "true")
    // RefreshArrears computes anew what members owe who changed, or everybody in a new month.
    Done RefreshArrears(1: records.Empty req) (may = "system", idempotent = "true")
    Done QueryWaiting(1: records.Empty req) (may = "system", idempotent = "true")
    // Reconcile compares the days that are over with WeChat's bills.
    Done Reconcile(1: records.Empty req) (may = "system", idempotent = "true")
}
