// SPDX-License-Identifier: MIT

// The twin of sieve.c: the same program, the same output.
package main

import "fmt"

func generate(out chan<- int) {
	for i := 2; ; i++ {
		out <- i
	}
}

func filter(in <-chan int, out chan<- int, prime int) {
	for {
		v := <-in
		if v%prime != 0 {
			out <- v
		}
	}
}

func main() {
	end := make(chan int)
	go generate(end)
	for n := 1; n <= 200; n++ {
		prime := <-end
		if n <= 10 || n == 100 || n == 200 {
			fmt.Printf("prime %d is %d\n", n, prime)
		}
		next := make(chan int)
		go filter(end, next, prime)
		end = next
	}
}
