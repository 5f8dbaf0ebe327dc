// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var (
	_ = row("select_recv", benchSelectRecv)
	_ = row("select_default", benchSelectDefault)
	_ = row("select_ready", benchSelectReady)
	_ = row("select_sync", benchSelectSync)
	_ = row("select_async", benchSelectAsync)
	_ = row("select_fanin", benchSelectFanin)
	_ = row("select_popular", benchSelectPopular)
)

func sendAll(c chan<- int, times int) {
	for range times {
		c <- 1
	}
}

func receive2(c []chan int, times int) int {
	sum := 0
	v := 0
	for range times {
		select {
		case v = <-c[0]:
		case v = <-c[1]:
		}
		sum += v
	}
	return sum
}

func receive4(c []chan int, times int) int {
	sum := 0
	v := 0
	for range times {
		select {
		case v = <-c[0]:
		case v = <-c[1]:
		case v = <-c[2]:
		case v = <-c[3]:
		}
		sum += v
	}
	return sum
}

func receive8(c []chan int, times int) int {
	sum := 0
	v := 0
	for range times {
		select {
		case v = <-c[0]:
		case v = <-c[1]:
		case v = <-c[2]:
		case v = <-c[3]:
		case v = <-c[4]:
		case v = <-c[5]:
		case v = <-c[6]:
		case v = <-c[7]:
		}
		sum += v
	}
	return sum
}

func benchSelectRecv(b *bench) {
	ways := b.arg(0, 4)
	times := b.n / ways
	c := make([]chan int, 8)
	for i := range ways {
		c[i] = make(chan int)
		go sendAll(c[i], times)
	}
	start := time.Now()
	sum := 0
	switch ways {
	case 2:
		sum = receive2(c, times*ways)
	case 4:
		sum = receive4(c, times*ways)
	case 8:
		sum = receive8(c, times*ways)
	default:
		fail("select_recv: 2, 4 or 8 channels")
	}
	b.perOp(start, times*ways)
	if sum != times*ways {
		fail("select_recv: wrong sum")
	}
}

func benchSelectDefault(b *bench) {
	left := make(chan int)
	right := make(chan int)
	idle := 0
	start := time.Now()
	for range b.n {
		select {
		case <-left:
		case <-right:
		default:
			idle++
		}
	}
	b.perOp(start, b.n)
	if idle != b.n {
		fail("select_default: a value out of nowhere")
	}
}

func toss(times int) {
	left := make(chan int, 1)
	right := make(chan int, 1)
	left <- 1
	for range times {
		select {
		case v := <-left:
			right <- v
		case v := <-right:
			left <- v
		}
	}
}

func benchSelectReady(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { toss(b.n / workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

type shared struct {
	c    [3]chan int
	done chan byte
}

func offer(s *shared) {
	for {
		select {
		case s.c[0] <- 0:
		case s.c[1] <- 0:
		case s.c[2] <- 0:
		case <-s.done:
			return
		}
	}
}

func acceptAny(s *shared, times int) {
	for range times {
		select {
		case <-s.c[0]:
		case <-s.c[1]:
		case <-s.c[2]:
		}
	}
}

func benchSelectSync(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	s := &shared{[3]chan int{make(chan int), make(chan int), make(chan int)}, make(chan byte)}
	var receivers, senders sync.WaitGroup
	start := time.Now()
	for range workers {
		senders.Go(func() { offer(s) })
		receivers.Go(func() { acceptAny(s, b.n/workers) })
	}
	receivers.Wait()
	close(s.done)
	senders.Wait()
	b.perOp(start, b.n/workers*workers)
}

func tossShared(left, right chan int, times int) {
	left <- 1
	for range times {
		select {
		case v := <-left:
			right <- v
		case v := <-right:
			left <- v
		}
	}
}

func benchSelectAsync(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	left := make(chan int, workers)
	right := make(chan int, workers)
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { tossShared(left, right, b.n/workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

func feed(out chan<- int, quit <-chan byte, times int) {
	for range times {
		select {
		case out <- 1:
		case <-quit:
			return
		}
	}
}

func benchSelectFanin(b *bench) {
	producers := b.arg(0, 64)
	each := b.n / producers
	all := make(chan int, b.arg(1, 0))
	quit := make(chan byte)
	for range producers {
		go feed(all, quit, each)
	}
	sum := 0
	start := time.Now()
	for range each * producers {
		sum += <-all
	}
	b.perOp(start, each*producers)
	if sum != each*producers {
		fail("select_fanin: wrong sum")
	}
}

func listenPopular(popular <-chan byte, own chan byte, ready *atomic.Int64) {
	ready.Add(1)
	for {
		select {
		case <-own:
		case <-popular:
			return
		}
	}
}

func benchSelectPopular(b *bench) {
	members := b.arg(0, 1000)
	rounds := b.n / members
	var ready atomic.Int64
	popular := make(chan byte)
	own := make([]chan byte, members)
	var wg sync.WaitGroup
	for i := range members {
		own[i] = make(chan byte)
		wg.Go(func() { listenPopular(popular, own[i], &ready) })
	}
	await(&ready, members)
	start := time.Now()
	for range rounds {
		for i := range members {
			own[i] <- 1
		}
	}
	b.perOp(start, rounds*members)
	close(popular)
	wg.Wait()
}
