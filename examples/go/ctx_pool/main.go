// SPDX-License-Identifier: MIT

// The twin of ctx_pool.c: the same program, the same output.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

const (
	workers = 4
	wanted  = 10
)

func produce(ctx context.Context, jobs chan<- int) {
	for job := 1; ; job++ {
		select {
		case jobs <- job:
		case <-ctx.Done():
			return
		}
	}
}

func worker(ctx context.Context, jobs <-chan int, results chan<- int, why *error) {
	for {
		var job int
		select {
		case job = <-jobs:
		case <-ctx.Done():
			*why = ctx.Err()
			return
		}
		select {
		case results <- job * job:
		case <-ctx.Done():
			*why = ctx.Err()
			return
		}
	}
}

func isSquare(v int) bool {
	root := 1
	for root*root < v {
		root++
	}
	return root*root == v
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	jobs, results := make(chan int), make(chan int)
	var wg sync.WaitGroup
	var why [workers]error

	wg.Go(func() { produce(ctx, jobs) })
	for w := range workers {
		wg.Go(func() { worker(ctx, jobs, results, &why[w]) })
	}

	squares := 0
	for range wanted {
		if isSquare(<-results) {
			squares++
		}
	}
	cancel()
	wg.Wait()

	cancelled := 0
	for _, err := range why {
		if errors.Is(err, context.Canceled) {
			cancelled++
		}
	}
	fmt.Printf("%d results, all squares: %t\n", wanted, squares == wanted)
	fmt.Printf("%d of %d workers were cancelled\n", cancelled, workers)
}
