package edge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/consts"

	"zhihuidangjian/bff/route"
	"zhihuidangjian/idl/gen/learning"
	"zhihuidangjian/idl/gen/records"
	recordsvc "zhihuidangjian/idl/gen/records/records"
	"zhihuidangjian/rpc/kit"
	engine "zhihuidangjian/rpc/records"
)

// importMost bounds an uploaded workbook.
const importMost = 10 << 20

// bodyMost bounds the body of whatever is not an upload, wrapping what a multipart body
// has around its file.
const bodyMost, wrapping = 1 << 20, 64 << 10

// limitBody reads the body, up to what its route may have; an upload is not read before it is
// known whose it is. A chunked one does not tell its length before.
func (e *Edge) limitBody(ctx context.Context, c *app.RequestContext) {
	most := bodyMost
	file, own := e.files[c.FullPath()]
	if own {
		most = file + wrapping
	}
	switch {
	case c.Request.Header.ContentLength() > most, !c.Request.IsBodyStream() && len(c.Request.Body()) > most:
		route.Fail(ctx, c, kit.ErrTooLarge)
		return
	case c.Request.IsBodyStream() && !own:
		body, err := readBody(c, most)
		if err != nil {
			route.Fail(ctx, c, err)
			return
		}
		c.Request.SetBody(body)
	}
	c.Next(ctx)
}

// readBody reads at most so many bytes, and no more than the length that was told.
func readBody(c *app.RequestContext, most int) ([]byte, error) {
	body, err := io.ReadAll(&io.LimitedReader{R: bodyOf(c), N: int64(most) + 1})
	if errors.Is(err, errSlow) {
		c.SetConnectionClose()
		return nil, errSlow
	}
	if err != nil {
		c.SetConnectionClose()
		return nil, kit.ErrInvalid.Because(err)
	}
	if len(body) > most {
		c.SetConnectionClose() // the rest of it is not worth waiting for
		return nil, kit.ErrTooLarge
	}
	return body, nil
}

func bodyOf(c *app.RequestContext) io.Reader {
	if !c.Request.IsBodyStream() {
		return bytes.NewReader(c.Request.Body()) // read already
	}
	r := c.Request.BodyStream()
	if n := c.Request.Header.ContentLength(); n >= 0 {
		r = io.LimitReader(r, int64(n))
	}
	conn := c.GetConn()
	if conn == nil {
		return r // a test without a wire
	}
	return &hurry{r: r, conn: conn, until: time.Now().Add(bodyGrace)}
}

// A body has some time and comes at a least pace from then on, that of a poor phone: nobody
// holds a place by saying nothing.
const (
	bodyGrace = 15 * time.Second
	bodyPace  = 32 << 10 // bytes a second
)

var errSlow = &kit.Error{Code: 40800, Key: "upload.slow", Message: "网络过慢，上传未能完成，请稍后重试"}

// hurry reads what comes fast enough.
type hurry struct {
	r     io.Reader
	conn  interface{ SetReadTimeout(time.Duration) error }
	until time.Time // when all that was read so far is used up
}

func (h *hurry) Read(b []byte) (int, error) {
	left := time.Until(h.until)
	if left <= 0 {
		return 0, errSlow
	}
	if err := h.conn.SetReadTimeout(left); err != nil {
		return 0, err
	}
	n, err := h.r.Read(b)
	h.until = h.until.Add(time.Duration(n) * time.Second / bodyPace)
	if err != nil && !errors.Is(err, io.EOF) && time.Until(h.until) <= 0 {
		err = errSlow
	}
	return n, err
}

// uploadsAtOnce bounds the memory that uploads take together, and how many of those slots
// one person may hold.
const uploadsAtOnce, uploadsEach = 6, 2

// slots are the uploads that are being read.
type slots struct {
	mu    sync.Mutex
	total int
	by    map[string]int
}

func (s *slots) take(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= uploadsAtOnce || s.by[who] >= uploadsEach {
		return false
	}
	s.total++
	s.by[who]++
	return true
}

func (s *slots) give(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.by[who]--; s.by[who] == 0 {
		delete(s.by, who)
	}
}

var (
	errBusy   = &kit.Error{Code: 42902, Key: "upload.busy", Message: "同时上传的文件较多，请稍后再试", Wait: 3 * time.Second}
	errNoFile = kit.InvalidFields(map[string]string{"file": "请选择文件"})
)

// file reads the file of a multipart body, one of few at a time, and hands it to use. First
// use is asked with nothing whether the caller may: who may not takes no place.
func (e *Edge) file(ctx context.Context, c *app.RequestContext, most int, use func(name string, data []byte) error) error {
	if err := use("", nil); !errors.Is(kit.FromError(err), engine.ErrNoContents) {
		c.SetConnectionClose() // the body is not worth reading
		return err
	}
	caller := kit.CallerOf(ctx)
	who := string(caller.Kind) + caller.UserID + caller.MemberID
	if !e.uploads.take(who) {
		return errBusy
	}
	defer e.uploads.give(who)
	boundary := string(c.Request.Header.MultipartFormBoundary())
	if boundary == "" {
		return errNoFile
	}
	body := &io.LimitedReader{R: bodyOf(c), N: int64(most) + wrapping + 1}
	for parts := multipart.NewReader(body, boundary); ; {
		p, err := parts.NextPart()
		if err != nil {
			switch {
			case body.N <= 0:
				return kit.ErrTooLarge
			case errors.Is(err, errSlow):
				c.SetConnectionClose()
				return errSlow
			}
			return errNoFile.Because(err)
		}
		if p.FormName() != "file" || p.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(p, int64(most)+1))
		switch {
		case len(data) > most, body.N <= 0:
			return kit.ErrTooLarge
		case errors.Is(err, errSlow):
			c.SetConnectionClose()
			return errSlow
		case err != nil:
			return kit.ErrInvalid.Because(err)
		}
		return use(p.FileName(), data)
	}
}

// fresh is the request with a deadline that begins now: for what follows or outlasts a
// slow wire.
func fresh(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// startImport takes a workbook and starts its import; with ?preview=true it waits until what
// was understood is confirmed.
func (e *Edge) startImport(ctx context.Context, c *app.RequestContext) {
	var batch *records.ImportBatch
	svc, err := e.services.Owner(ctx, c.Param("type"))
	if err == nil {
		err = e.file(ctx, c, importMost, func(name string, data []byte) (err error) {
			ctx, cancel := fresh(ctx)
			defer cancel()
			batch, err = svc.StartImport(ctx, &records.ImportReq{Type: c.Param("type"), FileName: name, Data: data, OrgId: c.Query("orgId"), Preview: c.Query("preview") == "true"})
			return err
		})
	}
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, batch)
}

// upload takes a file for a field of a record that is yet to be saved.
func (e *Edge) upload(ctx context.Context, c *app.RequestContext) {
	var kept *records.Attachment
	svc, err := e.services.Owner(ctx, c.Param("type"))
	if err == nil {
		err = e.file(ctx, c, engine.MostUpload, func(name string, data []byte) (err error) {
			ctx, cancel := fresh(ctx) // reading it took its time
			defer cancel()
			kept, err = svc.Upload(ctx, &records.UploadReq{Type: c.Param("type"), Field: c.Query("field"), FileName: name, Data: data})
			return err
		})
	}
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	route.Answer(ctx, c, kept)
}

// attachment hands out a file part by part, so that a film takes no more memory than a
// letter. Browsers show pictures, films and PDF; everything else is saved.
func (e *Edge) attachment(ctx context.Context, c *app.RequestContext) {
	e.handOut(ctx, c, records.AttachmentReq{Type: c.Param("type"), Id: c.Query("id"), FileId: c.Param("fileId")})
}

// portalFile hands out a file that the portal shows to everybody.
func (e *Edge) portalFile(ctx context.Context, c *app.RequestContext) {
	req := records.AttachmentReq{Type: c.Param("type"), Id: c.Query("id"), FileId: c.Param("fileId")}
	if _, err := e.services.Learning.FindPortalFile(ctx, &learning.PortalFileReq{Type: req.Type, Id: req.Id, FileId: req.FileId}); err != nil {
		route.Fail(ctx, c, err)
		return
	}
	e.handOut(kit.AsSystem(ctx), c, req)
}

func (e *Edge) handOut(ctx context.Context, c *app.RequestContext, req records.AttachmentReq) {
	svc, err := e.services.Owner(ctx, req.Type)
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	from, to, ranged := byteRange(string(c.GetHeader("Range")))
	req.Offset = from
	first, err := svc.Download(ctx, &req)
	if ranged && errors.Is(kit.FromError(err), kit.ErrInvalid) {
		c.Status(consts.StatusRequestedRangeNotSatisfiable)
		return
	}
	if err != nil {
		route.Fail(ctx, c, err)
		return
	}
	if to < 0 || to >= first.Size {
		to = first.Size - 1
	}
	length := to - from + 1
	h := &c.Response.Header
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", "private, max-age=3600, immutable") // a file never changes under its id
	disposition, policy := "attachment", "default-src 'none'; sandbox"
	switch {
	case first.ContentType == "application/pdf":
		disposition, policy = "inline", "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'" // a sandbox keeps browsers from showing PDF
	case strings.HasPrefix(first.ContentType, "image/"), strings.HasPrefix(first.ContentType, "video/"):
		disposition = "inline"
		policy += "; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
	}
	if c.Query("download") != "" {
		disposition = "attachment"
	}
	h.Set("Content-Security-Policy", policy+"; frame-ancestors 'self'")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Disposition", route.Disposition(disposition, first.Name))
	h.SetContentType(first.ContentType)
	c.Status(consts.StatusOK)
	if ranged {
		c.Status(consts.StatusPartialContent)
		h.Set("Content-Range", "bytes "+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(to, 10)+"/"+strconv.FormatInt(first.Size, 10))
	}
	if int64(len(first.Data)) >= length {
		c.Response.SetBody(first.Data[:length])
		return
	}
	c.Response.SetBodyStream(&parts{ctx: ctx, svc: svc, req: req, data: first.Data, left: length}, int(length))
}

// parts reads the rest of a file as it is asked for.
type parts struct {
	ctx  context.Context // ctx: io.Reader has no room for one; it is the request's.
	svc  recordsvc.Client
	req  records.AttachmentReq
	data []byte // read and not handed on
	left int64  // not handed on, data included
}

func (p *parts) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, io.EOF
	}
	if len(p.data) == 0 {
		ctx, cancel := fresh(p.ctx)
		f, err := p.svc.Download(ctx, &p.req)
		cancel()
		if err != nil {
			return 0, err
		}
		p.data = f.Data
	}
	n := copy(b, p.data[:min(int64(len(p.data)), p.left)])
	p.data, p.left = p.data[n:], p.left-int64(n)
	p.req.Offset += int64(n)
	return n, nil
}

// byteRange reads "bytes=from-to"; to is -1 for the end. Other forms are answered whole.
func byteRange(header string) (from, to int64, ok bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	if !ok {
		return 0, -1, false
	}
	a, b, ok := strings.Cut(spec, "-")
	from, err := strconv.ParseInt(a, 10, 64)
	if !ok || err != nil || from < 0 {
		return 0, -1, false
	}
	if b == "" {
		return from, -1, true
	}
	to, err = strconv.ParseInt(b, 10, 64)
	if err != nil || to < from {
		return 0, -1, false
	}
	return from, to, true
}
