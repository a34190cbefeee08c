package records_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/model/modeltest"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Report has a field of every kind that names files.
type Report struct {
	model.Base `bson:",inline"`
	Title      string       `bson:"title" json:"title" record:"label=标题,required,list"`
	Files      []model.File `bson:"files" json:"files" record:"label=附件,max=3"`
	Photo      []model.File `bson:"photo" json:"photo" record:"label=照片,type=image"`
	Text       string       `bson:"text" json:"text" record:"label=正文,type=richtext"`
	Reply      []model.File `bson:"reply" json:"reply" record:"label=批复,noform,accept=document"`
	Secret     []model.File `bson:"secret" json:"secret" record:"label=内部材料"`
	MemberID   string       `bson:"memberId" json:"memberId"`
}

type archive struct {
	*library
	clock   *kit.Clock
	dir     string
	reports *model.Collection[*Report]
}

func openArchive(t *testing.T) *archive {
	t.Helper()
	db, clock := modeltest.DB(t), &kit.Clock{}
	s := &archive{library: &library{}, clock: clock, dir: t.TempDir(), reports: model.NewCollection[*Report](db, "reports", clock.Now)}
	blobs, err := blob.Dir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	s.Engine, err = records.New(t.Context(), records.Config{DB: db, Clock: clock, Orgs: tree{}, Seal: modeltest.Sealer(t), Blobs: blobs},
		&records.Type[*Report]{
			Name: "report", Title: "材料", Collection: s.reports, NameKey: "title",
			Own: &records.Own[*Report]{
				Where:  func(c *kit.Caller) bson.D { return bson.D{{Key: "memberId", Value: c.MemberID}} },
				Create: true, Update: true, Fields: []string{"title", "files", "text"}, Form: []string{"title", "files", "text"},
				Prepare: func(ctx context.Context, r *Report) error { r.MemberID = kit.CallerOf(ctx).MemberID; return nil },
			},
			Actions: []records.Action[*Report]{{
				Key: "answer", Title: "上传批复", Fields: []records.Field{{Key: "reply", Label: "批复", Type: "files", Required: true, Form: true, Accept: []string{"document"}}},
				Do: func(_ context.Context, r *Report, in records.Input) error { r.Reply = in.Files("reply"); return nil },
			}},
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *archive) upload(ctx context.Context, field, name string, data []byte) (string, error) {
	a, err := s.Upload(ctx, &gen.UploadReq{Type: "report", Field: field, FileName: name, Data: data})
	if err != nil {
		return "", err
	}
	return a.Id, nil
}

func (s *archive) must(t *testing.T, ctx context.Context, field, name string, data []byte) string {
	t.Helper()
	id, err := s.upload(ctx, field, name, data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return id
}

func (s *archive) download(ctx context.Context, record, file string) ([]byte, error) {
	f, err := s.Download(ctx, &gen.AttachmentReq{Type: "report", Id: record, FileId: file})
	if err != nil {
		return nil, err
	}
	return f.Data, nil
}

func (s *archive) advance(d time.Duration) { s.clock.SetOffset(s.clock.Offset() + d) }

// blobs are how many contents are kept.
func (s *archive) blobs(t *testing.T) int {
	t.Helper()
	n := 0
	if err := filepath.WalkDir(s.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func files(ids ...string) []map[string]any {
	out := []map[string]any{}
	for _, id := range ids {
		out = append(out, map[string]any{"id": id, "name": "别名.exe", "contentType": "text/html", "size": 1})
	}
	return out
}

var pixel = func() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 2, 2))); err != nil {
		panic(err)
	}
	return b.Bytes()
}()

func office(parts ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range append([]string{"[Content_Types].xml"}, parts...) {
		if w, err := z.Create(p); err != nil {
			panic(err)
		} else if _, err = w.Write([]byte("<x/>")); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func compound(stream string) []byte {
	b := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 512)...)
	for _, r := range stream + "\x00" {
		b = append(b, byte(r), 0)
	}
	return b
}

func TestUploadByContent(t *testing.T) {
	s := openArchive(t)
	a := admin(t, "a")
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 2, 2)), nil); err != nil {
		t.Fatal(err)
	}
	movie := append([]byte("\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"), make([]byte, 64)...)
	pdf := []byte("%PDF-1.7\n")
	taken := map[string][]byte{
		"照片.JPG": photo.Bytes(), "照片.jpeg": photo.Bytes(), "图.png": pixel, "文.pdf": pdf,
		"文.docx": office("word/document.xml"), "表.xlsx": office("xl/workbook.xml"), "稿.pptx": office("ppt/presentation.xml"),
		"旧.doc": compound("WordDocument"), "旧.xls": compound("Workbook"), "旧.ppt": compound("PowerPoint Document"), "片.mp4": movie,
	}
	t.Run("COMM-09 the allowed kinds are taken by what they are", func(t *testing.T) {
		for name, data := range taken {
			id := s.must(t, a, "files", name, data)
			if got, err := s.download(a, "", id); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	big := func(head []byte, size int) []byte { return append(slices.Clone(head), make([]byte, size)...) }
	t.Run("COMM-09 others and larger ones are refused with the allowed list", func(t *testing.T) {
		exe := append([]byte("MZ\x90\x00"), make([]byte, 100)...)
		svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
		for _, x := range []struct {
			field, name string
			data        []byte
			why         string
		}{
			{"files", "程序.exe", exe, "不支持的文件格式，可上传图片（jpg、jpeg、png、webp，不超过10MB）、文档（pdf、docx、"},
			{"files", "程序.pdf", exe, "文件内容与扩展名pdf不符"},
			{"files", "程序.exe.jpg", exe, "文件内容与扩展名jpg不符"},
			{"files", "图.svg", svg, "不支持的文件格式"},
			{"photo", "图.png", svg, "文件内容与扩展名png不符"},
			{"files", "页.html", []byte("<html>"), "不支持的文件格式"},
			{"files", "宏.docx", office("word/document.xml", "word/vbaProject.bin"), "不符"},
			{"files", "包.docx", append([]byte("MZ"), office("word/document.xml")...), "不符"},
			{"files", "安装.doc", compound("Property"), "不符"},
			{"files", "图.png", big(pixel, 10<<20), "图片不能超过10MB"},
			{"files", "文.pdf", big(pdf, 20<<20), "文档不能超过20MB"},
			{"files", "片.mp4", big(movie, 50<<20), "视频不能超过50MB"},
			{"photo", "文.pdf", pdf, "不支持的文件格式：PDF，可上传图片"},
			{"text", "文.pdf", pdf, "不支持的文件格式：PDF，可上传图片"},
			{"reply", "图.png", pixel, "不支持的文件格式：PNG，可上传文档"},
		} {
			_, err := s.upload(a, x.field, x.name, x.data)
			if err == nil {
				t.Errorf("%s was taken", x.name)
				continue
			}
			says(t, err, x.why)
		}
		for _, field := range []string{"title", "nothing", "memberId"} {
			if _, err := s.upload(a, field, "图.png", pixel); !errors.Is(err, kit.ErrNotFound) {
				t.Errorf("upload for %s: %v", field, err)
			}
		}
	})
	t.Run("names are tidied", func(t *testing.T) {
		x, err := s.Upload(a, &gen.UploadReq{Type: "report", Field: "files", FileName: "C:\\目录\\\u202egnp.图\x00.png", Data: pixel})
		if err != nil || x.Name != "gnp.图.png" || x.ContentType != "image/png" {
			t.Fatalf("%+v %v", x, err)
		}
	})
}

func TestAttachments(t *testing.T) {
	s := openArchive(t)
	a, b, root := admin(t, "a"), admin(t, "b"), admin(t, "root")
	id := s.must(t, a, "files", "图.png", pixel)
	t.Run("a waiting file is its uploader's", func(t *testing.T) {
		for _, other := range []context.Context{b, root, member(t, "m1", "a")} {
			if _, err := s.download(other, "", id); !errors.Is(err, kit.ErrNotFound) {
				t.Errorf("%v", err)
			}
		}
		if _, err := s.save(b, "report", "", 0, map[string]any{"title": "窃", "files": files(id)}); err == nil {
			t.Fatal("another's upload was saved")
		} else {
			says(t, err, "附件不存在或已失效")
		}
		if _, err := s.save(a, "report", "", 0, map[string]any{"title": "错位", "secret": files(id)}); err == nil {
			t.Fatal("an upload for another field was saved")
		}
	})
	saved, err := s.save(a, "report", "", 0, map[string]any{"title": "一", "files": files(id)})
	if err != nil {
		t.Fatal(err)
	}
	rec := saved["id"].(string)
	t.Run("COMM-09 saved with its record, a file is what was uploaded, for those who may view the record", func(t *testing.T) {
		f := saved["files"].([]any)[0].(map[string]any)
		if f["name"] != "图.png" || f["contentType"] != "image/png" || f["size"] != float64(len(pixel)) {
			t.Fatalf("%v", f)
		}
		for _, who := range []context.Context{a, root} {
			if got, err := s.download(who, rec, id); err != nil || !bytes.Equal(got, pixel) {
				t.Errorf("%v", err)
			}
		}
		part, err := s.Download(a, &gen.AttachmentReq{Type: "report", Id: rec, FileId: id, Offset: 1, Limit: 3})
		if err != nil || string(part.Data) != "PNG" || part.Size != int64(len(pixel)) {
			t.Fatalf("%v %v", part, err)
		}
		for name, who := range map[string]context.Context{
			"a sibling's admin": b, "a member": member(t, "m1", "a"), "an admin without the right": admin(t, "a", "report.update"),
		} {
			if _, err := s.download(who, rec, id); err == nil {
				t.Errorf("%s reads it", name)
			}
		}
		secret := s.must(t, a, "files", "另.png", pixel)
		if _, err := s.download(a, rec, secret); !errors.Is(err, kit.ErrNotFound) {
			t.Errorf("a file that the record does not name: %v", err)
		}
	})
	t.Run("one file is one record's", func(t *testing.T) {
		_, err := s.save(a, "report", "", 0, map[string]any{"title": "二", "files": files(id)})
		says(t, err, "附件不存在或已失效")
		again, err := s.save(root, "report", rec, 1, map[string]any{"title": "改", "files": files(id)})
		if err != nil || len(again["files"].([]any)) != 1 {
			t.Fatalf("what the record has, others may leave there: %v", err)
		}
	})
	t.Run("COMM-09 a refused file leaves the record unchanged", func(t *testing.T) {
		_, err := s.save(a, "report", rec, 2, map[string]any{"files": files(id, "x", "y", "z")})
		says(t, err, "附件最多上传3个文件")
		_, err = s.save(a, "report", rec, 2, map[string]any{"files": files(id, "x")})
		says(t, err, "附件不存在")
		got, err := decode(s.Get(a, &gen.IDReq{Type: "report", Id: rec}))
		if err != nil || got["version"] != float64(2) || len(got["files"].([]any)) != 1 {
			t.Fatalf("%v %v", got, err)
		}
	})
	t.Run("an action takes files for its own field", func(t *testing.T) {
		doc := s.must(t, a, "reply", "批复.pdf", []byte("%PDF-1.4"))
		if _, err := s.upload(admin(t, "a", "report.view"), "reply", "批复.pdf", []byte("%PDF-1.4")); err == nil {
			t.Error("without the right an upload is taken")
		}
		run := func(form map[string]any) error {
			_, err := s.Act(a, &gen.ActReq{Type: "report", Id: rec, Action: "answer", Json: []byte(marshal(form))})
			return err
		}
		says(t, run(nil), "批复")
		says(t, run(map[string]any{"reply": files(id)}), "附件不存在")
		if err := run(map[string]any{"reply": files(doc)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.download(root, rec, doc); err != nil {
			t.Fatal(err)
		}
		if _, err := s.download(a, "", doc); !errors.Is(err, kit.ErrNotFound) {
			t.Errorf("a record's file is had beside its record, and without a trace: %v", err)
		}
		if _, err := s.Download(root, &gen.AttachmentReq{Type: "report", Id: rec, FileId: doc, Offset: 3}); err != nil {
			t.Fatal(err)
		}
		told := bson.D{{Key: "fact.title", Value: "下载附件"}} // the document once, its later parts and the pictures never
		n, err := s.reports.Mongo().Database().Collection(model.AuditInbox).CountDocuments(t.Context(), told)
		one, _ := s.reports.Mongo().Database().Collection(model.AuditInbox).CountDocuments(t.Context(), append(told, bson.E{Key: "fact.note", Value: "批复.pdf"}, bson.E{Key: "fact.recordid", Value: rec}))
		if err != nil || n != 1 || one != 1 {
			t.Errorf("the audit tells of %d downloads, of this one %d: %v", n, one, err)
		}
	})
	t.Run("members: their own records and uploads, and only the fields they see", func(t *testing.T) {
		me, other := member(t, "m1", "a"), member(t, "m2", "a")
		mine := s.must(t, me, "files", "我的.png", pixel)
		if _, err := s.upload(me, "secret", "x.png", pixel); !errors.Is(err, kit.ErrNotFound) {
			t.Errorf("a field that he does not have: %v", err)
		}
		for _, who := range []context.Context{other, a} {
			if _, err := s.download(who, "", mine); !errors.Is(err, kit.ErrNotFound) {
				t.Errorf("another reads his upload: %v", err)
			}
		}
		_, err := s.save(other, "report", "", 0, map[string]any{"title": "窃", "files": files(mine)})
		says(t, err, "附件不存在")
		r, err := s.save(me, "report", "", 0, map[string]any{"title": "我的", "files": files(mine)})
		if err != nil {
			t.Fatal(err)
		}
		rec := r["id"].(string)
		inner := s.must(t, a, "secret", "内部.png", pixel)
		if _, err := s.save(a, "report", rec, 1, map[string]any{"secret": files(inner)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.download(me, rec, mine); err != nil {
			t.Error(err)
		}
		if _, err := s.download(a, rec, inner); err != nil {
			t.Error(err)
		}
		for name, call := range map[string][2]any{"a field not shown to him": {me, inner}, "another's record": {other, mine}} {
			if _, err := s.download(call[0].(context.Context), rec, call[1].(string)); !errors.Is(err, kit.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("visitors get nothing", func(t *testing.T) {
		if _, err := s.upload(t.Context(), "files", "图.png", pixel); !errors.Is(err, kit.ErrUnauthenticated) {
			t.Error(err)
		}
		if _, err := s.download(t.Context(), rec, id); !errors.Is(err, kit.ErrUnauthenticated) {
			t.Error(err)
		}
	})
	t.Run("an export names the files", func(t *testing.T) {
		if _, err := s.Export(a, &gen.ListReq{Type: "report", Columns: []string{"title", "files", "text"}}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOrphansAreRemoved(t *testing.T) {
	s := openArchive(t)
	a, system := admin(t, "a"), kit.AsSystem(t.Context())
	resume := func() {
		t.Helper()
		if _, err := s.Resume(system, &gen.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	orphan := s.must(t, a, "files", "弃.png", pixel)
	kept := s.must(t, a, "files", "留.png", pixel)
	picture := s.must(t, a, "text", "插图.png", pixel)
	r, err := s.save(a, "report", "", 0, map[string]any{"title": "一", "files": files(kept), "text": fmt.Sprintf(`<img src="/api/console/records/report/files/%s">`, picture)})
	if err != nil {
		t.Fatal(err)
	}
	rec := r["id"].(string)
	if s.advance(23 * time.Hour); s.blobs(t) != 3 {
		t.Fatal("contents are missing")
	}
	if resume(); s.blobs(t) != 3 {
		t.Fatal("removed within a day")
	}
	s.advance(2 * time.Hour)
	resume()
	if n := s.blobs(t); n != 2 {
		t.Fatalf("%d contents are kept", n)
	}
	if _, err := s.download(a, "", orphan); !errors.Is(err, kit.ErrNotFound) {
		t.Fatal(err)
	}
	_, err = s.save(a, "report", rec, 1, map[string]any{"files": files(kept, orphan)})
	says(t, err, "附件不存在")
	for _, id := range []string{kept, picture} {
		if _, err := s.download(a, rec, id); err != nil {
			t.Fatal(err)
		}
	}
	// What a record names no more goes a day later, the other field's picture stays.
	if _, err := s.save(a, "report", rec, 1, map[string]any{"files": files()}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.download(a, rec, kept); !errors.Is(err, kit.ErrNotFound) {
		t.Fatal(err)
	}
	resume()
	if s.blobs(t) != 2 {
		t.Fatal("removed at once")
	}
	s.advance(25 * time.Hour)
	resume()
	if s.blobs(t) != 1 {
		t.Fatal("not removed")
	}
	// A deleted record keeps its files: its history stays.
	if _, err := s.Delete(a, &gen.IDsReq{Type: "report", Ids: []string{rec}}); err != nil {
		t.Fatal(err)
	}
	s.advance(25 * time.Hour)
	resume()
	if s.blobs(t) != 1 {
		t.Fatal("a deleted record lost its files")
	}
}

func TestRichText(t *testing.T) {
	s := openArchive(t)
	a := admin(t, "a")
	picture := s.must(t, a, "text", "插图.png", pixel)
	image := func(src string) string { return `<p>图</p><img src="` + src + `" onerror="alert(1)">` }
	save := func(text string) (answer, error) {
		return s.save(a, "report", "", 0, map[string]any{"title": "一", "text": text})
	}
	t.Run("what could run is taken out", func(t *testing.T) {
		r, err := save(`<h2>题</h2><script>alert(1)</script><p onclick="alert(2)" style="position:fixed">甲<b>乙</b></p>` +
			`<a href="javascript:alert(3)">坏</a><a href="https://example.com/x?a=1&amp;b=2">好</a><iframe src="/x"></iframe><svg onload="alert(4)"></svg><form action="/x"><input></form>`)
		if err != nil {
			t.Fatal(err)
		}
		got := r["text"].(string)
		want := `<h2>题</h2><p>甲<b>乙</b></p>坏<a href="https://example.com/x?a=1&amp;b=2" rel="noreferrer noopener" target="_blank">好</a>`
		if got != want {
			t.Fatalf("%s", got)
		}
	})
	t.Run("pictures are attachments of the field only", func(t *testing.T) {
		file := s.must(t, a, "files", "图.png", pixel)
		for _, src := range []string{
			"data:image/png;base64,AAAA", "https://example.com/x.png", "//example.com/x.png", "/api/console/me", "attachment:" + picture,
			"/api/console/records/other/files/" + picture, "/api/console/records/report/files/../../../me",
		} {
			_, err := save(image(src))
			if err == nil {
				t.Errorf("%s was taken", src)
				continue
			}
			says(t, err, "只能用编辑器的上传按钮插入")
		}
		for _, id := range []string{file, "nothing", s.must(t, admin(t, "b"), "text", "他人.png", pixel)} {
			_, err := save(image("/api/console/records/report/files/" + id))
			if err == nil {
				t.Errorf("%s was taken", id)
				continue
			}
			says(t, err, "附件不存在")
		}
	})
	t.Run("pictures are served to whoever reads, by his own door", func(t *testing.T) {
		r, err := save(image("/api/console/records/report/files/" + picture))
		if err != nil {
			t.Fatal(err)
		}
		rec := r["id"].(string)
		want := `<p>图</p><img src="/api/console/records/report/files/` + picture + `?id=` + rec + `">`
		if r["text"] != want {
			t.Fatalf("%s", r["text"])
		}
		if got, err := s.download(admin(t, "root"), rec, picture); err != nil || !bytes.Equal(got, pixel) {
			t.Fatal(err)
		}
		same, err := s.save(admin(t, "root"), "report", rec, 1, map[string]any{"title": "改", "text": r["text"].(string) + "<p>又</p>"})
		if err != nil || same["text"] != want+"<p>又</p>" {
			t.Fatalf("%v %v", same["text"], err)
		}
		doc, err := s.reports.Get(t.Context(), model.Everything, rec)
		if err != nil || !strings.Contains(doc.Text, `src="attachment:`+picture+`"`) {
			t.Fatalf("%v %v", doc, err)
		}
		me := member(t, "m1", "a")
		mine := s.must(t, me, "text", "我的.png", pixel)
		r, err = s.save(me, "report", "", 0, map[string]any{"title": "我的", "text": image("/api/member/records/report/files/" + mine)})
		if err != nil || !strings.Contains(r["text"].(string), `src="/api/member/records/report/files/`+mine+`?id=`+r["id"].(string)) {
			t.Fatalf("%v %v", r, err)
		}
	})
	t.Run("nothing but empty markup is empty", func(t *testing.T) {
		r, err := save("<p> </p><p><br></p>")
		if err != nil || r["text"] != "" {
			t.Fatalf("%v %v", r, err)
		}
	})
	if got := records.PlainText(`<h2>题</h2><p>甲 &amp; 乙<br>丙</p>`); got != "题 甲 & 乙 丙" {
		t.Fatalf("%q", got)
	}
}

// TestUnsavedFiles: what nobody has saved a record with is bounded for each person, in number
// and in bytes, and a saved file counts no more.
func TestUnsavedFiles(t *testing.T) {
	s := openArchive(t)
	ctx := admin(t, "a")
	wait := func(by string, files int, size int64) {
		t.Helper()
		docs := make([]any, files)
		for i := range docs {
			docs[i] = bson.D{{Key: "_id", Value: fmt.Sprint(by, files, i)}, {Key: "by", Value: by}, {Key: "kept", Value: false}, {Key: "size", Value: size}}
		}
		if _, err := s.reports.Mongo().Database().Collection("attachments").InsertMany(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
	}
	full := func(who context.Context) bool {
		t.Helper()
		_, err := s.upload(who, "text", "图.png", pixel)
		if err != nil && kit.FromError(err).Key != "upload.too_many" {
			t.Fatal(err)
		}
		return err != nil
	}
	wait("user:ua", 20, 50<<20)
	if full(ctx) {
		t.Error("20 films of 50 MB are refused")
	}
	wait("user:ua", 1, 24<<20)
	if !full(ctx) {
		t.Error("more than a gigabyte waits")
	}
	if full(admin(t, "b")) {
		t.Error("another person is refused for it")
	}
	wait("user:ub", 199, 1)
	if !full(admin(t, "b")) {
		t.Error("more than 200 files wait")
	}
}
