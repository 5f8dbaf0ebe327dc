// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var (
	_ = row("pingpong", benchPingpong)
	_ = row("pingpong_locked", benchPingpongLocked)
	_ = row("ring", benchRing)
	_ = row("prodcons", benchProdcons)
	_ = row("chan_batch", benchChanBatch)
	_ = row("chan_try", benchChanTry)
	_ = row("chan_closed", benchChanClosed)
	_ = row("chan_make", benchChanMake)
	_ = row("close_broadcast", benchCloseBroadcast)
	_ = row("chan_sem", benchChanSem)
)

func echo(in <-chan int, out chan<- int) {
	for v := range in {
		out <- v
	}
}

func ping(times int) {
	there := make(chan int)
	back := make(chan int)
	go echo(there, back)
	for i := range times {
		there <- i
		if <-back != i {
			fail("pingpong: wrong value")
		}
	}
	close(there)
}

func benchPingpong(b *bench) {
	pairs := b.arg(0, 1)
	var wg sync.WaitGroup
	start := time.Now()
	for range pairs - 1 {
		wg.Go(func() { ping(b.n / pairs) })
	}
	ping(b.n / pairs)
	wg.Wait()
	b.perOp(start, b.n/pairs*pairs)
}

func echoLocked(in <-chan int, out chan<- int) {
	runtime.LockOSThread()
	for v := range in {
		out <- v
	}
}

func benchPingpongLocked(b *bench) {
	there := make(chan int)
	back := make(chan int)
	go echoLocked(there, back)
	runtime.LockOSThread()
	start := time.Now()
	for i := range b.n {
		there <- i
		if <-back != i {
			fail("pingpong_locked: wrong value")
		}
	}
	b.perOp(start, b.n)
	close(there)
}

func relay(in <-chan int, out chan<- int, done chan<- byte) {
	for left := range in {
		if left == 0 {
			done <- 1
			return
		}
		out <- left - 1
	}
}

func benchRing(b *bench) {
	members := b.arg(0, 503)
	done := make(chan byte)
	first := make(chan int)
	in := first
	for range members - 1 {
		out := make(chan int)
		go relay(in, out, done)
		in = out
	}
	go relay(in, first, done)
	start := time.Now()
	first <- b.n
	<-done
	b.perOp(start, b.n)
}

func produce(c chan<- int, items, load int) {
	x := uint64(1)
	for range items {
		x = work(x, load)
		c <- int(x & 1)
	}
}

func consume(c <-chan int, load int, received *atomic.Int64) {
	count := 0
	x := uint64(1)
	for v := range c {
		x = work(x+uint64(v), load)
		count++
	}
	if x == 0 {
		count++
	}
	received.Add(int64(count))
}

func benchProdcons(b *bench) {
	capacity := b.arg(0, 100)
	producers := b.arg(1, 1)
	consumers := b.arg(2, 1)
	load := b.arg(3, 0)
	each := b.n / producers
	var received atomic.Int64
	c := make(chan int, capacity)
	var senders, receivers sync.WaitGroup
	start := time.Now()
	for range consumers {
		receivers.Go(func() { consume(c, load, &received) })
	}
	for range producers {
		senders.Go(func() { produce(c, each, load) })
	}
	senders.Wait()
	close(c)
	receivers.Wait()
	b.perOp(start, each*producers)
	if received.Load() != int64(each*producers) {
		fail("prodcons: %d items lost", int64(each*producers)-received.Load())
	}
}

func fillAndDrain(c chan int, own bool, times int) {
	if own {
		c = make(chan int, 100)
	}
	for range times {
		for k := range 100 {
			c <- k
		}
		for range 100 {
			<-c
		}
	}
}

func benchChanBatch(b *bench) {
	own := b.arg(0, 1) != 0
	workers := runtime.GOMAXPROCS(0)
	times := b.n / 100 / workers
	c := make(chan int, 100*workers)
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { fillAndDrain(c, own, times) })
	}
	wg.Wait()
	b.perOp(start, times*100*workers)
}

func benchChanTry(b *bench) {
	c := make(chan int)
	got := 0
	start := time.Now()
	for range b.n {
		select {
		case <-c:
			got++
		default:
		}
	}
	b.perOp(start, b.n)
	if got != 0 {
		fail("chan_try: a value out of nowhere")
	}
}

func benchChanClosed(b *bench) {
	c := make(chan int)
	close(c)
	sum := 0
	start := time.Now()
	for range b.n {
		sum += <-c
	}
	b.perOp(start, b.n)
	if sum != 0 {
		fail("chan_closed: a value out of nowhere")
	}
}

func benchChanMake(b *bench) {
	capacity := b.arg(0, 8)
	sum := 0
	start := time.Now()
	for range b.n {
		c := make(chan int, capacity)
		c <- 1
		sum += <-c
	}
	b.perOp(start, b.n)
	if sum != b.n {
		fail("chan_make: wrong sum")
	}
}

func waitClosed(gate <-chan byte, arrived *atomic.Int64, wg *sync.WaitGroup) {
	arrived.Add(1)
	<-gate
	wg.Done()
}

func benchCloseBroadcast(b *bench) {
	waiters := b.arg(0, 10000)
	rounds := (b.n + waiters - 1) / waiters
	total := time.Duration(0)
	for range rounds {
		var arrived atomic.Int64
		gate := make(chan byte)
		var wg sync.WaitGroup
		for range waiters {
			wg.Add(1)
			go waitClosed(gate, &arrived, &wg)
		}
		await(&arrived, waiters)
		runtime.Gosched()
		start := time.Now()
		close(gate)
		wg.Wait()
		total += time.Since(start)
	}
	b.report("", float64(total)/float64(rounds*waiters), "ns")
}

func takeTokens(tokens chan byte, times int) {
	for range times {
		tokens <- 1
		<-tokens
	}
}

func benchChanSem(b *bench) {
	procs := runtime.GOMAXPROCS(0)
	workers := procs * b.arg(0, 10)
	tokens := make(chan byte, procs)
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { takeTokens(tokens, b.n/workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}
