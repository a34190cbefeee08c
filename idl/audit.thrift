namespace go audit

include "records.thrift"

// The audit trail: who did what, when, from where. Record type: audit.

// Verification is what a walk along the chain of entries found.
struct Verification {
    1: bool intact
    2: i64 count                     // entries looked at
    3: i64 brokenAt                  // sequence number of the first broken entry, 0 when intact
    4: string reason                 // what is wrong with it, in Chinese
    5: string head                   // hash of the last entry; a copy kept elsewhere proves the end
}

service Audit {
    // HandleEvents appends the facts that documents carried; the relay calls it.
    records.Handled HandleEvents(1: records.Events req) (may = "system", idempotent = "true")
    // Note keeps one fact (JSON of model.AuditFact) until Gather appends it.
    records.Empty Note(1: records.JSON req) (may = "system")
    // Gather appends what was noted; a worker calls it.
    records.Empty Gather(1: records.Empty req) (may = "system")
    Verification VerifyChain(1: records.Empty req) (may = "audit.view")
}
