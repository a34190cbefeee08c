package model

import "time"

// MemberShowcase 党员风采, spec/records.md 9: an exemplary member, one record each.
type MemberShowcase struct {
	Base     `bson:",inline"`
	MemberID string `bson:"memberId" json:"memberId" record:"label=党员,required,ref=member,list,search"`
	Title    string `bson:"title" json:"title" record:"label=标题,required,max=100,list,search,keyword,width=220"`
	Cover    []File `bson:"cover,omitempty" json:"cover" record:"label=封面照片,type=image"`
	Content  string `bson:"content" json:"content" record:"label=先进事迹,type=richtext,required"`
	// AudienceID is the organisation whose members, and those below it, learn from him: his
	// own, or one above it (A38).
	AudienceID  string    `bson:"audienceId" json:"audienceId" record:"label=学习范围,ref=organization,help=不填为党员所在支部；选上级组织，则其下所有党员均可学习"`
	PublishedAt time.Time `bson:"publishedAt" json:"publishedAt" record:"label=发布时间,readonly,list"`
}

// Letter is what a member hands in to his organisation: 党员建议 or 党员帮助, spec/records.md 10
// and 11. It is unread until an admin opens it, then read, then answered.
type Letter struct {
	Base        `bson:",inline"`
	MemberID    string     `bson:"memberId" json:"memberId" record:"label=党员,ref=member,readonly,list,search"`
	Title       string     `bson:"title" json:"title" record:"label=标题,required,max=100,list,keyword,width=220"`
	Content     string     `bson:"content" json:"content" record:"label=内容,type=text,required,max=1000"`
	Images      []File     `bson:"images,omitempty" json:"images" record:"label=图片,accept=image,max=9"`
	SubmittedAt time.Time  `bson:"submittedAt" json:"submittedAt" record:"label=提交时间,readonly,list,search"`
	ReadAt      *time.Time `bson:"readAt,omitempty" json:"readAt" record:"label=查看时间,readonly"`
	Reply       string     `bson:"reply" json:"reply" record:"label=回复,type=text,readonly"`
	RepliedBy   string     `bson:"repliedBy,omitempty" json:"repliedBy" record:"label=回复人,readonly"`
	RepliedAt   *time.Time `bson:"repliedAt,omitempty" json:"repliedAt" record:"label=回复时间,readonly"`
	// Phone is the member's while one letter is made ready for an admin who may see it.
	Phone string `bson:"-" json:"-"`
}

// The states of a letter.
const (
	LetterUnread  = "unread"
	LetterRead    = "read"
	LetterReplied = "replied"
)

// State is how far the organisation has dealt with the letter.
func (l *Letter) State() string {
	switch {
	case l.RepliedAt != nil:
		return LetterReplied
	case l.ReadAt != nil:
		return LetterRead
	}
	return LetterUnread
}

// NotebookEntry 党建记事本, spec/records.md 12: what an organisation writes down for itself.
type NotebookEntry struct {
	Base       `bson:",inline"`
	Title      string `bson:"title" json:"title" record:"label=标题,required,max=100,list,search,keyword,width=220"`
	NoteDate   string `bson:"noteDate" json:"noteDate" record:"label=日期,type=date,required,list,search"`
	Content    string `bson:"content" json:"content" record:"label=内容,type=richtext,required"`
	Files      []File `bson:"files,omitempty" json:"files" record:"label=附件"`
	AuthorID   string `bson:"authorId" json:"authorId" record:"label=记录人,readonly,list"`
	AuthorName string `bson:"authorName" json:"-"`
}
