// Package relation is 组织关系 (manual 8): transfers in and out with their letters, and
// certificates. Who is on which roll is party's.
package relation

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/mongo"

	partysvc "zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/blob"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/records"
)

// Deps are what the service stands on.
type Deps struct {
	DB        *mongo.Database
	Redis     redis.UniversalClient
	Clock     *kit.Clock
	Blobs     blob.Store
	Seal      *model.Sealer
	Party     partysvc.Client
	FontPath  string // TrueType fonts of letters, comma separated, the first first
	PublicURL string // where QR codes lead
}

// Service implements idl/relation.thrift.
type Service struct {
	*records.Engine
	d     Deps
	party records.Party

	ins          *model.Collection[*model.TransferIn]
	outs         *model.Collection[*model.TransferOut]
	certificates *model.Collection[*model.Certificate]
}

// New opens the service and its indexes.
func New(d Deps) (*Service, error) {
	s := &Service{
		d: d, party: records.Party{Client: d.Party},
		ins:          model.NewCollection[*model.TransferIn](d.DB, "transferIns", d.Clock.Now),
		outs:         model.NewCollection[*model.TransferOut](d.DB, "transferOuts", d.Clock.Now),
		certificates: model.NewCollection[*model.Certificate](d.DB, "certificates", d.Clock.Now),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ins, outs, certificates := s.transferInType(), s.transferOutType(), s.certificateType()
	var err error
	refs := s.party.Refs()
	refs["branch"] = refs["organization"] // party says whether it is a branch
	refs["anyBranch"] = records.Ref{Labels: s.party.OrgNames, Check: s.somewhere}
	s.Engine, err = records.New(ctx, records.Config{DB: d.DB, Clock: d.Clock, Blobs: d.Blobs, Seal: d.Seal, Orgs: s.party, Refs: refs},
		ins, s.transferInApprovals(ins),
		outs, s.transferOutApprovals(outs),
		certificates, s.certificateApplications(certificates),
	)
	if err != nil {
		return nil, fmt.Errorf("relation: %w", err)
	}
	return s, nil
}

// somewhere refuses organisations that there are not; a transfer may lead to any.
func (s *Service) somewhere(ctx context.Context, ids []string) error {
	known, err := s.party.OrgNames(ctx, ids)
	if err == nil && len(known) < len(ids) {
		err = kit.ErrNotFound
	}
	return err
}

// states are those of a transfer, as chapter 8 calls them.
func states(more ...records.State) []records.State {
	return append([]records.State{
		{Value: model.ApprovalPending, Label: "待审批", Color: "warning"},
		{Value: model.ApprovalApproved, Label: "审批通过", Color: "success"},
		{Value: model.ApprovalRejected, Label: "审批未通过", Color: "danger"},
	}, more...)
}

// decided is the approval's page of a type whose records all wait to be decided on, whoever
// entered them: the second type over the same documents, as 审批事项 shows it (manual 17).
func decided[D model.Document](t *records.Type[D], approval *records.Approval[D], more ...records.State) *records.Type[D] {
	a := *t
	a.Name, a.Menu, a.Section = t.Name+"Application", "审批事项", "17."+t.Section
	a.NoCreate, a.NoUpdate, a.NoDelete, a.SharedIndexes = true, true, true, true
	a.Columns, a.Exports, a.Actions, a.Follow, a.Unique, a.Related = nil, nil, nil, nil, nil, nil
	a.Fields = append(append([]records.Field{}, t.Fields...), records.Field{Key: "createdAt", Label: "申请时间", Type: "datetime", List: true, ReadOnly: true},
		records.Field{Key: "channel", Label: "途径", Type: "enum", List: true, ReadOnly: true, Options: []records.Option{{Value: model.FromConsole, Label: "后台"}, {Value: model.FromMobile, Label: "手机"}}})
	for _, u := range t.Unique {
		u.Field, u.Message = "", "已有待审批的申请" // the phone's form has no such field
		a.Unique = append(a.Unique, u)
	}
	a.Own, a.Approval = nil, approval
	a.Life = &records.Life[D]{Field: "state", At: t.Life.At, States: append([]records.State{
		{Value: model.ApprovalPending, Label: "待审核", Color: "warning"},
		{Value: model.ApprovalApproved, Label: "审核通过", Color: "success"},
		{Value: model.ApprovalRejected, Label: "审核未通过", Color: "danger"},
	}, more...)}
	return &a
}
