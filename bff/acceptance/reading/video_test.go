package reading

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	. "zhihuidangjian/bff/acceptance/world"
	"zhihuidangjian/bff/bfftest"
	"zhihuidangjian/rpc/film/filmtest"
)

// TestVideos: 视频列表 (manual 10.7.1).
func TestVideos(t *testing.T) {
	cat, other := Named(t, videoCategory, NewName("党课")), Named(t, videoCategory, NewName("纪录片"))
	a, b, p := AdminA(t), AdminB(t), AdminP(t)
	film := func(who *bfftest.Browser, name string, data []byte) []any {
		t.Helper()
		return []any{Uploaded(t, who, video, "video", bfftest.Upload{Name: name, Data: data})}
	}
	form := func(who *bfftest.Browser) Form { t.Helper(); return VideoForm(t, who, cat) }
	sound, broken := filmtest.Shortest(1000, 61500, "soun"), filmtest.Shortest(1000, 61500, "vide")
	noFilm := []Wrong{
		{"sound only", Form{"video": film(a, "录音.mp4", sound)}, "video", "不是可播放的MP4视频"},
		{"broken off", Form{"video": film(a, "断了.mp4", broken[:len(broken)-12])}, "video", "不是可播放的MP4视频"},
		{"a MOV", Form{"video": film(a, "手机.mov", append([]byte("\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "), broken[20:]...))}, "video", "不是可播放的MP4视频"},
	}
	t.Run("VIDE-01 the list: own subtree only, newest first, with how long each is; by title and category", func(t *testing.T) {
		first, second, theirs := Add(t, a, video, form(a)), Add(t, a, video, form(a)), IDOf(Add(t, b, video, form(b)))
		above := IDOf(Add(t, p, video, form(p)))
		if l := IDs(a.List(video, "size=100")); !slices.Equal(l[:2], []string{IDOf(second), IDOf(first)}) || slices.Contains(l, theirs) || slices.Contains(l, above) {
			t.Fatalf("%v", l)
		}
		if l := IDs(p.List(video, "size=100")); !slices.Contains(l, theirs) || !slices.Contains(l, IDOf(first)) {
			t.Fatalf("from above: %v", l)
		}
		Columns(t, a, RecordSpec{Type: video, Columns: []string{"title", "categoryId", "duration", "orgId", "publishedAt"}})
		of := "f.title=" + url.QueryEscape(first["title"].(string))
		for q, n := range map[string]int{of: 1, of + "&f.categoryId=" + cat: 1, of + "&f.categoryId=" + other: 0, "f.title=00000000": 0} {
			if l := a.List(video, q); l.Total != n {
				t.Errorf("%s: %d", q, l.Total)
			}
		}
		if first["duration"] != float64(62) {
			t.Errorf("62 seconds are %v", first["duration"])
		}
	})
	t.Run("VIDE-02 what is missing, is no film or is no MP4 is told at its field, and nothing is stored", func(t *testing.T) {
		f, total := form(a), a.List(video, "").Total
		for _, k := range []string{"title", "categoryId", "cover", "video"} {
			Refused(t, a.Do("POST", Path(video), f.With(Form{k: nil})), http.StatusBadRequest, k, "")
		}
		for _, w := range append(noFilm, Wrong{"a category that does not exist", Form{"categoryId": "nothing"}, "categoryId", ""}) {
			t.Log(w.Why)
			Refused(t, a.Do("POST", Path(video), f.With(w.Change)), http.StatusBadRequest, w.Field, w.Text)
		}
		Refused(t, a.Do("POST", Path(video)+"/upload?field=video", &bfftest.Upload{Name: "文档.mp4", Data: []byte("%PDF-1.4")}), http.StatusBadRequest, "video", "")
		Refused(t, a.Do("POST", Path(video)+"/upload?field=video", &bfftest.Upload{Name: "太大.mp4", Data: append(broken, make([]byte, 50<<20)...)}), http.StatusRequestEntityTooLarge, "", "过大")
		if n := a.List(video, "").Total; n != total {
			t.Fatalf("%d, want %d", n, total)
		}
		got := Add(t, a, video, f)
		Same(t, got, Form{"title": f["title"], "categoryId": cat, "description": "简介"})
		if l := a.List(video, "size=1"); l.Total != total+1 || IDs(l)[0] != IDOf(got) {
			t.Fatalf("%v", l)
		}
	})
	t.Run("VIDE-03 VIDE-04 VIDE-06 VIDE-07 the phone shows what its member may see, and streams it by ranges; what is changed shows, what is deleted is gone", func(t *testing.T) {
		phone := PhoneOf(t, NewMember(t, OrgA(t)))
		mine, theirs, above := Add(t, a, video, form(a)), IDOf(Add(t, b, video, form(b))), IDOf(Add(t, p, video, form(p)))
		if l := Mine(t, phone, video); !slices.Contains(l, IDOf(mine)) || !slices.Contains(l, above) || slices.Contains(l, theirs) {
			t.Fatalf("%v", l)
		}
		var seen Item
		phone.Get(Own(video)+"/"+IDOf(mine), &seen)
		at := func(r Item) string {
			return Own(video) + "/files/" + r["video"].([]any)[0].(map[string]any)["id"].(string) + "?id=" + IDOf(r)
		}
		if got := phone.Do("GET", at(seen), nil); got.Status != http.StatusOK || string(got.Body) != string(broken) || got.Header.Get("Accept-Ranges") != "bytes" {
			t.Fatalf("%d, %d bytes", got.Status, len(got.Body))
		}
		Refused(t, PhoneOf(t, NewMember(t, OrgB(t))).Do("GET", at(seen), nil), http.StatusNotFound, "", "")
		changed := Form{"title": NewName("改"), "categoryId": other, "cover": mine["cover"], "description": "", "version": mine["version"], "video": film(a, "新.mp4", filmtest.Shortest(600, 6000, "vide"))}
		for _, w := range noFilm {
			Refused(t, a.Do("PUT", Path(video)+"/"+IDOf(mine), changed.With(w.Change)), http.StatusBadRequest, w.Field, w.Text)
		}
		a.Do("PUT", Path(video)+"/"+IDOf(mine), changed).Into(t, &Item{})
		phone.Get(Own(video)+"/"+IDOf(mine), &seen)
		if seen["duration"] != float64(10) || seen["title"] != changed["title"] {
			t.Fatalf("%v", seen)
		}
		Remove(t, a, video, IDOf(mine))
		Refused(t, phone.Do("GET", Own(video)+"/"+IDOf(mine), nil), http.StatusNotFound, "", "")
		Refused(t, phone.Do("GET", at(seen), nil), http.StatusNotFound, "", "")
		Refused(t, a.Do("POST", Path(video)+"/delete", Form{"ids": []string{IDOf(mine)}}), http.StatusNotFound, "", "数据不存在")
	})
	t.Run("VIDE-05 VIDE-08 out of scope or deleted it shows nothing; the ticked ones are deleted, and no other", func(t *testing.T) {
		var ids []string
		for range 3 {
			ids = append(ids, IDOf(Add(t, a, video, form(a))))
		}
		var seen Item
		a.Get(Path(video)+"/"+ids[0], &seen)
		for _, k := range []string{"title", "categoryId", "cover", "video", "orgId", "publishedAt"} {
			if seen[k] == nil {
				t.Errorf("%s is not shown", k)
			}
		}
		Refused(t, b.Do("GET", Path(video)+"/"+ids[0], nil), http.StatusNotFound, "", NothingThere)
		Refused(t, b.Do("POST", Path(video)+"/delete", Form{"ids": ids[:1]}), http.StatusNotFound, "", NothingThere)
		Refused(t, a.Do("POST", Path(video)+"/delete", Form{"ids": []string{}}), http.StatusBadRequest, "", "请选择要删除的数据")
		a.Post(Path(video)+"/delete", Form{"ids": ids[:2]}, &struct{}{})
		if l := IDs(a.List(video, "size=100")); slices.Contains(l, ids[0]) || slices.Contains(l, ids[1]) || !slices.Contains(l, ids[2]) {
			t.Fatalf("%v", l)
		}
		Refused(t, a.Do("GET", Path(video)+"/"+ids[0], nil), http.StatusNotFound, "", NothingThere)
	})
}
