// SPDX-License-Identifier: MIT

// The twin of goroutines.c: the same program, the same output.
package main

import "fmt"

func square(n int, out chan<- int) {
	out <- n * n
}

type point struct{ x, y float64 }

func describe(name string, p point, scale float64, out chan<- float64) {
	fmt.Printf("%s is at (%.1f, %.1f)\n", name, p.x, p.y)
	out <- (p.x + p.y) * scale
}

func main() {
	numbers := make(chan int)
	for i := 1; i <= 5; i++ {
		go square(i, numbers)
	}
	sum := 0
	for i := 1; i <= 5; i++ {
		sum += <-numbers
	}
	fmt.Printf("the squares of 1 to 5 add up to %d\n", sum)

	scaled := make(chan float64)
	go describe("home", point{3, 4}, 0.5, scaled)
	fmt.Printf("scaled sum %.2f\n", <-scaled)

	for i := 1; i <= 5; i++ {
		go func() {
			numbers <- i * 10
		}()
	}
	sum = 0
	for i := 1; i <= 5; i++ {
		sum += <-numbers
	}
	fmt.Printf("five anonymous goroutines sent %d in all\n", sum)
}
