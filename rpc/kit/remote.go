package kit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
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
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"
	"github.com/cloudwego/kitex/transport"
	etcd "github.com/kitex-contrib/registry-etcd"
)

// serviceName is what one service is called in etcd.
func serviceName(name string) string { return "zhihuidangjian." + name }

// ServerOptions make a Kitex server that any number of services can be registered on:
// identity and deadlines come with the call, errors leave with code and message.
func ServerOptions(addr, name string, etcdAddrs []string) ([]server.Option, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("RPC_ADDR: %w", err)
	}
	opts := []server.Option{
		server.WithServiceAddr(a),
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: serviceName(name)}),
		server.WithMetaHandler(transmeta.ServerTTHeaderHandler), server.WithMetaHandler(transmeta.MetainfoServerHandler),
		server.WithEnableContextTimeout(true), server.WithExitWaitTime(5 * time.Second),
		server.WithMiddleware(receiveCaller), server.WithMiddleware(answerErrors),
	}
	if len(etcdAddrs) > 0 {
		r, err := etcd.NewEtcdRegistry(etcdAddrs)
		if err != nil {
			return nil, fmt.Errorf("etcd: %w", err)
		}
		opts = append(opts, server.WithRegistry(r))
	}
	return opts, nil
}

// callerKey names the caller beside a call between processes.
const callerKey = "CALLER"

func sendCaller(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req, resp any) error {
		b, err := json.Marshal(CallerOf(ctx))
		if err != nil {
			return fmt.Errorf("caller: %w", err)
		}
		return next(metainfo.WithValue(ctx, callerKey, string(b)), req, resp)
	}
}

func receiveCaller(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req, resp any) error {
		var c Caller
		if s, ok := metainfo.GetValue(ctx, callerKey); ok {
			if err := json.Unmarshal([]byte(s), &c); err != nil {
				c = Caller{} // a visitor
			}
		}
		return next(WithCaller(ctx, c), req, resp)
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

func methodOf(ctx context.Context) string {
	if ri := rpcinfo.GetRPCInfo(ctx); ri != nil {
		return ri.Invocation().MethodName()
	}
	return ""
}

// ClientOptions find a service through etcd. Calls are retried on another instance when
// no connection could be had, and after a broken one when the method is idempotent.
func ClientOptions(etcdAddrs []string, idempotent func(method string) bool) ([]client.Option, error) {
	r, err := etcd.NewEtcdResolver(etcdAddrs)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	again := retry.NewFailurePolicyWithResultRetry(&retry.ShouldResultRetry{
		NotRetryForTimeout: true,
		ErrorRetryWithCtx: func(_ context.Context, err error, ri rpcinfo.RPCInfo) bool {
			if errors.Is(err, kerrors.ErrGetConnection) || errors.Is(err, kerrors.ErrCircuitBreak) {
				return true
			}
			return errors.Is(err, kerrors.ErrRemoteOrNetwork) && idempotent(ri.Invocation().MethodName())
		},
	})
	again.StopPolicy.MaxRetryTimes = 3
	return []client.Option{
		client.WithResolver(r), client.WithTransportProtocol(transport.TTHeader),
		client.WithLongConnection(connpool.IdleConfig{MaxIdlePerAddress: 64, MaxIdleGlobal: 512, MaxIdleTimeout: time.Minute, MinIdlePerAddress: 1}),
		client.WithMetaHandler(transmeta.ClientTTHeaderHandler), client.WithMetaHandler(transmeta.MetainfoClientHandler),
		client.WithMetaHandler(remainingTime{}),
		client.WithRPCTimeout(time.Minute), client.WithConnectTimeout(500 * time.Millisecond),
		client.WithFailureRetry(again), client.WithMiddleware(sendCaller),
	}, nil
}

// Dial names a service for its generated NewClient.
func Dial(name string) string { return serviceName(name) }

// Idempotent tells which methods may be sent again after a broken connection: reads,
// and what is stored under a deterministic id or guarded by its state.
func Idempotent(method string) bool {
	for _, prefix := range []string{"Get", "List", "Find", "Schema", "Template", "Export", "Handle", "Authenticate"} {
		if strings.HasPrefix(method, prefix) {
			return true
		}
	}
	switch method {
	case "SignIn", "PayMine", "PayNative", "PayCash", "SetDuesPaidThrough", "ImportFailures", "PreviewImport", "Deliver", "ExpireOrders", "QueryWaiting", "ConfirmCash", "Reconcile", "RunImport", "MarkRead":
		return true
	}
	return false
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
