// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

// try is go_try: the message f panicked with, or "no panic".
func try(f func()) (message string) {
	message = "no panic"
	defer func() {
		if v := recover(); v != nil {
			message = v.(string)
		}
	}()
	f()
	return
}

func printLine(s string) { say("%s\n", s) }

func panics(s string) func() { return func() { panic(s) } }

var _ = program("panic.wrapped_and_caught_then_another", func() {
	say("%s\n", try(func() { panic("wrap: " + try(panics("bad"))) }))
	panic("again")
})

var _ = program("panic.caught_then_panic_in_a_deferred_call", func() {
	say("%s\n", try(func() {
		defer panic("second panic")
		say("%s\n", try(panics("first panic")))
	}))
	panic("third panic")
})

var _ = program("panic.goes_on_after_one_caught_in_a_deferred_call", func() {
	defer func() { try(panics("second panic")) }()
	panic("first panic")
})

var _ = program("panic.deferred_calls_left_after_a_catch", func() {
	func() {
		defer printLine("outer")
		say("%s\n", try(func() {
			defer printLine("below")
			say("%s\n", try(panics("first panic")))
			panic("second panic")
		}))
	}()
	panic("third panic")
})

var _ = program("panic.in_a_deferred_call_while_panicking", func() {
	defer func() { panic("panic pt1") }()
	defer func() { panic("panic pt2") }()
	panic("hello")
})

var _ = program("panic.main_is_goroutine_one", panics("test"))

var _ = program("panic.of_several_lines", panics("line one\nline two"))

var _ = program("panic.uncaught_close_of_nil_channel", func() {
	var c chan int
	close(c)
})

var _ = program("panic.uncaught_close_of_closed_channel", func() {
	c := make(chan int)
	close(c)
	close(c)
})

var _ = program("panic.uncaught_send_on_closed_channel", func() {
	c := make(chan int)
	close(c)
	c <- 1
})

var _ = program("panic.uncaught_size_of_a_channel", func() {
	n := -1
	_ = make(chan int, n)
})

var _ = program("panic.uncaught_negative_counter", func() {
	var wg sync.WaitGroup
	wg.Done()
})

var _ = program("panic.uncaught_ticker_interval", func() { time.NewTicker(0) })

var _ = program("defer.arguments_are_evaluated_at_once", func() {
	n, text := 1, "before"
	defer say("%d %s %g\n", n, text, 0.5*float64(n))
	n, text = 2, "after"
	defer say("%d %s %g\n", n, text, 0.5*float64(n))
	say("body\n")
})

func deferringBody() {
	defer printLine("1")
	defer printLine("2")
	panic("body")
}

var _ = program("defer.runs_before_the_panic_is_caught", func() {
	say("caught %s\n", try(deferringBody))
})

var _ = program("defer.runs_before_the_crash_output", func() {
	defer printLine("deferred in main")
	deferringBody()
})

var _ = program("exit.in_main_ends_when_the_others_have", func() {
	go func() {}()
	go func() {}()
	runtime.Goexit()
})

var _ = program("exit.in_main_lets_a_sleeper_end", func() {
	say("t1\n")
	go time.Sleep(time.Millisecond)
	say("t2\n")
	runtime.Goexit()
})

var _ = program("exit.in_a_deferred_call_drops_the_panic", func() {
	go func() {
		defer runtime.Goexit()
		panic("hello")
	}()
	runtime.Goexit()
})

var _ = program("exit.panic_in_a_deferred_call_while_exiting", func() {
	defer func() { panic("hello") }()
	runtime.Goexit()
})

var _ = program("exit.goes_on_after_a_panic_caught_in_a_deferred_call", func() {
	defer func() { try(panics("hello")) }()
	runtime.Goexit()
})

var _ = program("exit.goes_on_after_a_panic_caught_outside", func() {
	defer printLine("deferred")
	try(func() {
		defer func() { panic("hello") }()
		runtime.Goexit()
	})
	say("not reached\n")
})

var _ = program("panic.wins_over_the_end_of_main", func() {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer runtime.Gosched()
		defer wg.Done()
		panic("crash")
	}()
	wg.Wait()
	// Go only tries, its own test allows for twenty attempts; Gort promises it.
	time.Sleep(100 * time.Millisecond)
})

var _ = program("panic.with_a_deferred_call_that_yields", func() {
	defer printLine("1")
	defer runtime.Gosched()
	panic("errorThatGosched")
})

var _ = program("panic.ends_a_process_of_many_goroutines", func() {
	c := make(chan int)
	for range 10 {
		go func() { <-c }()
	}
	go func() { panic("in one of many") }()
	<-c
})
