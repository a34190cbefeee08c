package notify

import (
	"context"

	partygen "zhihuidangjian/idl/gen/party"
	recordsgen "zhihuidangjian/idl/gen/records"
	"zhihuidangjian/model"
	"zhihuidangjian/rpc/kit"
)

// told tells bound members, by name or all of an organisation, what another service has to
// say to them. Who is not bound gets nothing (MENU-11).
func (s *Service) told(ctx context.Context, e *recordsgen.Event, p *model.Told) error {
	var list *partygen.Members
	var err error
	if p.OrgID != "" {
		list, err = s.d.Party.ListMembers(kit.AsSystem(ctx), &partygen.OrgReq{OrgId: p.OrgID})
	} else {
		list, err = s.d.Party.GetMembers(kit.AsSystem(ctx), &partygen.MembersReq{MemberIds: p.MemberIDs})
	}
	if err != nil {
		return err
	}
	var bound []string
	for _, m := range list.Members {
		if m.OpenId != "" || m.MiniOpenId != "" {
			bound = append(bound, m.Id)
		}
	}
	return s.queue(ctx, message{
		event: e.Id, at: e.At, kind: p.Kind, title: p.Title, content: p.Content,
		targetType: p.TargetType, targetID: p.TargetID, page: p.Page, fields: p.Fields,
	}, bound, []string{model.ChannelSite, model.ChannelWeChat})
}
