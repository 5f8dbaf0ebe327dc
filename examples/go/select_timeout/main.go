// SPDX-License-Identifier: MIT

// The twin of select_timeout.c: the same program, the same output.
package main

import (
	"fmt"
	"time"
)

func service(takes time.Duration, answer int, out chan<- int) {
	time.Sleep(takes)
	out <- answer
}

func ask(name string, takes, patience time.Duration) {
	reply := make(chan int, 1)
	go service(takes, 42, reply)

	select {
	case answer := <-reply:
		fmt.Printf("%s service: %d\n", name, answer)
	case <-time.After(patience):
		fmt.Printf("%s service: no answer in time\n", name)
	}
}

func main() {
	ask("quick", time.Millisecond, time.Minute)
	ask("slow", time.Hour, 20*time.Millisecond)

	a, b := make(chan int), make(chan int)
	go func() {
		defer close(a)
		for i := 1; i <= 3; i++ {
			a <- i
		}
	}()
	go func() {
		defer close(b)
		for i := 10; i <= 30; i += 10 {
			b <- i
		}
	}()

	sum := 0
	for a != nil || b != nil {
		var v int
		var ok bool
		select {
		case v, ok = <-a:
			if !ok {
				a = nil
			}
		case v, ok = <-b:
			if !ok {
				b = nil
			}
		}
		sum += v
	}
	fmt.Printf("both channels ended, sum %d\n", sum)
}
