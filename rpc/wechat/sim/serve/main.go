// Serve runs the simulators of WeChat, WeChat Pay and Aliyun SMS as a process of their
// own, for a product of several processes in sandbox mode (SANDBOX_URL).
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/wechat/sim"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8070", "loopback address")
	state := flag.String("state", "", "file that keeps users and orders across restarts")
	redisAddr := flag.String("redis", os.Getenv("REDIS_ADDR"), "where the product's clock is kept")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *listen, *state, *redisAddr); err != nil {
		slog.Error("stopped", "cause", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, state, redisAddr string) error {
	clock := &kit.Clock{}
	if redisAddr != "" {
		rdb := redis.NewClient(&redis.Options{Addr: redisAddr})
		defer rdb.Close()
		kit.Go("clock", func() error { kit.FollowClock(ctx, rdb, clock); return nil })
	}
	s, err := sim.New(sim.Options{Now: clock.Now, StateFile: state})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return errors.New("the simulators listen on loopback only")
	}
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second}
	kit.Go("close", func() error { <-ctx.Done(); return srv.Close() })
	kit.Go("sandbox", func() error { return s.Run(ctx) })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
