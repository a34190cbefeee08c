package learning

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/film"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// videoType is 视频 (spec/records.md 51, manual 10.7.1): an MP4 that browsers play, with a cover. On the phone it
// stands beside the knowledge base.
func (s *Service) videoType(party records.Party) *records.Type[*model.Article] {
	t := s.articleType("video", "视频", "10.7.1", s.videos, party)
	t.Icon, t.Own.Place.Title, t.Own.Place.Icon, t.Own.Place.Order = "video", "知识库", "knowledge", 1
	t.Only = []string{"title", "categoryId", "orgId", "cover", "video", "duration", "description", "publishedAt"}
	t.Fields = append(t.Fields, records.Field{Key: "cover", Label: "封面", Type: "image", Required: true, Form: true})
	t.Own.Fields = []string{"title", "categoryId", "orgId", "publishedAt", "duration", "cover", "video", "description"}
	t.Also = onPhones(party)
	save := t.BeforeSave
	t.BeforeSave = func(ctx context.Context, old, a *model.Article) error {
		if old == nil || len(a.Video) != 1 || len(old.Video) != 1 || old.Video[0].ID != a.Video[0].ID {
			if err := s.watch(ctx, a); err != nil {
				return err
			}
		}
		return save(ctx, old, a)
	}
	return t
}

// watch finds how long a new film is, and refuses what no browser plays.
func (s *Service) watch(ctx context.Context, a *model.Article) error {
	refused := kit.InvalidFields(map[string]string{"video": "不是可播放的MP4视频，请转换后重新上传"})
	if len(a.Video) != 1 || a.Video[0].ContentType != "video/mp4" {
		return refused
	}
	data, err := s.Contents(ctx, a.Video[0].ID)
	if err != nil {
		return err
	}
	var ok bool
	if a.Duration, ok = film.Seconds(data); !ok {
		return refused
	}
	return nil
}
