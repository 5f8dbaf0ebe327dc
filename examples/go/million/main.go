// SPDX-License-Identifier: MIT

// The twin of million.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
)

const count = 1000000

func visitor(id int, gate <-chan bool, out chan<- int) {
	<-gate
	out <- id
}

func main() {
	gate := make(chan bool)
	out := make(chan int, 1000)
	for id := 1; id <= count; id++ {
		go visitor(id, gate, out)
	}
	fmt.Printf("%d goroutines wait at the gate\n", runtime.NumGoroutine()-1)

	close(gate)
	sum := 0
	for range count {
		sum += <-out
	}
	fmt.Printf("they came through, and their numbers add up to %d\n", sum)
}
