// SPDX-License-Identifier: MIT

// The twin of tour.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
	"time"
)

func greet(name string, n int, out chan<- int) {
	fmt.Printf("   hello, %s\n", name)
	out <- n * 2
}

func goroutines() {
	fmt.Println("1. Any function, with any arguments, runs as a goroutine.")
	out := make(chan int)
	go greet("world", 21, out)
	fmt.Printf("   its result comes back through a channel: %d\n", <-out)

	fmt.Println("2. So does any block; what it uses is listed, and copied.")
	for i := 1; i <= 10; i++ {
		go func() {
			out <- i * i
		}()
	}
	sum := 0
	for range 10 {
		sum += <-out
	}
	fmt.Printf("   the first ten squares add up to %d\n", sum)
}

func worker(jobs <-chan int, results chan<- int) {
	for job := range jobs {
		results <- job * 2
	}
}

func pool() {
	fmt.Println("3. Channels are typed and have directions; workers share one.")
	jobs, results := make(chan int, 100), make(chan int, 100)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { worker(jobs, results) })
	}
	for job := 1; job <= 100; job++ {
		jobs <- job
	}
	close(jobs)
	wg.Wait()
	fmt.Printf("   four workers did %d jobs\n", len(results))
}

func waiting() {
	fmt.Println("4. select waits for what comes first: a value, or a point in time.")
	silent := make(chan int)
	select {
	case <-silent:
	case <-time.After(30 * time.Millisecond):
		fmt.Println("   nothing came for 30 ms")
	}
}

var counter struct {
	mu sync.Mutex
	n  int
}

func count(times int) {
	counter.mu.Lock()
	defer counter.mu.Unlock()
	counter.n += times
}

func locking() {
	fmt.Println("5. A mutex guards what is shared; a WaitGroup waits for all.")
	var wg sync.WaitGroup
	for i := 1; i <= 100; i++ {
		wg.Go(func() { count(i) })
	}
	wg.Wait()
	fmt.Printf("   a hundred goroutines counted to %d\n", counter.n)
}

func careless(divisor int) {
	defer fmt.Println("   deferred: this runs in any case")
	if divisor == 0 {
		panic("division by zero")
	}
	fmt.Printf("   6 / %d = %d\n", divisor, 6/divisor)
}

func try(fn func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	fn()
	return nil
}

func failing() {
	fmt.Println("6. defer cleans up; go_try turns a panic into an error.")
	for _, divisor := range []int{2, 0} {
		if err := try(func() { careless(divisor) }); err != nil {
			fmt.Printf("   caught: %v\n", err)
		}
	}
}

func visitor(gate <-chan bool, out chan<- int) {
	<-gate
	out <- 1
}

func many() {
	fmt.Println("7. A goroutine costs a page: have a hundred thousand.")
	gate := make(chan bool)
	out := make(chan int, 1000)
	for range 100000 {
		go visitor(gate, out)
	}
	close(gate)
	through := 0
	for range 100000 {
		through += <-out
	}
	fmt.Printf("   they waited at a gate, and %d came through\n", through)
}

func main() {
	fmt.Println("Welcome to Gort: Go's concurrency, in C.")
	goroutines()
	pool()
	waiting()
	locking()
	failing()
	many()
	fmt.Println("That was the tour. When main returns, the program ends.")
}
