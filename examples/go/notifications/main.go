// SPDX-License-Identifier: MIT

// The twin of notifications.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
	"time"
)

const users = 1000

type outcome int

const (
	sent outcome = iota
	noAddress
	refused
	outcomes
)

func notify(user int, out chan<- outcome) {
	time.Sleep(time.Millisecond)
	switch {
	case user%50 == 0:
		out <- noAddress
	case user%33 == 0:
		out <- refused
	default:
		out <- sent
	}
}

func await(event <-chan bool, ready *sync.WaitGroup, woken chan<- int) {
	ready.Done()
	<-event
	woken <- 1
}

func main() {
	out := make(chan outcome, 10)
	for user := 1; user <= users; user++ {
		go notify(user, out)
	}
	var counts [outcomes]int
	for range users {
		counts[<-out]++
	}
	fmt.Printf("sent %d, without address %d, refused %d\n", counts[sent], counts[noAddress],
		counts[refused])

	event := make(chan bool)
	woken := make(chan int)
	var ready sync.WaitGroup
	ready.Add(users)
	for range users {
		go await(event, &ready, woken)
	}
	ready.Wait()
	close(event)

	total := 0
	for range users {
		total += <-woken
	}
	fmt.Printf("one close woke %d goroutines\n", total)
}
