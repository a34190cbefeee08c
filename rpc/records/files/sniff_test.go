package files

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"

	"zhihuidangjian/rpc/records/field"
)

// TestRecognise: a file is what its content says, whatever its name.
func TestRecognise(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	pdf := []byte("%PDF-1.4\n1 0 obj\nendobj\ntrailer\n%%EOF")
	pictures, any := &field.Field{Key: "p", Label: "照片", Type: "image"}, &field.Field{Key: "f", Label: "附件", Type: "files"}
	for _, c := range []struct {
		f          *field.Field
		name       string
		data       []byte
		want, kind string // of one that is refused, what is said
	}{
		{pictures, "a.png", picture.Bytes(), "a.png", "image/png"},
		{pictures, "a.jpg", picture.Bytes(), "a.png", "image/png"},
		{pictures, "截图", picture.Bytes(), "截图.png", "image/png"},
		{any, "决定.PDF", pdf, "决定.PDF", "application/pdf"},
		{pictures, "a.png", pdf, "", "不支持的文件格式：PDF"},
		{any, "a.pdf", []byte("就是一段文字"), "", "文件内容与扩展名pdf不符"},
		{any, "a.exe", []byte("MZ\x90"), "", "不支持的文件格式"},
		{any, "a.pdf", nil, "", "文件内容与扩展名pdf不符"},
	} {
		name, kind, err := Recognise(c.f, c.name, c.data)
		var r field.Refusal
		switch {
		case c.want == "" && (!errors.As(err, &r) || !strings.Contains(string(r), c.kind)):
			t.Errorf("%s: %v, want %s", c.name, err, c.kind)
		case c.want != "" && (err != nil || name != c.want || kind != c.kind):
			t.Errorf("%s: %s %s %v", c.name, name, kind, err)
		}
	}
	for in, want := range map[string]string{
		`C:\文件\a.pdf`: "a.pdf", "../../etc/a.pdf": "a.pdf", "a\u202efdp.exe": "afdp.exe", " a\x00b.pdf ": "ab.pdf", strings.Repeat("长", 90) + ".pdf": strings.Repeat("长", 80) + ".pdf",
	} {
		if got := TidyName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
