package edge

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/cloudwego/hertz/pkg/app"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/records"
	"zhihuidangjian/rpc/kit"
)

// linkFor is how long an address of a file holds: WeChat on Android hands a document to
// the system's browser, which has no session, within seconds.
const linkFor = 5 * time.Minute

var errLink = &kit.Error{Code: 41000, Key: "link", Message: "该地址已失效，请回到微信重新打开附件"}

// link is an address that opens one file of one record, as one member. It travels sealed:
// nobody makes one or reads it.
type link struct {
	Purpose string     `json:"purpose"` // the seal closes other things too
	Type    string     `json:"type"`
	Record  string     `json:"record"`
	File    string     `json:"file"`
	Member  kit.Caller `json:"member"`
	Until   int64      `json:"until"` // Unix seconds
}

const linkPurpose = "file"

// linkFile makes the address of a file that the member may see.
func (e *Edge) linkFile(ctx context.Context, c *app.RequestContext) {
	req := records.AttachmentReq{Type: c.Param("type"), Id: c.Query("id"), FileId: c.Param("fileId"), Limit: 1}
	svc, err := e.services.Owner(ctx, req.Type)
	if err == nil {
		_, err = svc.Download(ctx, &req)
	}
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	l := link{linkPurpose, req.Type, req.Id, req.FileId, *kit.CallerOf(ctx), time.Now().Add(linkFor).Unix()}
	l.Member.Channel = kit.Link
	b, err := json.Marshal(l)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, map[string]string{"url": "/api/file?link=" + url.QueryEscape(e.seal.Seal(string(b), linkPurpose))})
}

// openLink hands out the file that an address was made for, in the name of whom it was
// made for; it is written down as his download.
func (e *Edge) openLink(ctx context.Context, c *app.RequestContext) {
	var l link
	plain, err := e.seal.Open(c.Query("link"), linkPurpose)
	if err == nil {
		err = json.Unmarshal([]byte(plain), &l)
	}
	if err != nil || l.Purpose != linkPurpose || time.Now().Unix() > l.Until {
		say(ctx, c, errLink.Because(err), "", "")
		return
	}
	by := *kit.CallerOf(ctx)
	l.Member.IP, l.Member.RequestID = by.IP, by.RequestID
	ctx = kit.WithCaller(ctx, l.Member)
	e.handOut(ctx, c, records.AttachmentReq{Type: l.Type, Id: l.Record, FileId: l.File})
	if failure := route.FailureOf(c); failure != nil {
		say(ctx, c, failure, "", "")
	}
}
