package docstore

import "time"

// expireLoop deletes documents past the date of a TTL index from time to time.
func (s *Store) expireLoop() {
	tick := time.NewTicker(s.ttlEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			if err := s.Expire(); err != nil && !s.closed.Load() {
				s.log.Error("docstore: expired documents stay for now", "error", err)
			}
		}
	}
}

// Expire deletes now what the TTL indexes say, by the store's clock: documents whose date,
// or earliest of an array of dates, lies expireAfterSeconds back. It happens by itself every
// minute; tests with a clock of their own call it.
func (s *Store) Expire() error {
	for _, v := range s.views("") {
		for _, ix := range v.ix {
			if ix.expire < 0 {
				continue
			}
			q := ix.expired(s.now())
			n, err := q.count(v)
			if n > 0 {
				err = s.write(v.ns, false, true, func(c *collection, b *batch) error {
					_, err := delete1(c, b, q, true, &outcome{})
					return err
				})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// expired finds what a TTL index says is to go: of a partial index only what is in it.
func (ix *index) expired(now time.Time) *query {
	limit := vDate(now.UnixMilli() - ix.expire*1000)
	d := newDoc().doc(ix.keys[0].path, newDoc().add("$lte", limit).done()).done()
	if ix.filter != nil {
		d = newDoc().add("$and", docArray([]raw{d, ix.filter})).done()
	}
	return &query{filter: filterOf(d, &scope{})}
}
