// SPDX-License-Identifier: MIT

// The twin of ctx_worker.c: the same program, the same output.
package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

type report struct {
	pieces int
	why    error
}

func worker(ctx context.Context, progress chan<- bool, out chan<- report) {
	var r report
	for {
		select {
		case <-ctx.Done():
			r.why = context.Cause(ctx)
			out <- r
			return
		default:
			r.pieces++
			select {
			case progress <- true:
			default:
			}
			runtime.Gosched()
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	progress := make(chan bool)
	out := make(chan report)
	go worker(ctx, progress, out)

	for range 3 {
		<-progress
	}
	fmt.Printf("the worker is at work: %t\n", ctx.Err() == nil)
	cancel()
	r := <-out
	fmt.Printf("did three pieces or more: %t\n", r.pieces >= 3)
	fmt.Printf("stopped: %v\n", r.why)
	fmt.Printf("the error is ECANCELED: %t\n", errors.Is(ctx.Err(), context.Canceled))
}
