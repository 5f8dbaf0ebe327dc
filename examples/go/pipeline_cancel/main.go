// SPDX-License-Identifier: MIT

// The twin of pipeline_cancel.c: the same program, the same output.
package main

import (
	"context"
	"fmt"
	"sync"
)

func generate(ctx context.Context, out chan<- int) {
	defer close(out)
	for i := 1; ; i++ {
		select {
		case out <- i:
		case <-ctx.Done():
			return
		}
	}
}

func square(ctx context.Context, in <-chan int, out chan<- int) {
	defer close(out)
	for v := range in {
		select {
		case out <- v * v:
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	numbers, squares, fourth := make(chan int), make(chan int), make(chan int)
	var stages sync.WaitGroup
	stages.Go(func() { generate(ctx, numbers) })
	stages.Go(func() { square(ctx, numbers, squares) })
	stages.Go(func() { square(ctx, squares, fourth) })

	for range 5 {
		fmt.Println(<-fourth)
	}
	cancel()
	stages.Wait()
	fmt.Printf("all three stages have ended: %v\n", context.Cause(ctx))
}
