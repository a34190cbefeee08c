package party

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

// organizationLedgerType is 工作台账→党组织 (manual 15.1): the organisations to read, and
// below each what it did in a year.
func (s *Service) organizationLedgerType() *records.Type[*model.Organization] {
	return &records.Type[*model.Organization]{
		Name: "organizationLedger", Title: "党组织台账", Menu: "工作台账", Icon: "files", Section: "15.1", Collection: s.orgs, SharedIndexes: true,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields:  []records.Field{{Key: "memberCount", Label: "党员数", Type: "int", List: true, Virtual: true}},
		NameKey: "orgName",
		Related: []records.Related{
			{Type: "leadershipMember", Field: "orgId", Title: "领导班子"},
			{Type: "meeting", Title: "会议", Year: "startAt"},
			{Type: "duesOrder", Title: "党费", Year: "paidAt"},
			{Type: "developmentCase", Title: "发展党员", Year: "startedOn"},
			{Type: "reward", Title: "奖励", Year: "rewardedOn"},
			{Type: "sanction", Title: "处分", Year: "sanctionedOn"},
		},
		Present: s.presentOrgs,
	}
}

// memberLedgerType is 工作台账→党员 (manual 15.2).
func (s *Service) memberLedgerType() *records.Type[*model.Member] {
	return &records.Type[*model.Member]{
		Name: "memberLedger", Title: "党员台账", Menu: "工作台账", Icon: "collection", Section: "15.2", Collection: s.members, SharedIndexes: true,
		NoCreate: true, NoUpdate: true, NoDelete: true,
		Fields: []records.Field{
			{Key: "orgId", Label: "所在支部", Type: "ref", Ref: "organization", Resolver: "branch", List: true, After: "name", Width: 180},
		},
		NameKey: "name",
		Where:   func(context.Context, map[string]string) bson.D { return active },
		Filter:  memberFilter, Present: s.presentMembers,
		Related: []records.Related{
			{Type: "duesOrder", Field: "memberId", Title: "党费", Year: "paidAt"},
			{Type: "meeting", Field: "participantIds", Title: "会议", Year: "startAt"},
			{Type: "reward", Field: "memberId", Title: "奖励", Year: "rewardedOn"},
			{Type: "sanction", Field: "memberId", Title: "处分", Year: "sanctionedOn"},
			{Type: "points", Field: "subjectId", Title: "积分", Year: "earnedAt"},
			{Type: "specialty", Field: "memberId", Title: "特长"},
		},
	}
}
