package records

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of pictures that are taken
	_ "image/png"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is a family of files that a field may take (COMM-09).
type kind struct {
	title string // for people
	most  int64
	types map[string]format // by extension, without the dot
}

// format is one kind of content: what browsers call it, and how it is recognised.
type format struct {
	contentType string
	is          func([]byte) bool
}

// mostPixels bounds what a picture unpacks to in a browser.
const mostPixels = 100_000_000

var (
	jpeg  = format{"image/jpeg", picture("jpeg")}
	kinds = map[string]kind{
		"image": {"图片", 10 << 20, map[string]format{
			"jpg": jpeg, "jpeg": jpeg, "png": {"image/png", picture("png")},
		}},
		"document": {"文档", 20 << 20, map[string]format{
			"pdf":  {"application/pdf", prefixed("%PDF-")},
			"doc":  {"application/msword", compound("WordDocument")},
			"xls":  {"application/vnd.ms-excel", compound("Workbook", "Book")},
			"ppt":  {"application/vnd.ms-powerpoint", compound("PowerPoint Document")},
			"docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", packed("word/document.xml")},
			"xlsx": {xlsx, packed("xl/workbook.xml")},
			"pptx": {"application/vnd.openxmlformats-officedocument.presentationml.presentation", packed("ppt/presentation.xml")},
		}},
		"video": {"视频", 50 << 20, map[string]format{"mp4": {"video/mp4", movie}}},
	}
	kindOrder = []string{"image", "document", "video"}
)

// MostUpload bounds any file.
const MostUpload = 50 << 20

func prefixed(start string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(start)) }
}

func picture(format string) func([]byte) bool {
	return func(b []byte) bool {
		c, is, err := image.DecodeConfig(bytes.NewReader(b))
		return err == nil && is == format && c.Width > 0 && c.Height > 0 && c.Width <= mostPixels/c.Height
	}
}

// compound recognises Office's old files by the name of their main stream: installers and
// e-mails have the same frame.
func compound(streams ...string) func([]byte) bool {
	return func(b []byte) bool {
		if !bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) {
			return false
		}
		return slices.ContainsFunc(streams, func(s string) bool {
			var wide []byte // UTF-16, as directories write names
			for _, r := range s + "\x00" {
				wide = append(wide, byte(r), 0)
			}
			return bytes.Contains(b, wide)
		})
	}
}

// packed recognises Office's new files by their main part; those with macros are refused.
func packed(main string) func([]byte) bool {
	return func(b []byte) bool {
		if !bytes.HasPrefix(b, []byte("PK\x03\x04")) { // nothing in front of it
			return false
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(z.File) > 10_000 {
			return false
		}
		types, found := false, false
		for _, f := range z.File {
			types = types || f.Name == "[Content_Types].xml"
			found = found || f.Name == main
			if strings.Contains(strings.ToLower(f.Name), "vbaproject") {
				return false
			}
		}
		return types && found
	}
}

// movie recognises MP4 by its brand.
func movie(b []byte) bool {
	if len(b) < 16 || string(b[4:8]) != "ftyp" {
		return false
	}
	brand := string(b[8:12])
	for _, known := range []string{"iso", "mp4", "avc", "M4V", "MSNV", "dash", "f4v"} {
		if strings.HasPrefix(brand, known) {
			return true
		}
	}
	return false
}

// recognise is the content type of a file that the field takes; a refusal says what it
// takes instead.
func (f *Field) recognise(name string, data []byte) (string, error) {
	ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	for _, k := range f.accepts() {
		form, ok := kinds[k].types[ext]
		if !ok {
			continue
		}
		if int64(len(data)) > kinds[k].most {
			return "", refuse("%s不能超过%dMB", kinds[k].title, kinds[k].most>>20)
		}
		if form.is(data) {
			return form.contentType, nil
		}
		return "", refuse("文件内容与扩展名%s不符，%s", ext, f.allowed())
	}
	return "", refuse("不支持的文件格式，%s", f.allowed())
}

// accepts are the kinds of files that the field takes.
func (f *Field) accepts() []string {
	switch {
	case len(f.Accept) > 0:
		return f.Accept
	case f.Type == "image", f.Type == "richtext":
		return []string{"image"}
	}
	return kindOrder
}

// allowed says what the field takes.
func (f *Field) allowed() string {
	var parts []string
	for _, k := range f.accepts() {
		exts := make([]string, 0, len(kinds[k].types))
		for e := range kinds[k].types {
			exts = append(exts, e)
		}
		slices.Sort(exts)
		parts = append(parts, fmt.Sprintf("%s（%s，不超过%dMB）", kinds[k].title, strings.Join(exts, "、"), kinds[k].most>>20))
	}
	return "可上传" + strings.Join(parts, "、")
}

// tidyName is a file's name without directories and what disguises it.
func tidyName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200e' || r == '\u200f' {
			return -1
		}
		return r
	}, name))
	ext := filepath.Ext(name)
	if r := []rune(strings.TrimSuffix(name, ext)); len(r) > 80 {
		name = string(r[:80]) + ext
	}
	return name
}
