namespace go content

include "records.thrift"

// What admins and members write for each other (manual 5.7 to 5.10).
// Record types: memberShowcase, suggestion, helpRequest, notebookEntry.

service Content extends records.Records {
}
