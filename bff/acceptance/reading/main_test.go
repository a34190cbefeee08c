// Package reading proves what of 学习教育 is there to be read: 专题 and 知识库 (manual 10.5, 10.6).
package reading

import (
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
)

func TestMain(m *testing.M) { Main(m) }

const (
	topic             = "topic"
	topicCategory     = "topicCategory"
	video             = "video"
	videoCategory     = "videoCategory"
	knowledge         = "knowledge"
	knowledgeCategory = "knowledgeCategory"
	knowledgeTag      = "knowledgeTag"
)
