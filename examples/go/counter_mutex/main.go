// SPDX-License-Identifier: MIT

// The twin of counter_mutex.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

var counter struct {
	mu sync.Mutex
	n  int
}

func increment(times int) {
	for range times {
		counter.mu.Lock()
		seen := counter.n
		runtime.Gosched()
		counter.n = seen + 1
		counter.mu.Unlock()
	}
}

func value() int {
	counter.mu.Lock()
	defer counter.mu.Unlock()
	return counter.n
}

func main() {
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { increment(10) })
	}
	wg.Wait()
	fmt.Printf("1000 increments; the counter says %d\n", value())
}
