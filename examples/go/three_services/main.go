// SPDX-License-Identifier: MIT

// The twin of three_services.c: the same program, the same output.
package main

import (
	"fmt"
	"time"
)

type reply struct {
	service string
	value   int
}

func call(service string, takes time.Duration, value int, out chan<- reply) {
	time.Sleep(takes)
	out <- reply{service, value}
}

func main() {
	replies := make(chan reply)
	start := time.Now()
	go call("users", 200*time.Millisecond, 17, replies)
	go call("orders", 300*time.Millisecond, 4, replies)
	go call("stock", 400*time.Millisecond, 250, replies)

	sum := 0
	for range 3 {
		sum += (<-replies).value
	}
	took := time.Since(start)

	fmt.Printf("three replies, sum %d\n", sum)
	fmt.Printf("took at least as long as the slowest: %t\n", took >= 400*time.Millisecond)
	fmt.Printf("took less than one after the other: %t\n", took < 900*time.Millisecond)
}
