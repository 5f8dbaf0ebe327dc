// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"runtime"
	"time"
)

var _ = program("context.ends_a_generator", func() {
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan int)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case out <- n:
			}
		}
	}()
	for n := range out {
		say("%d\n", n)
		if n == 5 {
			break
		}
	}
	cancel()
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	say("%v\n", context.Cause(ctx))
})

var _ = program("context.with_timeout_in_a_select", func() {
	never := make(chan int)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	select {
	case <-never:
		say("ready\n")
	case <-ctx.Done():
		say("%v\n", context.Cause(ctx))
	}
})

type textKey struct{}
type numberKey struct{}

var _ = program("context.values_by_key", func() {
	ctx := context.WithValue(context.Background(), textKey{}, "Go")
	say("found value: %v\n", ctx.Value(textKey{}))
	found := 0
	if ctx.Value(numberKey{}) == nil {
		found = 1
	}
	say("key not found: %d\n", found)
})

var _ = program("context.uncaught_nil_parent", func() {
	context.WithCancel(nil)
})
