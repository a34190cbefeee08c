package suite

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// reserve makes headroom, and keeps it: 256 MB of garbage gather between two collections
// however little is alive. A collection costs as much as there is to look through, so that a
// burst of lists on a small heap would spend a fifth of its time on it. Nobody touches its
// pages: it is address space, no memory.
//
// It also lets one goroutine more run at once than there are cores (GOMAXPROCS decides
// otherwise): a log-in's hash is not interrupted for ten milliseconds at a time, in which what
// waits behind it in Go's queue would stand still; the system shares the cores between them in
// finer slices. With two cores the p99 of check-in in a flood of log-ins fell from three times
// to half as much again.
var reserve = sync.OnceValue(func() (headroom []byte) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
	return make([]byte, 256<<20)
})

// giveBack returns to the machine what a burst left, once the process rests.
func giveBack(ctx context.Context) {
	const (
		every   = 2 * time.Second
		atRest  = 4 << 20  // bytes allocated meanwhile
		worth   = 16 << 20 // bytes to give back
		objects = "/memory/classes/heap/objects:bytes"
		total   = "/gc/heap/allocs:bytes"
	)
	now := []metrics.Sample{{Name: total}, {Name: objects}}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var allocated, left uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(now)
		resting := now[0].Value.Uint64()-allocated < atRest
		allocated = now[0].Value.Uint64()
		if resting && now[1].Value.Uint64() > left+worth {
			debug.FreeOSMemory()
			metrics.Read(now)
			left = now[1].Value.Uint64()
		}
	}
}
