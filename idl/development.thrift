namespace go development

include "records.thrift"

// 发展党员 (manual 6.2).

struct BeginReq {
    1: string memberId
    2: string memberType      // what he is tells where his case begins
    3: string orgId
    4: list<string> orgs
}

service Development {
    // BeginCase opens the case of somebody who is no full member yet, once; twice is harmless.
    records.Empty BeginCase(1: BeginReq req) (may = "system", idempotent = "true")
}
