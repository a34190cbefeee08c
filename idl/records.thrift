namespace go records

// The record engine's service: every domain service that owns record types offers it, beside
// the one with its own methods if it has any. Documents travel as JSON since their shape is
// declared in Go, once, by the record type (rpc/records).

// JSON is one JSON document, written to HTTP as it is.
struct JSON {
    1: binary json
}

struct Empty {
}

struct File {
    1: string name
    2: string contentType
    3: binary data
    4: i64 size                      // of all of it, when data is a part
}

struct TypeReq {
    1: string type (go.tag = 'validate:"required,max=40"')
}

struct ListReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string orgId                  // node chosen in the tree; empty: the caller's own
    3: i32 page (go.tag = 'validate:"gte=0,lte=100000"')     // from 1
    4: i32 size (go.tag = 'validate:"gte=0,lte=100"')        // 20 by default
    5: string sort                   // "-createdAt" by default
    6: string keyword (go.tag = 'validate:"max=100"')
    7: map<string, string> filters   // field → value; ranges as "from,to"
    8: list<string> columns          // empty: all
}

struct IDReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id (go.tag = 'validate:"required,max=64"')
}

struct IDsReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: list<string> ids (go.tag = 'validate:"max=200"')
}

struct SaveReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id                     // empty: create
    3: i64 version                   // the version that was read; ignored on create
    4: binary json
}

struct ImportReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string fileName
    3: binary data
    4: string orgId
    5: bool preview                  // show what was understood, and wait until it is confirmed
}

struct ImportBatch {
    1: string id
    2: string type
    3: string fileName
    4: string state                  // queued, checking, preview, running, finished, failed, cancelled
    5: i32 total
    6: i32 done
    7: i32 successCount
    8: i32 failureCount
    9: string message                // why the whole file was refused
    10: list<ImportFailure> failures // the first 100; all of them in the failure file
}

struct ImportFailure {
    1: i32 rowNo
    2: list<string> values
    3: string reason
}

struct PreviewReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id (go.tag = 'validate:"required,max=64"')
    3: i32 page (go.tag = 'validate:"gte=0,lte=100000"')     // from 1
    4: i32 size (go.tag = 'validate:"gte=0,lte=100"')        // 20 by default
    5: bool bad                      // only rows with something wrong
}

// ImportPreview is what an import understood. batch.successCount rows can be stored as they
// are shown, batch.failureCount cannot.
struct ImportPreview {
    1: ImportBatch batch
    2: list<ImportColumn> columns
    3: list<ImportGroup> groups      // what is wrong, the most frequent first
    4: list<ImportRow> rows          // one page of them
    5: i32 total                     // rows on all pages
}

struct ImportColumn {
    1: string key
    2: string label
    3: bool required
    4: list<string> options          // what a word may be mapped to
}

// ImportGroup is one thing that is wrong with several rows.
struct ImportGroup {
    1: string column                 // its key; empty: the row as a whole
    2: string label
    3: string reason
    4: i32 count
    5: string word                   // an unknown word, which can be mapped for all rows
}

struct ImportRow {
    1: i32 rowNo
    2: list<ImportCell> cells        // in the order of the columns
    3: string reason                 // what is wrong with the row as a whole
    4: bool skipped
}

struct ImportCell {
    1: string text                   // as the file has it, or as it was mended
    2: string value                  // as it will be stored
    3: string reason                 // what is wrong with it
}

struct ImportMend {
    1: i32 rowNo (go.tag = 'validate:"gte=1"')
    2: string column (go.tag = 'validate:"required,max=40"')
    3: string text (go.tag = 'validate:"max=2000"')
}

struct ImportMapping {
    1: string column (go.tag = 'validate:"required,max=40"')
    2: string word (go.tag = 'validate:"required,max=2000"')
    3: string text (go.tag = 'validate:"max=2000"')
}

// MendReq changes what an import that waits to be confirmed will read.
struct MendReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id (go.tag = 'validate:"required,max=64"')
    3: list<ImportMend> cells (go.tag = 'validate:"max=500,dive"')
    4: list<ImportMapping> words (go.tag = 'validate:"max=500,dive"') // mapped in all rows
    5: list<i32> skip (go.tag = 'validate:"max=10000"')
    6: list<i32> keep (go.tag = 'validate:"max=10000"')              // skipped ones, not to be
}

// Permission is one right that a role can hold.
struct Permission {
    1: string key                    // "<type>.<verb>"
    2: string label
}

// Place is where members find a type on the phone. Types of one title share an entry.
struct Place {
    1: string page                   // home, org, study, apply, personal, mine
    2: string group                  // the heading there; empty: above all
    3: string title
    4: string icon                   // of bff/web/member/src/static/icons
    5: bool single                   // a member has one record at most
    6: string empty                  // what an empty list says; empty: 暂无数据
    7: i32 order                     // within the page; as they are declared where it is the same
    8: string also                   // another page that leads there too; empty: none
}

// TypeInfo is a record type as menus and roles see it.
// Todo is what of a type waits for somebody (待办): the records that a filter of its list finds.
struct Todo {
    1: string title
    2: string filter
    3: string value
    4: string permission             // of who is to do it
}

struct TypeInfo {
    1: string type
    2: string title
    3: string menu                   // group of the console's menu; empty: in none
    4: list<Permission> permissions
    5: bool own                      // members have a page of their own records
    6: string collection             // where its documents lie, for the relay of events; empty: they emit none
    7: map<string, string> verbs     // what its actions are called, by key
    8: string icon                   // of the console's menu
    9: string section                // of the manual, e.g. 5.3: its order within the menu
    10: string tab                   // types of one menu and tab share a page of that name
    11: optional Place place         // on the phone; absent: its pages are reached otherwise
    12: optional Todo todo
}

struct TypeInfos {
    1: list<TypeInfo> types
}

struct ActReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id (go.tag = 'validate:"required,max=64"')
    3: string action (go.tag = 'validate:"required,max=40"')
    4: binary json                   // the values that the action asks for
}

struct ActManyReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string action (go.tag = 'validate:"required,max=40"')
    3: binary json                   // {"ids": [...], "values": {...}}, the values for all of them
}

// ActAllReq runs an action on all records that a list shows.
struct ActAllReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string action (go.tag = 'validate:"required,max=40"')
    3: binary json                   // the values for all of them
    4: string orgId
    5: string keyword (go.tag = 'validate:"max=100"')
    6: map<string, string> filters
}

struct Refused {
    1: string reason
    2: i64 count
}

// Round is how far such an action is.
struct Round {
    1: string id
    2: string state                  // running, finished
    3: i64 total
    4: i64 done
    5: i64 refused
    6: list<Refused> why
}

// ActOutcome is what an action on one of several records came to.
struct ActOutcome {
    1: string id
    2: string name
    3: bool done
    4: string message                // what there is to know of it, or why it was not done
}

struct ActOutcomes {
    1: list<ActOutcome> outcomes
}

struct UploadReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string field (go.tag = 'validate:"required,max=40"')
    3: string fileName (go.tag = 'validate:"required,max=200"')
    4: binary data
}

// Attachment is one file of a record, or one that waits to be saved with it.
struct Attachment {
    1: string id
    2: string name
    3: i64 size
    4: string contentType
}

struct AttachmentReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id                     // of the record; empty: one's own upload, not saved yet
    3: string fileId (go.tag = 'validate:"required,max=64"')
    4: i64 offset (go.tag = 'validate:"gte=0"') // of the part that is asked for
    5: i64 limit (go.tag = 'validate:"gte=0"')  // its length at most; 0: what one answer may hold
}

// RehomeReq moves what belongs to an organisation, and to those below it, to its new
// place in the tree.
struct RehomeReq {
    1: string orgId
    2: list<string> path             // from the root to orgId, itself included
}

// FollowReq moves the records about a member to the branch that he is in by now.
struct FollowReq {
    1: string memberId
    2: string orgId
    3: list<string> path             // from the root to orgId, itself included
}

// Records: known callers are asked for the permission of the record type by the engine, and
// for what its declaration says of members.
service Records {
    // Types are the record types of this service.
    TypeInfos Types(1: Empty req) (may = "system", idempotent = "true")
    JSON Schema(1: TypeReq req) (may = "known", idempotent = "true")
    JSON List(1: ListReq req) (may = "known", idempotent = "true")
    JSON Get(1: IDReq req) (may = "known", idempotent = "true")
    // Reveal is a record with its personal fields in full; the look is written down.
    JSON Reveal(1: IDReq req) (may = "known")
    JSON Save(1: SaveReq req) (may = "known")
    Empty Delete(1: IDsReq req) (may = "known")
    // Act runs an action of the record type's table on one record.
    JSON Act(1: ActReq req) (may = "known")
    // Print makes a paper of one record, by an action of its type that prints; the look is written down.
    File Print(1: ActReq req) (may = "known")
    // ActMany runs an action on up to 200 records, each by itself: one that refuses keeps no
    // other from it. What is wrong with the values is refused before the first.
    ActOutcomes ActMany(1: ActManyReq req) (may = "known")
    // ActAll begins an action on all records that a list shows, which goes on by itself; GetRound tells how
    // far it is, to who began it.
    Round ActAll(1: ActAllReq req) (may = "known")
    Round GetRound(1: IDReq req) (may = "known", idempotent = "true")
    Attachment Upload(1: UploadReq req) (may = "known")
    File Download(1: AttachmentReq req) (may = "known")
    // Rehome is called by the transfer job; it may run again and changes nothing more.
    Empty Rehome(1: RehomeReq req) (may = "system")
    // FollowMember moves the records that go with a member; it may run again and changes nothing more.
    Empty FollowMember(1: FollowReq req) (may = "system", idempotent = "true")
    // Resume finishes what a crash left undone; a worker calls it.
    Empty Resume(1: Empty req) (may = "system")
    File Template(1: TypeReq req) (may = "known", idempotent = "true")
    File Export(1: ListReq req) (may = "known", idempotent = "true")
    ImportBatch StartImport(1: ImportReq req) (may = "known")
    ImportBatch GetImport(1: IDReq req) (may = "known", idempotent = "true")
    // PreviewImport shows what an import understood and would store.
    ImportPreview PreviewImport(1: PreviewReq req) (may = "known", idempotent = "true")
    // MendImport maps words, mends cells and skips rows of one that waits; it is checked again.
    ImportBatch MendImport(1: MendReq req) (may = "known")
    // ConfirmImport stores what was shown; until then nothing is.
    ImportBatch ConfirmImport(1: IDReq req) (may = "known")
    // CancelImport forgets the upload.
    ImportBatch CancelImport(1: IDReq req) (may = "known")
    File ImportFailures(1: IDReq req) (may = "known", idempotent = "true")
    // RunImport is called by a worker; it may run twice and stores no row twice.
    ImportBatch RunImport(1: IDReq req) (may = "system", idempotent = "true")
}

// Event is a fact that a document carried to the outbox; see model.Event.
struct Event {
    1: string id
    2: string kind
    3: string orgId
    4: i64 at          // Unix milliseconds
    5: binary payload  // JSON of model.<Kind>
}

// Events are handed on together, the earliest first; no two of one document.
struct Events {
    1: list<Event> events
}

// Handled tells which events were not taken and must come again; the others are done.
struct Handled {
    1: map<string, string> refused // event id → why
}
