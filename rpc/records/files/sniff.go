// Package files tells by its content what a file is, and what a field takes of them. It knows no
// record that keeps them.
package files

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of pictures that are taken
	_ "image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
	"zhihuidangjian/rpc/records/field"

	_ "golang.org/x/image/webp"
)

// kind is a family of files that a field may take (COMM-09).
type kind struct {
	title   string // for people
	most    int64
	formats []format
}

// format is one kind of content: what people and browsers call it, the extensions of its
// files, the usual one first, and how it is recognised.
type format struct {
	name        string
	contentType string
	exts        []string
	is          func([]byte) bool
}

// mostPixels bounds what a picture unpacks to in a browser.
const mostPixels = 100_000_000

// XLSX is the content type of a workbook.
const XLSX = openXML + "spreadsheetml.sheet"

const openXML = "application/vnd.openxmlformats-officedocument."

var (
	kinds = map[string]kind{
		"image": {"图片", 10 << 20, []format{
			{"JPEG", "image/jpeg", []string{"jpg", "jpeg"}, picture("jpeg")},
			{"PNG", "image/png", []string{"png"}, picture("png")},
			{"WebP", "image/webp", []string{"webp"}, picture("webp")},
		}},
		"document": {"文档", 20 << 20, []format{
			{"PDF", "application/pdf", []string{"pdf"}, portable},
			{"Word", openXML + "wordprocessingml.document", []string{"docx"}, packed("wordprocessingml.document.main+xml", "word/document.xml")},
			{"Excel", XLSX, []string{"xlsx"}, packed("spreadsheetml.sheet.main+xml", "xl/workbook.xml")},
			{"PowerPoint", openXML + "presentationml.presentation", []string{"pptx"}, packed("presentationml.presentation.main+xml", "ppt/presentation.xml")},
			{"Word", "application/msword", []string{"doc"}, compound("WordDocument")},
			{"Excel", "application/vnd.ms-excel", []string{"xls"}, compound("Workbook", "Book")},
			{"PowerPoint", "application/vnd.ms-powerpoint", []string{"ppt"}, compound("PowerPoint Document")},
			// WPS writes Office's old formats under names of its own.
			{"WPS文字", "application/wps-office.wps", []string{"wps"}, compound("WordDocument")},
			{"WPS表格", "application/wps-office.et", []string{"et"}, compound("Workbook", "Book")},
			{"WPS演示", "application/wps-office.dps", []string{"dps"}, compound("PowerPoint Document")},
			{"OFD", "application/ofd", []string{"ofd"}, fixedLayout},
		}},
		"video": {"视频", 50 << 20, []format{
			{"MP4", "video/mp4", []string{"mp4", "m4v"}, movie("iso", "mp4", "avc", "M4V", "MSNV", "dash", "f4v")},
			{"MOV", "video/quicktime", []string{"mov"}, movie("qt  ")},
		}},
	}
	kindOrder = []string{"image", "document", "video"}

	// others are formats that people send and no field takes, each with a way out.
	others = []struct {
		name string
		is   func([]byte) bool
		out  string
	}{
		{"HEIC", movie("heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"), "请在手机“设置→相机→格式”中选择“兼容性最佳”后重新拍摄，或将照片截图、转换为JPG后上传"},
		{"AVIF", movie("avif", "avis"), "请转换为JPG后上传"},
		{"GIF", prefixed("GIF8"), "请转换为JPG或PNG后上传"},
		{"BMP", prefixed("BM"), "请转换为JPG或PNG后上传"},
		{"TIFF", func(b []byte) bool { return prefixed("II*\x00")(b) || prefixed("MM\x00*")(b) }, "请转换为JPG或PNG后上传"},
		{"RAR", prefixed("Rar!"), "请解压后上传其中的文件"},
		{"7Z", prefixed("7z\xbc\xaf\x27\x1c"), "请解压后上传其中的文件"},
		{"加密的Office文档", compound("EncryptedPackage"), "请去除密码后上传"},
		{"3GP", movie("3gp", "3g2"), "请转换为MP4后上传"},
		{"AVI", func(b []byte) bool { return prefixed("RIFF")(b) && len(b) > 12 && string(b[8:12]) == "AVI " }, "请转换为MP4后上传"},
	}
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

// portable recognises PDF; some programs write a byte order mark before it.
func portable(b []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), []byte("%PDF-"))
}

// unpack opens a file of parts with nothing in front of it.
func unpack(b []byte) *zip.Reader {
	if !bytes.HasPrefix(b, []byte("PK\x03\x04")) {
		return nil
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(z.File) > 10_000 {
		return nil
	}
	return z
}

// packed recognises Office's new files by the type of their main part, whatever its name,
// or by its usual name; those with macros are refused.
func packed(mainType, main string) func([]byte) bool {
	const listMost = 1 << 20
	return func(b []byte) bool {
		z := unpack(b)
		if z == nil {
			return false
		}
		types, found := false, false
		for _, f := range z.File {
			found = found || f.Name == main
			if strings.Contains(strings.ToLower(f.Name), "vbaproject") {
				return false
			}
			if f.Name != "[Content_Types].xml" {
				continue
			}
			types = true
			if r, err := f.Open(); err == nil {
				list, err := io.ReadAll(io.LimitReader(r, listMost))
				found = found || err == nil && bytes.Contains(list, []byte("officedocument."+mainType))
				_ = r.Close()
			}
		}
		return types && found
	}
}

// fixedLayout recognises OFD, GB/T 33190.
func fixedLayout(b []byte) bool {
	z := unpack(b)
	return z != nil && slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "OFD.xml" })
}

// movie recognises films, and pictures in the same frame, by their brand.
func movie(brands ...string) func([]byte) bool {
	return func(b []byte) bool {
		return len(b) >= 16 && string(b[4:8]) == "ftyp" &&
			slices.ContainsFunc(brands, func(brand string) bool { return strings.HasPrefix(string(b[8:12]), brand) })
	}
}

// Recognise tells by its content what a file is that a field takes, and the name that goes with
// it; a field.Refusal says what the field takes instead.
func Recognise(f *field.Field, name string, data []byte) (tidied, contentType string, err error) {
	ext := extension(name)
	if k, is := find(accepts(f), ext, data); is != nil {
		if int64(len(data)) > k.most {
			return "", "", field.Refuse("%s不能超过%dMB", k.title, k.most>>20)
		}
		return is.named(name), is.contentType, nil
	}
	if _, is := find(kindOrder, ext, data); is != nil {
		return "", "", field.Refuse("不支持的文件格式：%s，%s", is.name, allowed(f))
	}
	for _, o := range others {
		if o.is(data) {
			return "", "", field.Refuse("不支持的文件格式：%s，%s。%s", o.name, o.out, allowed(f))
		}
	}
	for _, k := range accepts(f) {
		if slices.ContainsFunc(kinds[k].formats, func(x format) bool { return slices.Contains(x.exts, ext) }) {
			return "", "", field.Refuse("文件内容与扩展名%s不符，%s", ext, allowed(f))
		}
	}
	return "", "", field.Refuse("不支持的文件格式，%s", allowed(f))
}

// find is the format of a content among some kinds; of several, that of the extension.
func find(among []string, ext string, data []byte) (in kind, is *format) {
	for _, k := range among {
		for i := range kinds[k].formats {
			x := &kinds[k].formats[i]
			if (is == nil || slices.Contains(x.exts, ext)) && x.is(data) {
				in, is = kinds[k], x
			}
		}
	}
	return in, is
}

func extension(name string) string {
	return strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
}

// named gives a name the extension of the content: in place of a known one that is wrong,
// behind what is none.
func (x *format) named(name string) string {
	ext := extension(name)
	if slices.Contains(x.exts, ext) {
		return name
	}
	for _, k := range kinds {
		if slices.ContainsFunc(k.formats, func(o format) bool { return slices.Contains(o.exts, ext) }) {
			name = strings.TrimSuffix(name, filepath.Ext(name))
		}
	}
	return name + "." + x.exts[0]
}

// accepts are the kinds of files that the field takes.
func accepts(f *field.Field) []string {
	switch {
	case len(f.Accept) > 0:
		return f.Accept
	case f.Type == "image", f.Type == "richtext":
		return []string{"image"}
	}
	return kindOrder
}

// allowed says what the field takes.
func allowed(f *field.Field) string {
	var parts []string
	for _, k := range accepts(f) {
		var exts []string
		for _, x := range kinds[k].formats {
			exts = append(exts, x.exts...)
		}
		parts = append(parts, fmt.Sprintf("%s（%s，不超过%dMB）", kinds[k].title, strings.Join(exts, "、"), kinds[k].most>>20))
	}
	return "可上传" + strings.Join(parts, "、")
}

// TidyName is a file's name without directories and what disguises it.
func TidyName(name string) string {
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

// IsKind tells whether there is a kind of files of that name, for Field.Accept.
func IsKind(name string) bool { _, ok := kinds[name]; return ok }
