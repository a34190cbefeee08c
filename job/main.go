// Job runs the workers: the outbox relay, the schedules, and stale imports. Any number
// of these processes may run.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"zhihuidangjian/conf"
	"zhihuidangjian/job/work"
	"zhihuidangjian/rpc/suite"
)

func main() {
	suite.LogJSON()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "cause", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	cfg, err := conf.Load()
	if err != nil {
		return err
	}
	if cfg.MongoURI == "" || cfg.RedisAddr == "" || len(cfg.Etcd) == 0 {
		return errors.New("separate processes need MONGO_URI, REDIS_ADDR and ETCD")
	}
	platform, err := suite.Open(cfg, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, platform.Close()) }()
	services, err := suite.Dial(platform)
	if err != nil {
		return err
	}
	return work.Run(ctx, platform, services)
}
