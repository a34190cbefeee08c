package docstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// socketName is the door of a directory in use: its owner answers there, and file permissions
// say who may enter.
const socketName = "store.sock"

// ListenInside listens on a socket in the store's directory, readable by the owner only, for
// Serve: BackupDir and mongosh on the same machine reach a store that listens on no port. The
// path of a socket is short by nature; for one that is too long it says so.
func (s *Store) ListenInside() (net.Listener, error) {
	name := filepath.Join(s.dir, socketName)
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) { // of a process that was killed
		return nil, fmt.Errorf("docstore: %w", err)
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, fmt.Errorf("docstore: no backup while it runs: %w", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("docstore: %w", err), l.Close())
	}
	return l, nil
}

// BackupDir writes a backup of the store in a directory, whether a process serves it or not.
func BackupDir(ctx context.Context, dir string, w io.Writer) error {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("docstore: %w", err)
	}
	name := filepath.Join(dir, socketName)
	if c, err := net.Dial("unix", name); err == nil {
		return errors.Join(c.Close(), BackupServer(ctx, "mongodb://"+url.PathEscape(name), w))
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.Backup(w), s.Close())
}

// BackupServer writes a backup of a server that runs.
func BackupServer(ctx context.Context, uri string, w io.Writer) (err error) {
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return fmt.Errorf("docstore: %w", err)
	}
	defer func() { err = errors.Join(err, c.Disconnect(context.WithoutCancel(ctx))) }()
	cur, err := c.Database("admin").RunCommandCursor(ctx, bson.D{{Key: "docstoreBackup", Value: 1}})
	if err != nil {
		return fmt.Errorf("docstore: %w", err)
	}
	for cur.Next(ctx) {
		_, b := cur.Current.Lookup("data").Binary()
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return errors.Join(cur.Err(), cur.Close(ctx))
}
