package kit

import (
	"context"

	"github.com/cloudwego/kitex/client"
)

// Late is a transport that is known only after its clients were handed out: services of
// one process call each other in a circle (party sends SMS by notify, notify asks party
// for addresses). Set Client before the first call.
type Late struct{ Client client.Client }

// Call passes the call on.
func (l *Late) Call(ctx context.Context, method string, request, response any) error {
	return l.Client.Call(ctx, method, request, response)
}
