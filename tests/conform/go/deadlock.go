// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

func lockedWait() {
	runtime.LockOSThread()
	select {}
}

var _ = program("deadlock.empty_select", func() { select {} })

var _ = program("deadlock.on_a_locked_thread", lockedWait)

var _ = program("deadlock.beside_a_locked_thread", func() {
	go lockedWait()
	awaitParked(1, "select (no cases)")
	select {}
})

var _ = program("deadlock.receive", func() { <-make(chan int) })

var _ = program("deadlock.send", func() { make(chan int) <- 1 })

var _ = program("deadlock.send_to_full", func() {
	c := make(chan int, 1)
	c <- 1
	c <- 2
})

var _ = program("deadlock.range", func() {
	c := make(chan int, 2)
	c <- 1
	c <- 2
	for v := range c {
		say("%d\n", v)
	}
})

var _ = program("deadlock.receive_from_nil", func() {
	var c chan int
	<-c
})

var _ = program("deadlock.send_to_nil", func() {
	var c chan int
	c <- 1
})

var _ = program("deadlock.select_of_two", func() {
	select {
	case <-make(chan int):
	case <-make(chan int):
	}
})

var _ = program("deadlock.select_of_nil_channels", func() {
	var none chan int
	select {
	case <-none:
	case none <- 1:
	}
})

var _ = program("deadlock.mutex", func() {
	var m sync.Mutex
	m.Lock()
	m.Lock()
})

var _ = program("deadlock.rwmutex_for_reading", func() {
	var m sync.RWMutex
	m.Lock()
	m.RLock()
})

var _ = program("deadlock.rwmutex_for_writing", func() {
	var m sync.RWMutex
	m.RLock()
	m.Lock()
})

var _ = program("deadlock.wait_group", func() {
	var wg sync.WaitGroup
	wg.Add(1)
	wg.Wait()
})

var _ = program("deadlock.condition_variable", func() {
	var m sync.Mutex
	c := sync.NewCond(&m)
	m.Lock()
	c.Wait()
})

var _ = program("deadlock.stopped_timer", func() {
	t := time.NewTimer(time.Hour)
	t.Stop()
	<-t.C
})

var _ = program("deadlock.unread_ticker_is_no_reason_to_wait", func() {
	t := time.NewTicker(time.Hour)
	n := 0
	if t != nil {
		n = 1
	}
	say("made %d\n", n)
	select {}
})

var _ = program("deadlock.of_the_others_after_main_has_exited", func() {
	go func() { <-make(chan int) }()
	awaitParked(1, "chan receive")
	runtime.Goexit()
})

var _ = program("deadlock.of_a_chain_of_goroutines", func() {
	a, b := make(chan int), make(chan int)
	go func() { b <- <-a }()
	a <- <-b
})

var _ = program("go.of_nil", func() {
	var f func()
	go f()
	select {}
})

var _ = program("go.of_nil_cannot_be_caught", func() {
	defer say("not run\n")
	var f func()
	go f()
})

var _ = program("go.main_does_not_wait_for_the_others", func() {
	go func() {
		defer say("not run\n")
		select {}
	}()
	awaitParked(1, "select (no cases)")
	say("main is done\n")
})
