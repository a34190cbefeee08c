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

service Notify extends records.Records {
    // SendSMS sends at once; codes are never retried blindly.
    records.Empty SendSMS(1: SMSReq req)
    Notifications ListMine(1: records.Empty req)
    records.Empty MarkRead(1: ReadReq req)
    records.Empty Consent(1: ConsentReq req)
    Templates GetTemplates(1: records.Empty req)
    // For the relay; idempotent by event id.
    records.Handled HandleEvents(1: records.Events req)
    // Deliver sends what is queued; two workers at once send nothing twice.
    Done Deliver(1: records.Empty req)
}
