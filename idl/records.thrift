namespace go records

// The record engine's service: every domain service that owns record types
// extends it. Documents travel as JSON since their shape is declared in Go, once,
// by the record type (rpc/records).

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
    8: list<string> columns          // of an export; empty: all
}

struct IDReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: string id (go.tag = 'validate:"required,max=64"')
}

struct IDsReq {
    1: string type (go.tag = 'validate:"required,max=40"')
    2: list<string> ids (go.tag = 'validate:"required,min=1,max=200"')
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
}

struct ImportBatch {
    1: string id
    2: string type
    3: string fileName
    4: string state                  // queued, running, finished, failed
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

service Records {
    JSON Schema(1: TypeReq req)
    JSON List(1: ListReq req)
    JSON Get(1: IDReq req)
    JSON Save(1: SaveReq req)
    Empty Delete(1: IDsReq req)
    File Template(1: TypeReq req)
    File Export(1: ListReq req)
    ImportBatch StartImport(1: ImportReq req)
    ImportBatch GetImport(1: IDReq req)
    File ImportFailures(1: IDReq req)
    // RunImport is called by a worker; it may run twice and stores no row twice.
    ImportBatch RunImport(1: IDReq req)
}

// Event is a fact that a document carried to the outbox; see model.Event.
struct Event {
    1: string id
    2: string kind
    3: string orgId
    4: i64 at          // Unix milliseconds
    5: binary payload  // JSON of model.<Kind>
}
