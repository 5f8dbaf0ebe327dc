// SPDX-License-Identifier: MIT

// The twin of pipeline.c: the same program, the same output.
package main

import "fmt"

func generate(n int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for i := 1; i <= n; i++ {
			out <- i
		}
	}()
	return out
}

func apply(in <-chan int, fn func(int) int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for v := range in {
			out <- fn(v)
		}
	}()
	return out
}

func keep(in <-chan int, test func(int) bool) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for v := range in {
			if test(v) {
				out <- v
			}
		}
	}()
	return out
}

func main() {
	square := func(v int) int { return v * v }
	isOdd := func(v int) bool { return v%2 != 0 }
	sum := 0
	for v := range keep(apply(generate(10), square), isOdd) {
		fmt.Println(v)
		sum += v
	}
	fmt.Printf("sum %d\n", sum)
}
