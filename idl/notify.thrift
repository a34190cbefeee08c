namespace go notify

include "records.thrift"

// Notices by official account, SMS and on site (manual 2.6).

struct SMSReq {
    1: string phone
    2: string kind           // bindCode, duesReceipt, meetingStarted
    3: map<string, string> params
    4: string key            // idempotency
}

struct Notification {
    1: string id
    2: string kind
    3: string title
    4: string content
    5: string targetType
    6: string targetId
    7: i64 createdAt
    8: i64 readAt
    9: string channel
    10: string sendState
}

struct Notifications {
    1: list<Notification> notifications
    2: i64 unread
}

struct ReadReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

struct ConsentReq {
    1: list<string> kinds    // subscribe-message kinds the member accepted once
}

struct Templates {
    1: map<string, string> templates
}

struct Done {
    1: i32 count
}

struct DeliveriesReq {
    1: string id (go.tag = 'validate:"required,max=64"')       // of the meeting
    2: string state (go.tag = 'validate:"omitempty,oneof=sent waiting failed"')
    3: string channel (go.tag = 'validate:"omitempty,oneof=site wechat mini sms"')
    4: i32 page (go.tag = 'validate:"gte=0,lte=100000"')       // from 1
    5: i32 size (go.tag = 'validate:"gte=0,lte=100"')          // 20 by default
}

// Delivery is what became of one message to one person by one channel.
struct Delivery {
    1: string id
    2: string memberId
    3: string name
    4: string channel
    5: string state                  // sent, waiting, failed
    6: string reason                 // why not, in words
    7: i32 tries
    8: i64 at                        // when it was sent, or is tried again
    9: string phone                  // masked
}

struct ChannelCount {
    1: string channel
    2: i64 sent
    3: i64 waiting
    4: i64 failed
}

struct Deliveries {
    1: list<Delivery> items
    2: i64 total
    3: list<ChannelCount> counts
}

struct ResendReq {
    1: string id (go.tag = 'validate:"required,max=64"')       // of the meeting
}

service Notify {
    // SendSMS sends at once; codes are never retried blindly.
    records.Empty SendSMS(1: SMSReq req) (may = "system")
    Notifications ListMine(1: records.Empty req) (may = "user member", idempotent = "true")
    records.Empty MarkRead(1: ReadReq req) (may = "user member", idempotent = "true")
    records.Empty Consent(1: ConsentReq req) (may = "member")
    Templates GetTemplates(1: records.Empty req) (may = "phone", idempotent = "true")
    // ListDeliveries tells who was told of a meeting, by which channel, and who was not and why.
    Deliveries ListDeliveries(1: DeliveriesReq req) (may = "meeting.view", idempotent = "true")
    // Resend sends what was refused once more, and nothing else.
    Done Resend(1: ResendReq req) (may = "meeting.start")
    // For the relay; idempotent by event id.
    records.Handled HandleEvents(1: records.Events req) (may = "system", idempotent = "true")
    // Deliver sends what is queued; two workers at once send nothing twice.
    Done Deliver(1: records.Empty req) (may = "system", idempotent = "true")
}
