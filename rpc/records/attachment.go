package records

import (
	"context"

	gen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// Upload keeps a file until a record that has a field for it is saved with it.
func (e *Engine) Upload(ctx context.Context, req *gen.UploadReq) (*gen.Attachment, error) {
	return nil, kit.ErrNotFound
}

// Download hands out a file to those who may see its record.
func (e *Engine) Download(ctx context.Context, req *gen.AttachmentReq) (*gen.File, error) {
	return nil, kit.ErrNotFound
}
