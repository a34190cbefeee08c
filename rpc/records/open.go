package records

import (
	"context"
)

// New makes an engine of record types (*Type values) and ensures their indexes.
func New(ctx context.Context, c Config, types ...Declaration) (*Engine, error) {
	e := &Engine{db: c.DB, clock: c.Clock, orgs: c.Orgs, seal: c.Seal, refs: c.Refs, types: map[string]*recordType{}, beside: c.Beside, blobs: c.Blobs}
	for _, d := range types {
		t, err := d.run()
		if err != nil {
			return nil, err
		}
		if err := t.bind(e); err != nil {
			return nil, err
		}
		e.types[t.Name] = t
		e.order = append(e.order, t)
	}
	for _, t := range e.order {
		if err := t.check(); err != nil {
			return nil, err
		}
	}
	for _, t := range e.order {
		if err := t.ready(ctx); err != nil {
			return nil, err
		}
	}
	if err := e.openAttachments(ctx); err != nil {
		return nil, err
	}
	if err := e.openLookups(ctx); err != nil {
		return nil, err
	}
	if err := e.openRounds(ctx); err != nil {
		return nil, err
	}
	var err error
	if e.imports, err = openImports(ctx, e); err != nil {
		return nil, err
	}
	// The imports outlive the calls that start them, and end with Close.
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Close stops the imports that run here and waits for them.
func (e *Engine) Close() {
	e.mu.Lock()
	e.cancel()
	e.mu.Unlock()
	_ = e.running.Wait() // logged where it happened
}
