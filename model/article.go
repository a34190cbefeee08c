package model

import "time"

// Article is what an organisation publishes for reading: 专题, 知识 and 视频 (spec/records.md 46, 48, 51). CategoryID and TagIDs are
// of the kinds that the type of the article has.
type Article struct {
	Base       `bson:",inline"`
	Title      string   `bson:"title" json:"title" record:"label=标题,required,max=100,list,search,width=210"`
	CategoryID string   `bson:"categoryId" json:"categoryId"`
	TagIDs     []string `bson:"tagIds,omitempty" json:"tagIds"`
	Cover      []File   `bson:"cover,omitempty" json:"cover" record:"label=封面,type=image"`
	Content    string   `bson:"content" json:"content" record:"label=内容,type=richtext,required"`
	Files      []File   `bson:"files,omitempty" json:"files" record:"label=附件"`
	Video      []File   `bson:"video,omitempty" json:"video" record:"label=视频文件,accept=video,required,max=1,help=请上传MP4格式的视频"`
	// Duration is how long the video is, in seconds.
	Duration    int    `bson:"duration,omitempty" json:"duration" record:"label=时长（秒）,readonly,list,width=100"`
	Description string `bson:"description,omitempty" json:"description" record:"label=简介,type=text,max=1000"`
	// PublishedAt is when it was added: what is stored can be read.
	PublishedAt time.Time `bson:"publishedAt" json:"publishedAt" record:"label=发布时间,readonly,list"`
	// Text is title and content as they are searched: without markup and blanks, in lower case.
	Text string `bson:"text" json:"-"`
}
