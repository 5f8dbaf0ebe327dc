// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var (
	_ = row("spawn", benchSpawn)
	_ = row("spawn_wg_go", benchSpawnWgGo)
	_ = row("spawn_producers", benchSpawnProducers)
	_ = row("spawn_tree", benchSpawnTree)
	_ = row("spawn_chain", benchSpawnChain)
	_ = row("spawn_arguments", benchSpawnArguments)
	_ = row("yield", benchYield)
	_ = row("parked", benchParked)
	_ = row("hibernated", benchHibernated)
	_ = row("parked_own", benchParkedOwn)
)

func child(wg *sync.WaitGroup) { wg.Done() }

func benchSpawn(b *bench) {
	batch := b.arg(0, 1000)
	start := time.Now()
	for done := 0; done < b.n; done += batch {
		var wg sync.WaitGroup
		for range batch {
			wg.Add(1)
			go child(&wg)
		}
		wg.Wait()
	}
	b.perOp(start, (b.n+batch-1)/batch*batch)
}

func nothing() {}

func benchSpawnWgGo(b *bench) {
	batch := b.arg(0, 1000)
	start := time.Now()
	for done := 0; done < b.n; done += batch {
		var wg sync.WaitGroup
		for range batch {
			wg.Go(nothing)
		}
		wg.Wait()
	}
	b.perOp(start, (b.n+batch-1)/batch*batch)
}

func spawnMany(count int) {
	var wg sync.WaitGroup
	for i := range count {
		wg.Add(1)
		go child(&wg)
		if i%1000 == 999 {
			wg.Wait()
		}
	}
	wg.Wait()
}

func benchSpawnProducers(b *bench) {
	producers := b.arg(0, 16)
	var wg sync.WaitGroup
	start := time.Now()
	for range producers {
		wg.Go(func() { spawnMany(b.n / producers) })
	}
	wg.Wait()
	b.perOp(start, b.n/producers*producers)
}

func tree(depth int, parent *sync.WaitGroup) {
	if depth > 0 {
		var wg sync.WaitGroup
		wg.Add(2)
		go tree(depth-1, &wg)
		go tree(depth-1, &wg)
		wg.Wait()
	}
	parent.Done()
}

func benchSpawnTree(b *bench) {
	depth := b.arg(0, 16)
	nodes := 2<<depth - 2
	trees := (b.n + nodes - 1) / nodes
	start := time.Now()
	for range trees {
		var wg sync.WaitGroup
		wg.Add(1)
		tree(depth, &wg)
	}
	b.perOp(start, trees*nodes)
}

func chain(left int, done chan byte) {
	if left == 0 {
		done <- 1
		return
	}
	go chain(left-1, done)
}

func benchSpawnChain(b *bench) {
	done := make(chan byte)
	start := time.Now()
	go chain(b.n, done)
	<-done
	b.perOp(start, b.n)
}

func addSix(sum *int, p, q, r, s, t, u int) {
	*sum += p + q + r + s + t + u
}

func benchSpawnArguments(b *bench) {
	sum := 0
	start := time.Now()
	for i := range b.n {
		var wg sync.WaitGroup
		wg.Go(func() { addSix(&sum, i, i, i, i, i, i) })
		wg.Wait()
	}
	b.perOp(start, b.n)
	if sum != b.n*(b.n-1)/2*6 {
		fail("spawn_arguments: wrong sum %d", sum)
	}
}

func yielder(begin <-chan byte, times int) {
	<-begin
	for range times {
		runtime.Gosched()
	}
}

func benchYield(b *bench) {
	goroutines := b.arg(0, 2)
	times := b.n / goroutines
	begin := make(chan byte)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() { yielder(begin, times) })
	}
	runtime.Gosched()
	start := time.Now()
	close(begin)
	wg.Wait()
	b.perOp(start, goroutines*times)
}

var arrived atomic.Int64

func parked(gate <-chan byte, wg *sync.WaitGroup) {
	arrived.Add(1)
	<-gate
	wg.Done()
}

func benchParked(b *bench) {
	gate := make(chan byte)
	var wg sync.WaitGroup
	before := memory()
	start := time.Now()
	for range b.n {
		wg.Add(1)
		go parked(gate, &wg)
	}
	await(&arrived, b.n)
	runtime.Gosched()
	b.report("spawn", float64(time.Since(start))/float64(b.n), "ns")
	b.report("bytes", float64(memory()-before)/float64(b.n), "B")
	start = time.Now()
	close(gate)
	wg.Wait()
	b.report("wake", float64(time.Since(start))/float64(b.n), "ns")
}

func benchHibernated(b *bench) {
	gate := make(chan byte)
	var wg sync.WaitGroup
	before := memory()
	for range b.n {
		wg.Add(1)
		go parked(gate, &wg)
	}
	await(&arrived, b.n)
	time.Sleep(2 * time.Second)
	b.report("bytes", float64(memory()-before)/float64(b.n), "B")
	start := time.Now()
	close(gate)
	wg.Wait()
	b.report("wake", float64(time.Since(start))/float64(b.n), "ns")
}

func parkedOnOwn(own <-chan byte, done chan<- byte) {
	<-own
	done <- 1
}

func benchParkedOwn(b *bench) {
	own := make([]chan byte, b.n)
	done := make(chan byte, 100)
	start := time.Now()
	for i := range b.n {
		own[i] = make(chan byte)
		go parkedOnOwn(own[i], done)
	}
	for i := range b.n {
		own[i] <- 1
		<-done
		own[i] = nil
	}
	b.perOp(start, b.n)
}
