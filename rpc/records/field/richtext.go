package field

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	parse "golang.org/x/net/html"
)

// A rich text is stored as plain HTML: paragraphs, headings, lists, tables, links, and
// pictures that are attachments. Stored pictures have the address attachment:<id>; readers
// get the route that serves them.

var (
	attachmentImage = regexp.MustCompile(`src="attachment:([0-9A-Za-z_-]{1,64})"`)
	servedImage     = regexp.MustCompile(`^/api/(?:console|member)/records/([0-9A-Za-z]+)/files/([0-9A-Za-z_-]{1,64})(?:\?[^\s]*)?$`)
	richPolicy      = newRichPolicy()
	textPolicy      = bluemonday.StrictPolicy().AddSpaceWhenStrippingTag(true)
)

func newRichPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "h1", "h2", "h3", "h4", "strong", "b", "em", "i", "u", "s", "blockquote",
		"ul", "ol", "li", "hr", "pre", "code", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("th", "td")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "attachment")
	p.AllowAttrs("href").Matching(regexp.MustCompile(`^(?:https?://|mailto:|tel:)`)).OnElements("a")
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^attachment:[0-9A-Za-z_-]{1,64}$`)).OnElements("img")
	p.AllowAttrs("alt").Matching(regexp.MustCompile(`^[^<>"]{0,200}$`)).OnElements("img")
	return p
}

// Rich checks a rich text: what may not be in it is taken out, and a picture from anywhere
// but the type's own attachments is refused.
func (f *Field) Rich(typ, s string) (string, error) {
	s = strings.TrimSpace(s)
	var b strings.Builder
	for z := parse.NewTokenizer(strings.NewReader(s)); ; {
		if z.Next() == parse.ErrorToken {
			break // the end: reading a string fails in no other way
		}
		raw := string(z.Raw())
		t := z.Token()
		if t.Data != "img" || t.Type != parse.StartTagToken && t.Type != parse.SelfClosingTagToken {
			b.WriteString(raw)
			continue
		}
		at := slices.IndexFunc(t.Attr, func(a parse.Attribute) bool { return a.Key == "src" })
		if at < 0 {
			continue
		}
		m := servedImage.FindStringSubmatch(t.Attr[at].Val)
		if m == nil || m[1] != typ {
			return "", Refuse("%s中的图片只能用编辑器的上传按钮插入", f.Label)
		}
		b.WriteString(`<img src="attachment:` + m[2] + `"`)
		for _, a := range t.Attr {
			if a.Key == "alt" {
				b.WriteString(` alt="` + parse.EscapeString(a.Val) + `"`)
			}
		}
		b.WriteString(">")
	}
	clean := richPolicy.Sanitize(b.String())
	if PlainText(clean) == "" && !attachmentImage.MatchString(clean) {
		clean = ""
	}
	switch {
	case clean == "" && f.Required:
		return "", Refuse("请填写%s", f.Label)
	case int64(utf8.RuneCountInString(clean)) > f.Max:
		return "", Refuse("%s过长", f.Label)
	}
	return clean, nil
}

// PlainText is a rich text without its markup, for sheets and messages.
func PlainText(rich string) string {
	return strings.Join(strings.Fields(html.UnescapeString(textPolicy.Sanitize(rich))), " ")
}

// RichFrom makes a rich text of a plain one.
func RichFrom(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString("<p>" + parse.EscapeString(line) + "</p>")
		}
	}
	return b.String()
}

// ImagesOf are the ids of a stored rich text's pictures.
func ImagesOf(rich string) []string {
	var ids []string
	for _, m := range attachmentImage.FindAllStringSubmatch(rich, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// ServeImages gives the pictures of a stored rich text the addresses that serve them to
// this reader. door is console or member.
func ServeImages(rich, door, typ, id string) string {
	return attachmentImage.ReplaceAllString(rich, `src="/api/`+door+`/records/`+typ+`/files/${1}?id=`+id+`"`)
}
