// SPDX-License-Identifier: MIT

// The twin of pool_chunks.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
)

const (
	count   = 1000
	workers = 4
)

func sumChunk(items []int, sum *int) {
	total := 0
	for _, v := range items {
		total += v
	}
	*sum = total
}

func main() {
	items := make([]int, count)
	for i := range items {
		items[i] = i + 1
	}

	var sums [workers]int
	var wg sync.WaitGroup
	for w := range workers {
		first := count * w / workers
		last := count * (w + 1) / workers
		wg.Go(func() { sumChunk(items[first:last], &sums[w]) })
	}
	wg.Wait()

	total := 0
	for w, sum := range sums {
		fmt.Printf("worker %d: %d\n", w, sum)
		total += sum
	}
	fmt.Printf("total: %d\n", total)
}
