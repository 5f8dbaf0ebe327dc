// SPDX-License-Identifier: MIT

// The twin of errgroup_items.c: the same program, the same output.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// group is what this program needs of golang.org/x/sync/errgroup.
type group struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	places chan struct{}
	once   sync.Once
	err    error
}

func withContext(parent context.Context, limit int) (*group, context.Context) {
	ctx, cancel := context.WithCancel(parent)
	return &group{cancel: cancel, places: make(chan struct{}, limit)}, ctx
}

func (g *group) start(fn func() error) {
	g.places <- struct{}{}
	g.wg.Go(func() {
		defer func() { <-g.places }()
		if err := fn(); err != nil {
			g.once.Do(func() {
				g.err = err
				g.cancel()
			})
		}
	})
}

func (g *group) wait() error {
	g.wg.Wait()
	g.cancel()
	return g.err
}

const (
	items = 12
	limit = 3
)

var state struct {
	mu                   sync.Mutex
	running, most, total int
}

var errBad = errors.New("bad item")

func process(ctx context.Context, item, bad int) error {
	state.mu.Lock()
	state.running++
	state.most = max(state.most, state.running)
	state.mu.Unlock()

	err := ctx.Err()
	if err == nil && item == bad {
		err = errBad
	}
	if err == nil {
		time.Sleep(time.Millisecond)
	}

	state.mu.Lock()
	state.running--
	if err == nil {
		state.total += item
	}
	state.mu.Unlock()
	return err
}

func processAll(bad int) error {
	state.total = 0
	g, ctx := withContext(context.Background(), limit)
	for item := 1; item <= items; item++ {
		g.start(func() error { return process(ctx, item, bad) })
	}
	return g.wait()
}

func text(err error) string {
	switch err {
	case nil:
		return "no error"
	case errBad:
		return "bad item"
	}
	return "another error"
}

func main() {
	err := processAll(0)
	fmt.Printf("all items good: %s, total %d\n", text(err), state.total)

	err = processAll(5)
	fmt.Printf("item 5 bad: %s, everything processed: %t\n", text(err),
		state.total == items*(items+1)/2)
	fmt.Printf("never more than %d at a time: %t\n", limit, state.most <= limit)
}
