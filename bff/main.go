// Bff is the product's HTTP server. Alone it is the whole product in one process, with
// stores and outside systems embedded unless the environment names real ones; with ETCD
// it finds the services and workers in processes of their own.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cloudwego/hertz/pkg/common/hlog"

	"zhihuidangjian/bff/edge"
	"zhihuidangjian/conf"
	"zhihuidangjian/job/work"
	"zhihuidangjian/rpc/kit"
	"zhihuidangjian/rpc/suite"
)

func main() {
	hlog.SetOutput(suite.LogJSON())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "cause", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then stops within 10 s: requests first, workers next, the
// stores last.
func run(ctx context.Context) (err error) {
	cfg, err := conf.Load()
	if err != nil {
		return err
	}
	remote := len(cfg.Etcd) > 0
	if remote && (cfg.MongoURI == "" || cfg.RedisAddr == "") {
		return errors.New("separate processes need MONGO_URI, REDIS_ADDR and ETCD")
	}
	platform, err := suite.Open(cfg, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, platform.Close()) }()
	ctx, cancel := context.WithCancel(ctx) // the workers end, whatever ends the server
	defer cancel()

	var services *suite.Clients
	welcome := ""
	if remote {
		if services, err = suite.Dial(platform); err != nil {
			return err
		}
	} else {
		local, err := suite.Local(platform)
		if err != nil {
			return err
		}
		defer local.Close()
		if welcome, err = local.Prepare(ctx); err != nil {
			return err
		}
		services = local.Clients
		platform.Go("workers", func() error { return work.Run(ctx, platform, services) })
	}
	o, err := edge.Upon(platform, services)
	if err != nil {
		return err
	}
	e := edge.New(o)
	served := make(chan error, 1)
	kit.Go("edge", func() error { served <- e.Run(); return nil })
	if err := e.WaitListening(ctx); err == nil {
		announce(cfg, platform.SandboxURL != "", welcome)
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	shut, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	return e.Shutdown(shut)
}

// announce tells a newcomer where everything is.
func announce(cfg conf.Config, sandbox bool, welcome string) {
	fmt.Printf("\n智慧党建已就绪 / ready\n  门户 portal   %s/\n  管理后台 console %s/console/\n  手机端 member  %s/m/\n", cfg.PublicURL, cfg.PublicURL, cfg.PublicURL)
	if sandbox {
		fmt.Printf("  沙盒 sandbox  %s/sandbox\n", cfg.PublicURL)
	}
	if welcome != "" {
		fmt.Printf("  %s\n", welcome)
	}
	fmt.Println()
}
