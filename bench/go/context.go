// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

var (
	_ = row("ctx_cancel", benchCtxCancel)
	_ = row("ctx_chain", benchCtxChain)
	_ = row("ctx_fan", benchCtxFan)
	_ = row("ctx_tree", benchCtxTree)
	_ = row("ctx_timeout", benchCtxTimeout)
	_ = row("ctx_check", benchCtxCheck)
)

func makeAndCancel(root context.Context, times int) {
	for range times {
		_, cancel := context.WithCancel(root)
		cancel()
	}
}

func benchCtxCancel(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	root, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { makeAndCancel(root, b.n/workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

func benchCtxChain(b *bench) {
	depth := b.arg(0, 1000)
	rounds := (b.n + depth - 1) / depth
	start := time.Now()
	for range rounds {
		last, first := context.WithCancel(context.Background())
		for range depth - 1 {
			last, _ = context.WithCancel(last)
		}
		first()
		if last.Err() == nil {
			fail("ctx_chain: the end was not cancelled")
		}
	}
	b.perOp(start, rounds*depth)
}

func benchCtxFan(b *bench) {
	children := b.arg(0, 1000)
	rounds := (b.n + children - 1) / children
	fan := make([]context.Context, children)
	start := time.Now()
	for range rounds {
		parent, cancel := context.WithCancel(context.Background())
		for i := range fan {
			fan[i], _ = context.WithCancel(parent)
		}
		cancel()
		for i := range fan {
			if fan[i].Err() == nil {
				fail("ctx_fan: a child was not cancelled")
			}
		}
	}
	b.perOp(start, rounds*children)
}

func benchCtxTree(b *bench) {
	size := b.arg(0, 1023)
	rounds := (b.n + size - 1) / size
	tree := make([]context.Context, size)
	start := time.Now()
	for range rounds {
		root, cancel := context.WithCancel(context.Background())
		tree[0] = root
		for i := 1; i < size; i++ {
			tree[i], _ = context.WithCancel(tree[(i-1)/2])
		}
		cancel()
		if tree[size-1].Err() == nil {
			fail("ctx_tree: a leaf was not cancelled")
		}
	}
	b.perOp(start, rounds*size)
}

func benchCtxTimeout(b *bench) {
	start := time.Now()
	for range b.n {
		_, cancel := context.WithTimeout(context.Background(), time.Hour)
		cancel()
	}
	b.perOp(start, b.n)
}

func benchCtxCheck(b *bench) {
	c := context.Background()
	for range 10 {
		c, _ = context.WithCancel(c)
	}
	ended := 0
	start := time.Now()
	for range b.n {
		if c.Err() != nil {
			ended++
		}
	}
	b.perOp(start, b.n)
	if ended != 0 {
		fail("ctx_check: cancelled by nobody")
	}
}
