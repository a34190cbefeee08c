namespace go learning

include "records.thrift"

// 学习教育 (manual 10): what the portal shows of it to whoever opens it, without an account.

// PortalTopic is one 专题 in a column.
struct PortalTopic {
    1: string id
    2: string title
    3: string orgName
    4: i64 publishedAt        // Unix milliseconds
}

// PortalColumn is a category of topics that has a column (栏目).
struct PortalColumn {
    1: string id
    2: string name
    3: string icon            // the id of its large picture
    4: list<PortalTopic> topics // the newest 20
    5: i64 total
}

struct PortalColumns {
    1: list<PortalColumn> columns // in sort order
}

struct TopicReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

struct PortalFile {
    1: string id
    2: string name
}

struct PortalText {
    1: PortalTopic topic
    2: string category
    3: string content         // rich text, cleaned when it was saved
    4: list<PortalFile> files
}

// PortalFileReq asks for a file of a column or of a topic in one.
struct PortalFileReq {
    1: string type (go.tag = 'validate:"required,max=40"') // topicCategory or topic
    2: string id (go.tag = 'validate:"required,max=64"')
    3: string fileId (go.tag = 'validate:"required,max=64"')
}

service Learning {
    PortalColumns GetPortalColumns(1: records.Empty req) (may = "anyone", idempotent = "true")
    // GetPortalTopic is a topic of a category that has a column; any other is not found.
    PortalText GetPortalTopic(1: TopicReq req) (may = "anyone", idempotent = "true")
    // FindPortalFile answers when the portal shows the file, which is then handed out as any is; any other is not found.
    records.Empty FindPortalFile(1: PortalFileReq req) (may = "anyone", idempotent = "true")
}
