// Package docstore is an embedded document store behind MongoDB's wire protocol: the
// official driver talks to it in the same process without a socket (Store.Dialer), other
// processes and mongosh over TCP (Store.Serve, or the command in serve). It is for trial,
// tests and small single-machine installations; a larger one gives the address of a real
// MongoDB to the same code.
//
//	s, err := docstore.Open(dir)
//	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(s.Dialer()))
//
// # Serving, backup, restore
//
// One command each; a backup is taken from a running server, or from a directory on the same
// machine, whether a process serves it (its owner answers on a socket in it, store.sock) or
// not. Its file is readable by its owner only:
//
//	go run ./model/docstore/serve -listen 127.0.0.1:27017 -data DIR
//	go run ./model/docstore/serve backup -uri mongodb://127.0.0.1:27017 -o FILE
//	go run ./model/docstore/serve backup -data DIR -o FILE
//	go run ./model/docstore/serve restore -data NEWDIR -i FILE
//
// There are no users and passwords: listen where only trusted processes reach.
//
// # What it keeps in memory and what on disk
//
// All documents are in memory as raw BSON, with copy-on-write B-trees (tidwall/btree) over
// order-preserving byte keys. A reader works on a snapshot and neither waits for a writer
// nor holds one up; only a read of one document by its _id takes it from the live tree. On
// disk are a log, one CRC-32C-framed record and one fsync for all the writers that were
// waiting (group commit), and a snapshot that replaces the log when it has grown long. A
// write is acknowledged when it is on the disk; a write that cannot reach the disk is taken
// back in memory too. After a failed fsync the store refuses writes until it is opened
// again. A log or snapshot that is damaged is reported with file and byte (DamageError), and
// the store does not open; only what follows the last whole record is dropped and reported.
// After a crash that is a write that was cut off, which nobody was told had succeeded; where
// the file was cut or overwritten from outside it may be more, and the store cannot tell.
//
// # Why not other parts
//
// lungo's operators work on the version 1 driver's decoded documents: every match would pay
// for two conversions, and a filter over 100,000 documents for as many decodings; matching
// raw bytes is quicker and, with the expression language that lungo does not have, not more
// code. FerretDB's wire package decodes a message into documents of its own, for the same
// price. bbolt syncs once a transaction and holds a single writer (about 4,500 commits a
// second here, one at a time); pebble would do, but its LSM and caches are for data larger
// than memory, and a log with snapshots is some 700 lines that can be read in one go.
//
// # What it does not do
//
// Refused with MongoDB's own code and a sentence: transactions and retryable writes (a
// driver finds a single server and does not try), change streams, capped, time-series and
// validated collections, views, text, geospatial, hashed, wildcard and hidden indexes,
// collations, JavaScript, $merge and $out, Decimal128 division, and numbers of 34 digits
// that would need rounding. Unknown and misspelt arguments are refused too, as is a filter
// that is missing: nothing is accepted and then left out.
//
// Further limits: all documents must fit into memory. A command is atomic for each document
// and, beyond MongoDB, an updateMany or insertMany is one step for readers and for the disk,
// while another writer of the collection waits for it. Reads see writes of others a moment
// before these are acknowledged, as MongoDB's read concern "local" does; a write that fails
// on a full disk may have been seen for that moment. Regular expressions are Go's, without
// look-around and back-references. Cursors end after ten idle minutes unless the client
// asked otherwise, and hold their results in memory until then. The lock of the directory is
// flock, so that it needs a local file system.
package docstore
