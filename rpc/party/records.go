package party

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"zhihuidangjian/rpc/records"
)

// newEngine declares the record types of the service.
func (s *Service) newEngine() (*records.Engine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return records.New(ctx, records.Config{
		DB: s.d.DB, Clock: s.d.Clock, Orgs: s, Seal: s.d.Seal,
		Refs: map[string]records.Ref{
			"organization": {Labels: s.orgLabels, Check: s.checkOrgs, Find: s.findOrg(nil), Options: s.orgOptions(nil)},
			"branch":       {Labels: s.orgLabels, Check: s.checkOrgs, Find: s.findOrg(home), Options: s.orgOptions(home)},
		},
	}, s.organizationType(), s.memberType(), s.bindingType())
}

var active = bson.D{{Key: "status", Value: "active"}}
