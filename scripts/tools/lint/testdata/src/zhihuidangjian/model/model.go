// Package model stands for ours.
package model

type Collection[D any] struct{}

func (*Collection[D]) Get(id string) (d D, err error)                          { return d, nil }
func (*Collection[D]) Insert(doc D) error                                      { return nil }
func (*Collection[D]) Update(id string, change func(D) error) (d D, err error) { return d, nil }
func (*Collection[D]) SoftDelete(id string, check func(D) error) error         { return nil }
