package world

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/film/filmtest"
)

// Named adds a category or tag of a kind, which needs a name only, and answers its id.
func Named(t *testing.T, typ, name string) string {
	t.Helper()
	return IDOf(Add(t, Root(t), typ, Form{"name": name, "sortNo": 1}))
}

// ArticleForm is the form of a 知识 or 专题.
func ArticleForm(title, categoryID string) Form {
	return Form{"title": title, "content": "<p>正文</p>", "categoryId": categoryID}
}

// Icon uploads an invented picture for a field of 专题分类.
func Icon(t *testing.T, field string) Item {
	t.Helper()
	return Uploaded(t, Root(t), "topicCategory", field, bfftest.Upload{Name: "图标.png", Data: Dot(t)})
}

// Icons are the pictures of a 专题分类.
func Icons(t *testing.T) Form {
	t.Helper()
	return Form{"smallIcon": []any{Icon(t, "smallIcon")}, "largeIcon": []any{Icon(t, "largeIcon")}}
}

// Uploaded is a file for a field of a type, uploaded by somebody.
func Uploaded(t *testing.T, b *bfftest.Browser, typ, field string, u bfftest.Upload) Item {
	t.Helper()
	var f Item
	b.Do("POST", Path(typ)+"/upload?field="+field, &u).Into(t, &f)
	return f
}

// VideoForm is the form of a 视频 of 62 seconds, whose files an admin has uploaded.
func VideoForm(t *testing.T, by *bfftest.Browser, categoryID string) Form {
	t.Helper()
	cover := Uploaded(t, by, "video", "cover", bfftest.Upload{Name: "封面.png", Data: Dot(t)})
	video := Uploaded(t, by, "video", "video", bfftest.Upload{Name: "党课.mp4", Data: filmtest.Shortest(1000, 61500, "vide")})
	return Form{"title": NewName("视频"), "categoryId": categoryID, "cover": []any{cover}, "video": []any{video}, "description": "简介"}
}

// Dot is a small picture.
func Dot(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
