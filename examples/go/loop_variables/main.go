// SPDX-License-Identifier: MIT

// The twin of loop_variables.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
)

const rounds = 4

func byValue(i int, seen *int) {
	*seen = i
}

func byPointer(i *int, gate <-chan bool, seen *int) {
	<-gate
	*seen = *i
}

func show(how string, seen []int) {
	fmt.Printf("%-12s", how)
	for _, v := range seen {
		fmt.Printf(" %d", v)
	}
	fmt.Println()
}

func main() {
	var seen [rounds]int
	var wg sync.WaitGroup

	for i := 0; i < rounds; i++ {
		wg.Go(func() { byValue(i, &seen[i]) })
	}
	wg.Wait()
	show("argument:", seen[:])

	done := make(chan bool)
	for i := 0; i < rounds; i++ {
		go func() {
			seen[i] = i * 10
			done <- true
		}()
	}
	for range rounds {
		<-done
	}
	show("capture:", seen[:])

	gate := make(chan bool)
	var i int
	for i = 0; i < rounds; i++ {
		out := &seen[i]
		wg.Go(func() { byPointer(&i, gate, out) })
	}
	close(gate)
	wg.Wait()
	show("pointer:", seen[:])
}
