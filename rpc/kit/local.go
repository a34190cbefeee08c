package kit

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudwego/kitex/pkg/remote/codec/thrift"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"github.com/cloudwego/kitex/server"
)

// DefaultDeadline bounds a call that brings none of its own.
const DefaultDeadline = 10 * time.Second

// Local is a transport inside one process: the services' own handler with the same
// deadlines, rules and errors as over the wire, panics recovered, and no copying. It
// implements Kitex's client.Client.
type Local struct {
	methods map[string]offer
	// Codec passes every message through thrift, as between processes. Tests use it
	// to find aliasing and lost fields.
	Codec bool
}

// offer is a method and who runs it.
type offer struct {
	serviceinfo.MethodInfo
	handler any
}

// NewLocal takes what registers a service, or several beside each other, so that they can be
// called in process:
//
//	party := partysvc.Wrap(kit.NewLocal(func(s server.Server) error { return partysvc.RegisterService(s, impl) }))
func NewLocal(register func(server.Server) error) *Local {
	l := &Local{methods: map[string]offer{}}
	if err := register((*registrar)(l)); err != nil {
		panic(err) // two methods of one name: a programming mistake
	}
	return l
}

// registrar is a server.Server that only remembers what was registered.
type registrar Local

func (r *registrar) RegisterService(info *serviceinfo.ServiceInfo, handler any, _ ...server.RegisterOption) error {
	for name, m := range info.Methods {
		if _, taken := r.methods[name]; taken {
			return fmt.Errorf("%s.%s: another service beside it has the method", info.ServiceName, name)
		}
		r.methods[name] = offer{m, handler}
	}
	return nil
}
func (r *registrar) GetServiceInfos() map[string]*serviceinfo.ServiceInfo { return nil }
func (r *registrar) Run() error                                           { return nil }
func (r *registrar) Stop() error                                          { return nil }

// Call runs one method.
func (l *Local) Call(ctx context.Context, method string, request, response any) error {
	m, ok := l.methods[method]
	if !ok {
		return ErrInternal.Because(fmt.Errorf("there is no method %s", method))
	}
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultDeadline)
		defer cancel()
	}
	if err := permitMethod(ctx, m.MethodInfo); err != nil {
		return err
	}
	return Guard(method, func() error { return l.run(ctx, m, request, response) })
}

func (l *Local) run(ctx context.Context, m offer, request, response any) error {
	if !l.Codec {
		return m.Handler()(ctx, m.handler, request, response)
	}
	args, result := m.NewArgs(), m.NewResult()
	if err := recode(request, args); err != nil {
		return err
	}
	if err := m.Handler()(ctx, m.handler, args, result); err != nil {
		return FromError(toWire(err))
	}
	return recode(result, response)
}

var codec = thrift.NewThriftCodec()

// Marshal is a message of the IDL as bytes, for the wire or a cache.
func Marshal(message any) ([]byte, error) {
	b, err := thrift.MarshalThriftData(context.Background(), codec, message)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", message, err)
	}
	return b, nil
}

// Unmarshal is the opposite of Marshal.
func Unmarshal(b []byte, message any) error {
	if err := thrift.UnmarshalThriftData(context.Background(), codec, "", b, message); err != nil {
		return fmt.Errorf("decode %T: %w", message, err)
	}
	return nil
}

func recode(from, to any) error {
	b, err := Marshal(from)
	if err != nil {
		return err
	}
	return Unmarshal(b, to)
}
