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
			limit := vDate(s.now().UnixMilli() - ix.expire*1000)
			path := ix.keys[0].path
			q := &query{}
			var err error
			d := newDoc().doc(path, newDoc().add("$lte", limit).done()).done()
			if q.filter, err = parseFilter(d, &scope{}); err != nil {
				return err
			}
			if n, err := q.count(v); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			r := &request{Store: s}
			err = s.write(v.ns, false, true, func(c *collection, b *batch) error {
				_, err := r.delete1(c, b, q, true, &outcome{})
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
