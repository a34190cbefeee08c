// Package clients holds one typed client for each domain service, whatever carries the
// calls: the same process, or Kitex and etcd.
package clients

import (
	"zhihuidangjian/idl/gen/account/account"
	"zhihuidangjian/idl/gen/dues/dues"
	"zhihuidangjian/idl/gen/meeting/meeting"
	"zhihuidangjian/idl/gen/notify/notify"
	"zhihuidangjian/idl/gen/party/party"
	"zhihuidangjian/idl/gen/points/points"
)

// Clients are the services the BFF and the workers call.
type Clients struct {
	Account account.Client
	Party   party.Client
	Dues    dues.Client
	Meeting meeting.Client
	Points  points.Client
	Notify  notify.Client
}
