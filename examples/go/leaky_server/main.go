// SPDX-License-Identifier: MIT

// The twin of leaky_server.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func backend(request int, database <-chan bool, reply chan<- int) {
	<-database
	reply <- request * request
}

func handle(request int, database <-chan bool) bool {
	reply := make(chan int)
	go backend(request, database, reply)

	select {
	case <-reply:
		return true
	case <-time.After(time.Millisecond):
		return false
	}
}

func main() {
	database := make(chan bool)
	timeouts := 0
	for request := 1; request <= 10; request++ {
		if !handle(request, database) {
			timeouts++
		}
	}
	fmt.Printf("requests 10, timeouts %d\n", timeouts)

	close(database)
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("goroutines left behind: %d\n", runtime.NumGoroutine()-1)
}
