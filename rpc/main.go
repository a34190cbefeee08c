// Rpc serves domain services to other processes: go run ./rpc -serve party,dues.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"zhihuidangjian/conf"
	"zhihuidangjian/rpc/suite"
)

func main() {
	serve := flag.String("serve", strings.Join(suite.Names, ","), "services to serve")
	prepare := flag.Bool("prepare", false, "first make what a new installation lacks in these services: the root organisation, the first admin, demo data")
	flag.Parse()
	suite.LogJSON()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, strings.Split(*serve, ","), *prepare); err != nil {
		slog.Error("stopped", "cause", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, prepare bool) (err error) {
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
	return suite.Serve(ctx, platform, names, prepare)
}
