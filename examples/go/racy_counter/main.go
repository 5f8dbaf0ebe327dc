// SPDX-License-Identifier: MIT

// The twin of racy_counter.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

var counter int

func increment(times int) {
	for range times {
		seen := counter
		runtime.Gosched()
		counter = seen + 1
	}
}

func main() {
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { increment(10) })
	}
	wg.Wait()
	fmt.Printf("1000 increments; some were lost: %t\n", counter < 1000)
}
