// Package docstore is an embedded document store behind MongoDB's wire protocol: the
// official driver talks to it in the same process without a socket (Store.Dialer), other
// processes and mongosh over TCP (Store.Serve, or the command in serve). It is for trial,
// tests and small single-machine installations.
//
//	s, err := docstore.Open(dir)
//	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://embedded").SetDialer(s.Dialer()))
//
// # What it keeps in memory and what on disk
//
// All documents are in memory as raw BSON, with copy-on-write B-trees (tidwall/btree) over
// order-preserving byte keys. A reader works on a snapshot and neither waits for a writer
// nor holds one up. On disk are a log, one CRC-32C-framed record and one fsync for all the
// writers that were waiting (group commit), and a snapshot that replaces the log when it has
// grown long. A write is acknowledged when it is on the disk; a write that cannot reach the
// disk is taken back in memory too.
//
// # Why not other parts
//
// lungo's operators work on the version 1 driver's decoded documents: every match would pay
// for two conversions, and a filter over 100,000 documents for as many decodings; matching
// raw bytes is quicker and, with the expression language that lungo does not have, not more
// code. bbolt syncs once a transaction and holds a single writer (about 4,500 commits a
// second here, one at a time); pebble would do, but its LSM and caches are for data larger
// than memory, and a log with snapshots is some 500 lines that can be read in one go.
//
// # What it does not do
//
// Transactions, change streams, capped, time-series and validated collections, views, text,
// geospatial, hashed and wildcard indexes, collations, JavaScript and Decimal128 division
// are refused with MongoDB's own code and a sentence. Unknown arguments are refused too:
// nothing is accepted and then left out. Reads see writes of others a moment before these
// are acknowledged, as MongoDB's read concern "local" does.
package docstore
