package suite

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cloudwego/kitex/server"

	"zhihuidangjian/rpc/kit"
)

// Serve offers the named services to other processes until ctx ends. Each has a Kitex
// server of its own, so that it is found under its own name.
func Serve(ctx context.Context, p *Platform, names []string, prepare bool) error {
	peers, err := Dial(p)
	if err != nil {
		return err
	}
	s, err := start(p, peers, names)
	if err != nil {
		return err
	}
	defer s.Close()
	failed := make(chan error, len(names))
	var servers []server.Server
	for _, name := range names {
		opts, err := kit.ServerOptions(p.Config.RPCAddr, name, p.Config.Etcd, p.Peers)
		if err != nil {
			return err
		}
		k := server.NewServer(opts...)
		if err := s.register[name](k); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		servers = append(servers, k)
		kit.Go("serve "+name, func() error { failed <- k.Run(); return nil })
	}
	if prepare {
		welcome, err := s.Prepare(ctx)
		if err != nil {
			return err
		}
		if welcome != "" {
			slog.Info("prepared", "note", welcome)
		}
	}
	slog.Info("serving", "services", names)
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	for _, k := range servers {
		_ = k.Stop() // waits for its requests, then leaves etcd
	}
	return err
}
