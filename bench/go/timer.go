// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var (
	_ = row("timer_startstop", benchTimerStartStop)
	_ = row("timer_reset", benchTimerReset)
	_ = row("timer_pending", benchTimerPending)
	_ = row("sleep_short", benchSleepShort)
	_ = row("sleepers", benchSleepers)
	_ = row("ticker", benchTicker)
	_ = row("timer_late", benchTimerLate)
	_ = row("wake_late", benchWakeLate)
	_ = row("idle", benchIdle)
)

func startAndStop(times int) {
	for range times {
		t := time.AfterFunc(time.Hour, nothing)
		t.Stop()
	}
}

func benchTimerStartStop(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { startAndStop(b.n / workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

func benchTimerReset(b *bench) {
	t := time.NewTimer(time.Hour)
	start := time.Now()
	for i := range b.n {
		t.Reset(time.Hour + time.Duration(i%1000))
	}
	b.perOp(start, b.n)
	t.Stop()
}

func benchTimerPending(b *bench) {
	t := make([]*time.Timer, b.n)
	for i := range t {
		t[i] = nil
	}
	seed := uint64(1)
	before := memory()
	start := time.Now()
	for i := range t {
		t[i] = time.AfterFunc(time.Hour+time.Duration(random(&seed)%uint64(time.Hour)), nothing)
	}
	b.report("start", float64(time.Since(start))/float64(b.n), "ns")
	b.report("bytes", float64(memory()-before)/float64(b.n), "B")
	start = time.Now()
	for i := range t {
		t[i].Stop()
	}
	b.report("stop", float64(time.Since(start))/float64(b.n), "ns")
}

func doze(times int) {
	for range times {
		time.Sleep(1)
	}
}

func benchSleepShort(b *bench) {
	sleepers := b.arg(0, 1000)
	var wg sync.WaitGroup
	start := time.Now()
	for range sleepers {
		wg.Go(func() { doze(b.n / sleepers) })
	}
	wg.Wait()
	b.perOp(start, b.n/sleepers*sleepers)
}

func benchSleepers(b *bench) {
	var wg sync.WaitGroup
	used := cpu()
	start := time.Now()
	for range b.n {
		wg.Go(func() { time.Sleep(100 * time.Millisecond) })
	}
	wg.Wait()
	b.report("wall", float64(time.Since(start))/1e6, "ms")
	b.report("cpu", float64(cpu()-used)/1e6, "ms")
}

func benchTicker(b *bench) {
	t := time.NewTicker(100 * time.Microsecond)
	start := time.Now()
	for range b.n {
		<-t.C
	}
	b.perOp(start, b.n)
	t.Stop()
}

var quit atomic.Bool

// hog computes and never enters the runtime.
func hog() {
	x := uint64(1)
	for !quit.Load() {
		x = work(x, 100)
	}
	if x == 0 {
		fail("hog: work undone")
	}
}

// polite computes for 100 microseconds or so and yields.
func polite() {
	x := uint64(1)
	for !quit.Load() {
		x = work(x, 50000)
		runtime.Gosched()
	}
	if x == 0 {
		fail("polite: work undone")
	}
}

// startLoad 0: none. 1: two hogs for each P. 2: two polite computations for each P.
func startLoad(load int) {
	if load == 0 {
		return
	}
	for range 2 * runtime.GOMAXPROCS(0) {
		if load == 1 {
			go hog()
		} else {
			go polite()
		}
	}
}

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

func sleepAndLook(late []int64) {
	for i := range late {
		due := now() + int64(time.Millisecond)
		time.Sleep(time.Millisecond)
		late[i] = now() - due
	}
}

func benchTimerLate(b *bench) {
	sleepers := b.arg(0, 10)
	each := b.n / sleepers
	late := make([]int64, each*sleepers)
	startLoad(b.arg(1, 0))
	var wg sync.WaitGroup
	for i := range sleepers {
		wg.Go(func() { sleepAndLook(late[i*each : (i+1)*each]) })
	}
	wg.Wait()
	quit.Store(true)
	b.percentiles(late)
}

func noteArrival(sent <-chan int64, back chan<- byte, late []int64) {
	for i := range late {
		then := <-sent
		late[i] = now() - then
		back <- 1
	}
}

func benchWakeLate(b *bench) {
	late := make([]int64, b.n)
	busy := int64(b.arg(1, 500)) * 1000
	sent := make(chan int64, 1)
	back := make(chan byte)
	go noteArrival(sent, back, late)
	startLoad(b.arg(0, 0))
	for range late {
		time.Sleep(200 * time.Microsecond)
		start := now()
		sent <- start
		for now()-start < busy {
		}
		<-back
	}
	quit.Store(true)
	b.percentiles(late)
}

func benchIdle(b *bench) {
	never := make(chan byte)
	for range 100 {
		go func() { <-never }()
	}
	time.Sleep(100 * time.Millisecond)
	used := cpu()
	time.Sleep(time.Duration(b.n) * time.Millisecond)
	b.report("", float64(cpu()-used)/1e6, "ms")
}
