// SPDX-License-Identifier: MIT

// The twin of producer_consumer.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
)

func produce(first, count int, out chan<- int) {
	for i := range count {
		out <- first + i
	}
}

type tally struct{ count, sum int }

func consume(in <-chan int, out chan<- tally) {
	var t tally
	for v := range in {
		t.count++
		t.sum += v
	}
	out <- t
}

func main() {
	queue := make(chan int, 3)
	tallies := make(chan tally)

	var producers sync.WaitGroup
	producers.Go(func() { produce(1, 50, queue) })
	producers.Go(func() { produce(51, 50, queue) })
	go consume(queue, tallies)
	go consume(queue, tallies)

	producers.Wait()
	close(queue)

	var all tally
	for range 2 {
		t := <-tallies
		all.count += t.count
		all.sum += t.sum
	}
	fmt.Printf("consumed %d numbers, sum %d\n", all.count, all.sum)
}
