// SPDX-License-Identifier: MIT

// The twin of ctx_deadline.c: the same program, the same output.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type key int

const requestID key = 0

func work(ctx context.Context, takes time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(takes):
		return nil
	}
}

func show(ctx context.Context, what string, err error) {
	id, _ := ctx.Value(requestID).(int)
	if err == nil {
		fmt.Printf("request %d: %s: done\n", id, what)
	} else {
		fmt.Printf("request %d: %s: %v\n", id, what, context.Cause(ctx))
	}
}

func main() {
	request := context.WithValue(context.Background(), requestID, 7)

	hour, cancel := context.WithTimeout(request, time.Hour)
	show(hour, "quick work, an hour of time", work(hour, time.Millisecond))
	cancel()

	tight, cancel := context.WithTimeout(request, 20*time.Millisecond)
	err := work(tight, time.Hour)
	show(tight, "an hour of work, 20 ms of time", err)
	fmt.Printf("the error is ETIMEDOUT: %t\n", errors.Is(err, context.DeadlineExceeded))
	cancel()

	deadline := time.Now().Add(20 * time.Millisecond)
	parent, cancelParent := context.WithDeadline(request, deadline)
	child, cancelChild := context.WithTimeout(parent, time.Minute)
	effective, has := child.Deadline()
	fmt.Printf("the child has the deadline of its parent: %t\n", has && effective.Equal(deadline))
	show(child, "child", work(child, time.Hour))
	cancelChild()
	cancelParent()

	stopped, cancelCause := context.WithCancelCause(request)
	cancelCause(errors.New("the user pressed stop"))
	show(stopped, "stopped", work(stopped, time.Hour))
}
