namespace go learning

include "records.thrift"

// 学习教育 (manual 10): exams, and what the portal shows to whoever opens it, without an account.

struct ExamReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

// DrawReq asks for questions at random (一键生成): of a category, of any of the tags and kinds that are named.
struct DrawReq {
    1: string categoryId (go.tag = 'validate:"required,max=64"')
    2: list<string> tagIds (go.tag = 'validate:"max=20,dive,max=64"')
    3: i32 count (go.tag = 'validate:"oneof=10 20 25 50"')
    4: list<string> types (go.tag = 'validate:"max=3,dive,oneof=single multiple judge"')
}

// QuestionsReq asks for questions by their ids, in that order.
struct QuestionsReq {
    1: list<string> ids (go.tag = 'validate:"max=50,dive,max=64"')
}

struct QuestionBrief {
    1: string id
    2: string questionType
    3: string stem
}

struct Questions {
    1: list<QuestionBrief> questions
}

struct PaperFile {
    1: string id
    2: string name
    3: string contentType
    4: i64 size
}

struct PaperOption {
    1: string key             // what an answer names, whatever place it has on the page
    2: string text
    3: list<PaperFile> files
}

struct PaperQuestion {
    1: string id
    2: string questionType
    3: string stem
    4: list<PaperFile> files
    5: list<PaperOption> options // in the order of the person who asks
    6: list<string> answers   // his own
    7: list<string> right     // once his paper is handed in; empty before
    8: string analysis        // the same
}

// MyExam is an exam as one of its receivers sees it.
struct MyExam {
    1: string id
    2: string title
    3: string orgName
    4: i64 deadlineAt         // his own, of his last try; Unix milliseconds
    5: string state           // open, submitted, absent
    6: i32 score
    7: i64 handedInAt
    8: i32 attempt            // 1, or that of a 补考
    9: i32 passScore
    10: i32 questionCount
    11: bool auto             // handed in by the product at the deadline
}

struct MyExams {
    1: list<MyExam> exams
    2: i64 now                // the server's clock, which rules
}

struct MyPaper {
    1: MyExam exam
    2: list<PaperQuestion> questions // none of a paper that was never begun
    3: i64 now
}

struct GivenAnswer {
    1: string questionId (go.tag = 'validate:"required,max=64"')
    2: list<string> answers (go.tag = 'validate:"max=6,dive,max=8"')
}

struct AnswerReq {
    1: string id (go.tag = 'validate:"required,max=64"')
    2: string questionId (go.tag = 'validate:"required,max=64"')
    3: list<string> answers (go.tag = 'validate:"max=6,dive,max=8"')
}

struct Answered {
    1: i64 savedAt
}

// HandInReq hands a paper in, with the answers that the phone holds: they replace those that were saved.
struct HandInReq {
    1: string id (go.tag = 'validate:"required,max=64"')
    2: list<GivenAnswer> answers (go.tag = 'validate:"max=50,dive"')
}

// ExtraReq gives one person more time, or another try.
struct ExtraReq {
    1: string id (go.tag = 'validate:"required,max=64"')
    2: string memberId (go.tag = 'validate:"required,max=64"')
    3: bool again
    4: i64 until              // Unix milliseconds
    5: string reason (go.tag = 'validate:"required,max=200"')
}

struct ExamRow {
    1: string memberId
    2: string name
    3: string orgName
    4: i32 attempt
    5: string state           // submitted, auto, absent, open (a try that goes on)
    6: i32 score
    7: i64 handedInAt
    8: i64 until              // given to him, with its reason; 0: the deadline of all
    9: string reason
}

struct QuestionFigure {
    1: string id
    2: string stem
    3: string questionType
    4: i32 wrong              // of the papers handed in
    5: i32 papers
}

struct ExamStatistics {
    1: string id
    2: string title
    3: i64 deadlineAt
    4: i64 now
    5: i32 receivers
    6: i32 submitted          // first tries that were handed in
    7: double average         // of these; 0 of none
    8: i32 highest
    9: i32 lowest
    10: i32 passScore
    11: i32 passed
    12: list<ExamRow> rows
    13: list<QuestionFigure> questions // most often wrong first
    14: list<i32> bands       // how many below 60, 60 to 69, 70 to 79, 80 to 89, 90 and more
}

struct StudyReq {
    1: string id (go.tag = 'validate:"required,max=64"')
}

struct StudyRow {
    1: string memberId
    2: string name
    3: string orgName
    4: i64 completedAt        // 0: not yet
    5: i32 score              // 1 to 5; 0: none
    6: string comment
}

struct StudyStatistics {
    1: string id
    2: string title
    3: string state
    4: i32 participants
    5: i32 completed
    6: string average         // of the scores, “—” of none
    7: list<StudyRow> rows
}

struct Closed {
    1: i32 count
}

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
    StudyStatistics GetStudyStatistics(1: StudyReq req) (may = "studyTask.view", idempotent = "true")
    // DrawQuestions fills a paper at random; question.tooFew when there are not that many.
    Questions DrawQuestions(1: DrawReq req) (may = "exam.create", idempotent = "true")
    Questions ListQuestions(1: QuestionsReq req) (may = "exam.view", idempotent = "true")
    ExamStatistics GetExamStatistics(1: ExamReq req) (may = "exam.view", idempotent = "true")
    records.File ExportExamStatistics(1: ExamReq req) (may = "exam.export", idempotent = "true")
    records.Empty GiveExtra(1: ExtraReq req) (may = "exam.enable")
    // CloseExams hands in what nobody handed in by its end.
    Closed CloseExams(1: records.Empty req) (may = "system", idempotent = "true")

    // Of the member who calls.
    MyExams ListMyExams(1: records.Empty req) (may = "member", idempotent = "true")
    MyPaper GetMyPaper(1: ExamReq req) (may = "member", idempotent = "true")
    Answered SaveAnswer(1: AnswerReq req) (may = "member", idempotent = "true")
    MyPaper HandIn(1: HandInReq req) (may = "member")

    PortalColumns GetPortalColumns(1: records.Empty req) (may = "anyone", idempotent = "true")
    // GetPortalTopic is a topic of a category that has a column; any other is not found.
    PortalText GetPortalTopic(1: TopicReq req) (may = "anyone", idempotent = "true")
    // FindPortalFile answers when the portal shows the file, which is then handed out as any is; any other is not found.
    records.Empty FindPortalFile(1: PortalFileReq req) (may = "anyone", idempotent = "true")
}
