// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
)

// parked says how many goroutines stand in that state.
func parked(state string) int {
	var text strings.Builder
	pprof.Lookup("goroutine").WriteTo(&text, 2)
	return strings.Count(text.String(), " ["+state)
}

func awaitParked(n int, state string) {
	for parked(state) < n {
		runtime.Gosched()
	}
}

var _ = program("once.and_cond_in_a_program", func() {
	var once sync.Once
	done := make(chan bool)
	for range 10 {
		go func() {
			once.Do(func() { say("Only once\n") })
			done <- true
		}()
	}
	for range 10 {
		<-done
	}
	var m sync.Mutex
	c := sync.NewCond(&m)
	awake := make(chan int, 3)
	for i := range 3 {
		go func() {
			m.Lock()
			c.Wait()
			awake <- i
			m.Unlock()
		}()
		awaitParked(i+1, "sync.Cond.Wait")
	}
	for range 3 {
		c.Signal()
		say("woke %d\n", <-awake)
	}
})
