package model

import "time"

// File is one file that a record names. Its contents lie in the blob store under ID, as long
// as the record that it was uploaded for names it.
type File struct {
	ID          string `bson:"id" json:"id"`
	Name        string `bson:"name" json:"name"`
	Size        int64  `bson:"size" json:"size"`
	ContentType string `bson:"contentType" json:"contentType"`
	// UploadedBy is the name of who brought it.
	UploadedBy string    `bson:"uploadedBy" json:"uploadedBy"`
	UploadedAt time.Time `bson:"uploadedAt" json:"uploadedAt"`
}
