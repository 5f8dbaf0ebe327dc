// SPDX-License-Identifier: MIT

// The twin of pool_jobs.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
)

const (
	count   = 9
	workers = 3
)

type result struct{ job, value int }

func worker(jobs <-chan int, results chan<- result) {
	for job := range jobs {
		results <- result{job, job * 2}
	}
}

func main() {
	jobs := make(chan int, count)
	results := make(chan result, count)
	var wg sync.WaitGroup

	for range workers {
		wg.Go(func() { worker(jobs, results) })
	}
	for j := 1; j <= count; j++ {
		jobs <- j
	}
	close(jobs)

	var doubled [count + 1]int
	for range count {
		r := <-results
		doubled[r.job] = r.value
	}
	for j := 1; j <= count; j++ {
		fmt.Printf("%d x 2 = %d\n", j, doubled[j])
	}
	wg.Wait()
}
