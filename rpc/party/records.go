package party

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/model"
	"zhihuidangjian/rpc/records"
)

// newEngine declares the record types of the service.
func (s *Service) newEngine() (*records.Engine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return records.New(ctx, records.Config{
		DB: s.d.DB, Clock: s.d.Clock, Orgs: s, Seal: s.d.Seal, Blobs: s.d.Blobs,
		Refs: map[string]records.Ref{
			"organization": {Labels: s.orgLabels, Check: s.checkOrgs, Find: s.findOrg(nil), Options: s.orgOptions(nil)},
			"branch":       {Labels: s.orgLabels, Check: s.checkOrgs, Find: s.findOrg(home), Options: s.orgOptions(home)},
		},
	},
		s.organizationType(),
		s.unitType(),
		s.transferType(),
		s.memberType(),
		s.bindingType(),
		s.profileChangeType(),
		s.contactType(),
		s.guestType("partTimeMember", "兼职", "partTime", "6.9", s.guests[0]),
		s.guestType("reportInMember", "报到", "reportIn", "6.10", s.guests[1]),
		s.organizationLedgerType(),
		s.memberLedgerType(),
	)
}

var active = bson.D{{Key: "status", Value: "active"}}

// ofParty finds those who count as members of the party.
var ofParty = bson.E{Key: "memberType", Value: bson.D{{Key: "$in", Value: model.PartyMemberTypes}}}
