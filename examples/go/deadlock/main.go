// SPDX-License-Identifier: MIT

// The twin of deadlock.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
)

func firstYou(from <-chan int, to chan<- int) {
	v := <-from
	to <- v + 1
}

func main() {
	a, b := make(chan int), make(chan int)
	var wg sync.WaitGroup
	wg.Go(func() { firstYou(a, b) })
	wg.Go(func() { firstYou(b, a) })

	fmt.Println("main waits for two goroutines that wait for each other")
	wg.Wait()
	fmt.Println("never printed")
}
