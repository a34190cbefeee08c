// Package waits holds what contexts, goroutines and sleeps find.
package waits

import (
	"context"
	"sync"
	"time"
)

type held struct {
	ctx context.Context // want `a struct holds a context`
}

type reasoned struct {
	// ctx: io.Reader has no room for one.
	ctx   context.Context
	other context.Context // ctx: the same.
}

func Sleep() {
	time.Sleep(time.Second) // want `time.Sleep hears no context`
}

func Start(f func()) {
	go f() // the helper itself
}

func starts(wg *sync.WaitGroup) {
	go Sleep()   // want `a panic in this goroutine ends the process: start it by zhihuidangjian/waits.Start`
	wg.Go(Sleep) // want `a panic in this goroutine`
	Start(Sleep)
}
