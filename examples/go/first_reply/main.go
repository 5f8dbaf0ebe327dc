// SPDX-License-Identifier: MIT

// The twin of first_reply.c: the same program, the same output.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

type replica struct {
	name  string
	takes time.Duration
}

var replicas = []replica{
	{"oslo", time.Hour}, {"lyon", time.Hour}, {"graz", 5 * time.Millisecond}, {"bonn", time.Hour},
}

func ask(ctx context.Context, r replica, out chan<- string, dismissed *int) {
	select {
	case <-time.After(r.takes):
		out <- r.name
	case <-ctx.Done():
		*dismissed = 1
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan string, len(replicas))
	dismissed := make([]int, len(replicas))
	var wg sync.WaitGroup
	for i, r := range replicas {
		wg.Go(func() { ask(ctx, r, out, &dismissed[i]) })
	}

	winner := <-out
	cancel()
	wg.Wait()
	count := 0
	for _, d := range dismissed {
		count += d
	}
	fmt.Printf("the first reply came from %s; %d others were dismissed\n", winner, count)
}
