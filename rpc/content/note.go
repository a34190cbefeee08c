package content

import (
	"context"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// noteType is 党建记事本 (spec/records.md 12, manual 5.10): an organisation's own notes.
func (s *Service) noteType() *records.Type[*model.NotebookEntry] {
	return &records.Type[*model.NotebookEntry]{
		Name: "notebookEntry", Title: "党建记事本", Menu: "组织管理", Icon: "notebook", Section: "5.10", Collection: s.notes,
		Fields:  []records.Field{orgOf("")},
		Exports: []string{"title", "noteDate", "content", "authorId", "orgId"},
		NameKey: "title",
		BeforeSave: func(ctx context.Context, old, n *model.NotebookEntry) error {
			if c := kit.CallerOf(ctx); old == nil {
				n.AuthorID, n.AuthorName = c.UserID, c.Name
			}
			return nil
		},
		Present: func(_ context.Context, docs []*model.NotebookEntry, rows []records.Row) error {
			for i, n := range docs {
				rows[i]["_labels"].(map[string]string)["authorId"] = n.AuthorName
			}
			return nil
		},
	}
}
