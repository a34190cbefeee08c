package kit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/endpoint"
	"github.com/cloudwego/kitex/pkg/kerrors"
	"github.com/cloudwego/kitex/pkg/remote"
	rtransmeta "github.com/cloudwego/kitex/pkg/remote/transmeta"
	"github.com/cloudwego/kitex/pkg/retry"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/serviceinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"
	"github.com/cloudwego/kitex/transport"

	"zhihuidangjian/idl/call"
)

// serviceName is what one service is called in etcd.
func serviceName(name string) string { return "zhihuidangjian." + name }

// ServerOptions make a Kitex server that any number of services can be registered on:
// identity and deadlines come with the call, errors leave with code and message. Calls of
// others than peers are refused, and those of callers whom the method does not name.
func ServerOptions(addr, name string, etcdAddrs []string, peers *Peers) ([]server.Option, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("RPC_ADDR: %w", err)
	}
	opts := []server.Option{
		server.WithServiceAddr(a),
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: serviceName(name)}),
		server.WithMetaHandler(transmeta.ServerTTHeaderHandler), server.WithMetaHandler(transmeta.MetainfoServerHandler),
		server.WithEnableContextTimeout(true), server.WithExitWaitTime(5 * time.Second),
		server.WithMiddleware(receiveCaller(peers)), server.WithMiddleware(answerErrors), server.WithMiddleware(permitCaller),
	}
	if len(etcdAddrs) > 0 {
		r, err := newRegistry(etcdAddrs)
		if err != nil {
			return nil, err
		}
		opts = append(opts, server.WithRegistry(r))
	}
	return opts, nil
}

// What stands beside a call between processes: the caller, and who vouches for it.
const callerKey, signatureKey = "CALLER", "CALLER_SIGNATURE"

// sendCaller signs each sending of a call by itself, so that one that is sent again on
// another connection is not taken for a copy.
func sendCaller(peers *Peers) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req, resp any) error {
			b, err := json.Marshal(CallerOf(ctx))
			if err != nil {
				return fmt.Errorf("caller: %w", err)
			}
			caller := string(b)
			ctx = metainfo.WithValues(ctx, callerKey, caller, signatureKey, peers.sign(methodOf(ctx), caller, time.Now()))
			return next(ctx, req, resp)
		}
	}
}

// receiveCaller believes the caller of a call that a peer has signed, and refuses every
// other call before anything reads it.
func receiveCaller(peers *Peers) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req, resp any) error {
			caller, _ := metainfo.GetValue(ctx, callerKey)
			signature, _ := metainfo.GetValue(ctx, signatureKey)
			if err := peers.check(methodOf(ctx), caller, signature, time.Now()); err != nil {
				slog.Warn("call refused", "method", methodOf(ctx), "from", rpcinfo.GetRPCInfo(ctx).From().Address(), "cause", err)
				return errPeer
			}
			var c Caller
			if err := json.Unmarshal([]byte(caller), &c); err != nil {
				return fmt.Errorf("caller: %w", err)
			}
			return next(WithCaller(ctx, c), req, resp)
		}
	}
}

// answerErrors turns every error into a code and a message for people; what is internal
// is logged here with its cause.
func answerErrors(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req, resp any) error {
		err := next(ctx, req, resp)
		if err == nil {
			return nil
		}
		e := FromError(err)
		if e.Code >= 50000 {
			slog.Error("call failed", "requestId", CallerOf(ctx).RequestID, "method", methodOf(ctx), "cause", err)
		}
		wire, _ := kerrors.FromBizStatusError(toWire(e))
		rpcinfo.GetRPCInfo(ctx).Invocation().(rpcinfo.InvocationSetter).SetBizStatusErr(wire)
		return nil
	}
}

// methodOf is whom a call is for, its service and its method, as both ends know them: several
// offer the service Records.
func methodOf(ctx context.Context) string {
	ri := rpcinfo.GetRPCInfo(ctx)
	if ri == nil {
		return ""
	}
	return ri.To().ServiceName() + " " + ri.Invocation().ServiceName() + "." + ri.Invocation().MethodName()
}

// ClientOptions find a service through etcd, and sign calls as one of peers. Calls are
// retried on another instance when no connection could be had, and after a broken one when
// the method is idempotent.
func ClientOptions(etcdAddrs []string, peers *Peers) ([]client.Option, error) {
	again := retry.NewFailurePolicyWithResultRetry(&retry.ShouldResultRetry{
		NotRetryForTimeout: true,
		ErrorRetryWithCtx: func(_ context.Context, err error, ri rpcinfo.RPCInfo) bool {
			if errors.Is(err, kerrors.ErrGetConnection) || errors.Is(err, kerrors.ErrCircuitBreak) {
				return true
			}
			return errors.Is(err, kerrors.ErrRemoteOrNetwork) && idempotent(ri)
		},
	})
	again.StopPolicy.MaxRetryTimes = 3
	opts := []client.Option{
		client.WithTransportProtocol(transport.TTHeader),
		client.WithLongConnection(connpool.IdleConfig{MaxIdlePerAddress: 64, MaxIdleGlobal: 512, MaxIdleTimeout: time.Minute, MinIdlePerAddress: 1}),
		client.WithMetaHandler(transmeta.ClientTTHeaderHandler), client.WithMetaHandler(transmeta.MetainfoClientHandler),
		client.WithMetaHandler(remainingTime{}),
		client.WithRPCTimeout(time.Minute), client.WithConnectTimeout(500 * time.Millisecond),
		client.WithFailureRetry(again), client.WithMiddleware(sendCaller(peers)),
	}
	if len(etcdAddrs) > 0 {
		r, err := newResolver(etcdAddrs)
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithResolver(r))
	}
	return opts, nil
}

// Dial is the way to a service that other processes offer under a name. The process that is
// called under it may offer several services.
func Dial(name string, service *serviceinfo.ServiceInfo, opts ...client.Option) (client.Client, error) {
	return client.NewClient(service, append([]client.Option{client.WithDestService(serviceName(name))}, opts...)...)
}

// idempotent tells whether the IDL lets a method be sent again after a broken connection.
func idempotent(ri rpcinfo.RPCInfo) bool {
	m, ok := ri.Invocation().MethodInfo().(call.Info)
	return ok && m.Rule().Idempotent
}

// remainingTime sends how long the caller will still wait, so that a service gives up
// when nobody listens any more.
type remainingTime struct{}

func (remainingTime) WriteMeta(ctx context.Context, msg remote.Message) (context.Context, error) {
	if deadline, ok := ctx.Deadline(); ok {
		left := max(time.Until(deadline).Milliseconds(), 1)
		msg.TransInfo().PutTransIntInfo(map[uint16]string{rtransmeta.RPCTimeout: strconv.FormatInt(left, 10)})
	}
	return ctx, nil
}

func (remainingTime) ReadMeta(ctx context.Context, _ remote.Message) (context.Context, error) {
	return ctx, nil
}
