namespace go meeting

include "records.thrift"

// Meetings with sign-in (manual 9.2). Record type: meeting.

struct MeetingReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

struct QR {
    1: string url            // what the code says
    2: string image          // data: URL of the PNG
    3: i64 refreshAt         // Unix milliseconds; ask for the next one then
    4: string title
}

struct Arrival {
    1: string memberId
    2: string name
    3: string orgName
    4: i64 signedInAt
    5: string phone          // masked
    6: i64 registeredAt
    7: string leaveReason
}

struct Live {
    1: i32 expected
    2: i32 signedIn
    3: list<Arrival> latest  // the last 10
    4: string state
}

struct Statistics {
    1: string id
    2: string title
    3: string state
    4: i32 expected
    5: i32 signedIn
    6: i32 registered
    7: i32 onLeave
    8: list<Arrival> participants
    9: bool needSignIn
    10: bool needRegistration
}

struct CheckInReq {
    1: string token (go.tag = 'validate:"required,max=200"')
}

struct CheckIn {
    1: string meetingId
    2: string title
    3: i64 signedInAt
    4: bool already          // a repeated scan
    5: string message
    6: string place
}

struct MyMeeting {
    1: string id
    2: string title
    3: string state          // waiting, running, ended
    4: i64 startAt
    5: i64 endAt
    6: string place
    7: string agenda
    8: string orgName
    9: bool needSignIn
    10: bool needRegistration
    11: i64 signedInAt
    12: i64 registeredAt
    13: string leaveReason
    14: string meetingForm
    15: string host
}

struct MyMeetings {
    1: list<MyMeeting> meetings
}

service Meeting {
    QR GetQR(1: MeetingReq req) (may = "meeting.view", idempotent = "true")
    Live GetLive(1: MeetingReq req) (may = "meeting.view", idempotent = "true")
    Statistics GetStatistics(1: MeetingReq req) (may = "meeting.view", idempotent = "true")
    records.File ExportStatistics(1: MeetingReq req) (may = "meeting.export", idempotent = "true")

    // Of the member who calls.
    CheckIn SignIn(1: CheckInReq req) (may = "member", idempotent = "true")
    MyMeetings ListMine(1: records.Empty req) (may = "member", idempotent = "true")
    MyMeeting GetMine(1: MeetingReq req) (may = "member", idempotent = "true")
}
