// SPDX-License-Identifier: MIT

// The twin of counter_channel.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func owner(add <-chan int, result chan<- int) {
	n := 0
	for delta := range add {
		seen := n
		runtime.Gosched()
		n = seen + delta
	}
	result <- n
}

func increment(times int, add chan<- int) {
	for range times {
		add <- 1
	}
}

func main() {
	add, result := make(chan int), make(chan int)
	go owner(add, result)

	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { increment(10, add) })
	}
	wg.Wait()
	close(add)
	fmt.Printf("1000 increments; the owner says %d\n", <-result)
}
