package content

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/records"
)

// photo is a small picture.
func photo(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// film is an MP4 by its first box, of so many bytes, each of which can be told apart.
func film(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b) // never fails
	copy(b, "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42")
	return b
}

func upload(b *bfftest.Browser, base, field, fileName string, data []byte) *bfftest.Answer {
	b.T.Helper()
	return b.Do("POST", base+"/upload?field="+field, &bfftest.Upload{Name: fileName, Data: data})
}

func kept(t *testing.T, a *bfftest.Answer) Item {
	t.Helper()
	var f Item
	a.Into(t, &f)
	return f
}

func fileOf(base, id, file string) string { return base + "/files/" + file + "?id=" + id }

// part asks for a range of a file.
func part(t *testing.T, b *bfftest.Browser, address, bytesRange string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", b.Base+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", bytesRange)
	resp, err := b.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, data
}

// TestAttachments: files of records, up and down through HTTP (COMM-09).
func TestAttachments(t *testing.T) {
	note, letter := Path("notebookEntry"), Own("suggestion")
	const pdf = "%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n"
	save := func(t *testing.T, b *bfftest.Browser, files ...Item) Item {
		t.Helper()
		return Add(t, b, "notebookEntry", Form{"title": "有附件", "noteDate": Day(0), "content": "<p>见附件</p>", "files": files})
	}
	t.Run("COMM-09 what is uploaded comes back byte for byte, whole and in parts, as what it is", func(t *testing.T) {
		a := AdminA(t)
		data := film(9 << 20) // three parts of the service's answers
		f := kept(t, upload(a, note, "files", "会议 录像.mp4", data))
		at := fileOf(note, save(t, a, f)["id"].(string), f["id"].(string))
		got := a.Do("GET", at, nil)
		if got.Status != http.StatusOK || !bytes.Equal(got.Body, data) {
			t.Fatalf("%d, %d bytes of %d", got.Status, len(got.Body), len(data))
		}
		for k, want := range map[string]string{
			"Content-Type": "video/mp4", "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes",
			"Content-Disposition": `inline; filename="_.mp4"; filename*=UTF-8''%E4%BC%9A%E8%AE%AE%20%E5%BD%95%E5%83%8F.mp4`,
		} {
			if h := got.Header.Get(k); h != want {
				t.Errorf("%s: %q, want %q", k, h, want)
			}
		}
		if h := a.Do("GET", at+"&download=1", nil).Header.Get("Content-Disposition"); !strings.HasPrefix(h, "attachment;") {
			t.Errorf("to be saved: %q", h)
		}
		for _, r := range []struct {
			asked, said string
			from, to    int
		}{
			{"bytes=0-0", "bytes 0-0/9437184", 0, 0},
			{"bytes=4194300-4194310", "bytes 4194300-4194310/9437184", 4194300, 4194310},
			{"bytes=100-9000000", "bytes 100-9000000/9437184", 100, 9000000},
			{"bytes=9437000-", "bytes 9437000-9437183/9437184", 9437000, len(data) - 1},
			{"bytes=9437000-99999999", "bytes 9437000-9437183/9437184", 9437000, len(data) - 1},
		} {
			resp, b := part(t, a, at, r.asked)
			if resp.StatusCode != http.StatusPartialContent || resp.Header.Get("Content-Range") != r.said || !bytes.Equal(b, data[r.from:r.to+1]) {
				t.Errorf("%s: %d %q, %d bytes", r.asked, resp.StatusCode, resp.Header.Get("Content-Range"), len(b))
			}
		}
		if resp, _ := part(t, a, at, "bytes=9437184-"); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("beyond the end: %d", resp.StatusCode)
		}
		if resp, b := part(t, a, at, "bytes=nonsense"); resp.StatusCode != http.StatusOK || !bytes.Equal(b, data) {
			t.Errorf("what is no range: %d, %d bytes", resp.StatusCode, len(b))
		}
	})
	t.Run("COMM-09 browsers are kept from running what is inside a file", func(t *testing.T) {
		a := AdminA(t)
		for _, x := range []struct {
			name, shown string
			sandbox     bool
			data        []byte
		}{{"图.png", "inline;", true, photo(t)}, {"文.pdf", "inline;", false, []byte(pdf)}, {"片.mp4", "inline;", true, film(1 << 10)}} {
			f := kept(t, upload(a, note, "files", x.name, x.data))
			h := a.Do("GET", fileOf(note, save(t, a, f)["id"].(string), f["id"].(string)), nil).Header
			policy := h.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "script") || strings.Contains(policy, "sandbox") != x.sandbox ||
				!strings.HasPrefix(h.Get("Content-Disposition"), x.shown) || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Cache-Control"), "private") {
				t.Errorf("%s: %v", x.name, h)
			}
		}
	})
	t.Run("COMM-09 other kinds, disguises and what is too large are refused, and nothing is kept", func(t *testing.T) {
		a := AdminA(t)
		svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
		page := []byte("<!DOCTYPE html><script>alert(1)</script>")
		for _, x := range []struct {
			field, name string
			data        []byte
			says        string
		}{
			{"files", "图.svg", svg, "不支持的文件格式"},
			{"files", "页.html", page, "不支持的文件格式"},
			{"files", "图.png", svg, "不符"},
			{"files", "图.jpg", page, "不符"},
			{"files", "文.pdf", page, "不符"},
			{"files", "程序.exe", []byte("MZ"), "不支持的文件格式"},
			{"files", "空.png", nil, "不符"},
			{"files", "大.pdf", append([]byte(pdf), make([]byte, 20<<20)...), "不能超过20MB"},
		} {
			Refused(t, upload(a, note, x.field, x.name, x.data), http.StatusBadRequest, "files", x.says)
		}
		Refused(t, upload(a, Path("memberShowcase"), "cover", "文.pdf", []byte(pdf)), http.StatusBadRequest, "cover", "不支持的文件格式")
		Refused(t, upload(a, note, "title", "图.png", photo(t)), http.StatusNotFound, "", "")
		Refused(t, upload(a, note, "none", "图.png", photo(t)), http.StatusNotFound, "", "")
		Refused(t, upload(a, Path("nothing"), "files", "图.png", photo(t)), http.StatusNotFound, "", "")
		Refused(t, a.Do("POST", note+"/upload?field=files", Form{"file": "x"}), http.StatusBadRequest, "file", "请选择文件")
		f := kept(t, upload(a, note, "files", "图.png", photo(t)))
		Refused(t, a.Do("POST", Path("reward"), Form{"memberId": NewMember(t, OrgA(t)).ID, "rewardName": "奖", "rewardLevel": "municipal", "rewardedOn": Day(0), "content": "x", "files": []Item{f}}),
			http.StatusBadRequest, "files", "附件不存在")
	})
	t.Run("PLUS-50 files that people really send are taken for what they are, or refused by the name of their format", func(t *testing.T) {
		a, phone := AdminA(t), PhoneOf(t, NewMember(t, OrgA(t)))
		for _, x := range []struct {
			file, name, contentType string // as kept
			refused                 string
		}{
			{"F1.png", "F1.jpg", "image/jpeg", ""},
			{"F5.bin", "F5.bin.jpg", "image/jpeg", ""},
			{"F6webp.webp", "F6webp.webp", "image/webp", ""},
			{"F2.docx", "F2.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ""},
			{"F3bom.pdf", "F3bom.pdf", "application/pdf", ""},
			{"F4.MOV", "F4.MOV", "video/quicktime", ""},
			{"F7ofd.ofd", "F7ofd.ofd", "application/ofd", ""},
			{"F7wps.wps", "F7wps.wps", "application/wps-office.wps", ""},
			{"F6heic.HEIC", "", "", "不支持的文件格式：HEIC"},
		} {
			data, err := os.ReadFile("testdata/" + x.file)
			if err != nil {
				t.Fatal(err)
			}
			stem, _, _ := strings.Cut(x.file, ".")
			for _, sent := range []string{x.file, stem} { // WeChat gives pictures no name worth the word
				name, contentType := x.name, x.contentType
				if sent == stem {
					_, ext, _ := strings.Cut(strings.ToLower(x.name), ".")
					if stem == "F7wps" { // without its name it is what WPS wrote
						ext, contentType = "doc", "application/msword"
					}
					name = stem + "." + strings.TrimPrefix(ext, "bin.")
				}
				answer := upload(a, note, "files", sent, data)
				if x.refused != "" {
					if !strings.Contains(answer.Message(), "兼容性最佳") {
						t.Errorf("no way out: %s", answer.Message())
					}
					Refused(t, answer, http.StatusBadRequest, "files", x.refused)
				} else {
					f := kept(t, answer)
					got := a.Do("GET", fileOf(note, save(t, a, f)["id"].(string), f["id"].(string)), nil)
					if f["name"] != name || f["contentType"] != contentType || !bytes.Equal(got.Body, data) || got.Header.Get("Content-Type") != contentType {
						t.Errorf("%s: kept as %v, handed out as %s", sent, f, got.Header.Get("Content-Type"))
					}
				}
				// A phone's letter takes pictures.
				answer = upload(phone, letter, "images", sent, data)
				if !strings.HasPrefix(contentType, "image/") {
					Refused(t, answer, http.StatusBadRequest, "images", "不支持的文件格式：")
				} else if f := kept(t, answer); f["name"] != name || f["contentType"] != contentType {
					t.Errorf("phone, %s: %v", sent, f)
				}
			}
		}
	})
	t.Run("PLUS-50 what has no place is refused by its name and with a way out", func(t *testing.T) {
		a := AdminA(t)
		for says, data := range map[string]string{
			"GIF，请转换为JPG": "GIF89a......", "BMP": "BM..........", "TIFF": "II*\x00........", "RAR，请解压": "Rar!........", "AVIF": "\x00\x00\x00\x20ftypavif\x00\x00\x02\x00",
			"AVI，请转换为MP4": "RIFF\x00\x00\x00\x00AVI LIST", "3GP": "\x00\x00\x00\x20ftyp3gp5\x00\x00\x02\x00",
		} {
			Refused(t, upload(a, note, "files", "附件.jpg", []byte(data)), http.StatusBadRequest, "files", "不支持的文件格式："+says)
		}
	})
	t.Run("COMM-09 a body beyond any limit is cut off", func(t *testing.T) {
		a := AdminA(t)
		answer, err := a.Try("POST", note+"/upload?field=files", &bfftest.Upload{Name: "大.mp4", Data: film(records.MostUpload + 1<<20)})
		// The server may hang up while the rest is still being sent.
		if err == nil && answer.Status != http.StatusRequestEntityTooLarge {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		kept(t, upload(a, note, "files", "图.png", photo(t)))
	})
	t.Run("COMM-01 COMM-09 a file is for those who may see its record", func(t *testing.T) {
		a, b := AdminA(t), AdminB(t)
		f := kept(t, upload(a, note, "files", "图.png", photo(t)))
		n := save(t, a, f)
		id, file := n["id"].(string), f["id"].(string)
		at := fileOf(note, id, file)
		if got := AdminP(t).Do("GET", at, nil); got.Status != http.StatusOK || !bytes.Equal(got.Body, photo(t)) {
			t.Fatalf("the superior gets %d", got.Status)
		}
		Refused(t, b.Do("GET", at, nil), http.StatusNotFound, "", NothingThere)
		theirs := save(t, b)["id"].(string)
		Refused(t, b.Do("GET", fileOf(note, theirs, file), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, b.Do("GET", note+"/files/"+file, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, Limited(t, "statistics.view").Do("GET", at, nil), http.StatusForbidden, "", "无操作权限")
		Refused(t, Visitor(t).Do("GET", at, nil), http.StatusUnauthorized, "", "")
		Refused(t, PhoneOf(t, NewMember(t, OrgA(t))).Do("GET", fileOf(Own("notebookEntry"), id, file), nil), http.StatusForbidden, "", "")
		// Nor does naming it in a record of one's own make it one's own.
		Refused(t, b.Do("POST", note, Form{"title": "借来", "noteDate": Day(0), "content": "<p>x</p>", "files": []Item{f}}), http.StatusBadRequest, "files", "附件不存在")
		Remove(t, a, "notebookEntry", id)
		Refused(t, a.Do("GET", at, nil), http.StatusNotFound, "", NothingThere)
	})
	t.Run("COMM-09 a file that no record names yet is its uploader's, if he may write such a record", func(t *testing.T) {
		a := AdminA(t)
		f := kept(t, upload(a, note, "files", "图.png", photo(t)))
		at := note + "/files/" + f["id"].(string)
		if got := a.Do("GET", at, nil); got.Status != http.StatusOK || got.Header.Get("Content-Type") != "image/png" {
			t.Fatalf("%d", got.Status)
		}
		Refused(t, AdminP(t).Do("GET", at, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, AdminP(t).Do("POST", note, Form{"title": "拿来", "noteDate": Day(0), "content": "<p>x</p>", "files": []Item{f}}), http.StatusBadRequest, "files", "附件不存在")
		Refused(t, a.Do("GET", Path("reward")+"/files/"+f["id"].(string), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, upload(Limited(t, "notebookEntry.view"), note, "files", "图.png", photo(t)), http.StatusForbidden, "", "无操作权限")
		Refused(t, upload(Visitor(t), note, "files", "图.png", photo(t)), http.StatusUnauthorized, "", "")
	})
	t.Run("COMM-09 SUGG-03 members bring pictures with their letters, seen by them and by their admins", func(t *testing.T) {
		phone, second := PhoneOf(t, NewMember(t, OrgA(t))), PhoneOf(t, NewMember(t, OrgA(t)))
		f := kept(t, upload(phone, letter, "images", "现场.png", photo(t)))
		waiting := letter + "/files/" + f["id"].(string)
		if got := phone.Do("GET", waiting, nil); !bytes.Equal(got.Body, photo(t)) {
			t.Fatalf("%d", got.Status)
		}
		Refused(t, second.Do("GET", waiting, nil), http.StatusNotFound, "", NothingThere)
		Refused(t, upload(phone, letter, "images", "文.pdf", []byte(pdf)), http.StatusBadRequest, "images", "不支持的文件格式")
		Refused(t, upload(phone, Own("memberShowcase"), "cover", "图.png", photo(t)), http.StatusForbidden, "", "")
		var l Item
		phone.Post(letter, Form{"title": "路灯", "content": "坏了", "images": []Item{f}}, &l)
		id, file := l["id"].(string), f["id"].(string)
		for who, at := range map[*bfftest.Browser]string{phone: fileOf(letter, id, file), AdminA(t): fileOf(Path("suggestion"), id, file)} {
			if got := who.Do("GET", at, nil); got.Status != http.StatusOK || !bytes.Equal(got.Body, photo(t)) {
				t.Errorf("%s: %d", at, got.Status)
			}
		}
		Refused(t, second.Do("GET", fileOf(letter, id, file), nil), http.StatusNotFound, "", NothingThere)
		Refused(t, AdminB(t).Do("GET", fileOf(Path("suggestion"), id, file), nil), http.StatusNotFound, "", NothingThere)
	})
}
