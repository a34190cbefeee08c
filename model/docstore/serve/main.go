// Command serve runs the embedded document store for other processes, and takes and puts
// back its backups:
//
//	serve -listen 127.0.0.1:27017 -data DIR         serve DIR until SIGINT or SIGTERM
//	serve backup -uri mongodb://127.0.0.1:27017 -o FILE   back a running server up
//	serve backup -data DIR -o FILE                  back up a directory on this machine, in use or not
//	serve restore -data DIR -i FILE                 make a new directory from a backup
//
// There is no user or password: listen on an address that only trusted processes reach.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"zhihuidangjian/model/docstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := realMain(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func realMain(ctx context.Context, args []string) error {
	name := "serve"
	if len(args) > 0 && (args[0] == "backup" || args[0] == "restore") {
		name, args = args[0], args[1:]
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	data := fs.String("data", "", "directory of the store")
	listen, uri, in, out := "", "", "", ""
	switch name {
	case "serve":
		fs.StringVar(&listen, "listen", "127.0.0.1:27017", "address to serve")
	case "backup":
		fs.StringVar(&uri, "uri", "", "a running server")
		fs.StringVar(&out, "o", "", "file to write")
	case "restore":
		fs.StringVar(&in, "i", "", "file to read")
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("serve: %q is not understood", fs.Arg(0))
	case name == "backup" && out != "" && (uri == "") != (*data == ""):
		return backup(ctx, uri, *data, out)
	case name == "restore" && in != "" && *data != "":
		f, err := os.Open(in)
		if err != nil {
			return err
		}
		defer f.Close()
		return docstore.Restore(*data, f)
	case name == "serve" && *data != "":
		return serve(ctx, listen, *data)
	}
	fs.Usage()
	return errors.New("serve: a directory or file is missing")
}

func serve(ctx context.Context, listen, data string) (err error) {
	s, err := docstore.Open(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	if inside, err := s.ListenInside(); err != nil {
		slog.Warn("serving on the port only", "cause", err)
	} else {
		go func() { _ = s.Serve(inside) }() // ends with the store
	}
	slog.Info("serving", "uri", "mongodb://"+l.Addr().String(), "data", data)
	if err := s.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// backup writes the file under another name first, so that it is there whole or not at all.
// Only the owner reads it: it holds all that the store does.
func backup(ctx context.Context, uri, data, out string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(out), filepath.Base(out)+".") // 0600
	if err != nil {
		return err
	}
	if uri != "" {
		err = docstore.BackupServer(ctx, uri, f)
	} else {
		err = docstore.BackupDir(ctx, data, f)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), out)
}
