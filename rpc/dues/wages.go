package dues

import (
	"context"

	"zhihuidangjian/model"
)

// sealed keeps the wages in a document sealed when it is written again.
func sealed[D model.Document](s *Service) func(context.Context, D) (func(), error) {
	return func(_ context.Context, doc D) (func(), error) {
		s.d.Seal.Close(doc)
		return func() {}, nil
	}
}
