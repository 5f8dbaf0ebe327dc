// SPDX-License-Identifier: MIT

// The twin of early_exit.c: the same program, the same output.
package main

import (
	"fmt"
	"time"
)

func slow() {
	defer fmt.Println("slow: this deferred line is never printed")
	time.Sleep(time.Hour)
	fmt.Println("slow: nor is this one")
}

func quick(done chan<- bool) {
	fmt.Println("quick: done")
	done <- true
}

func main() {
	done := make(chan bool)
	go slow()
	go quick(done)
	<-done
	fmt.Println("main: leaving, with one goroutine still asleep")
}
