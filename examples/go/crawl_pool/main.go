// SPDX-License-Identifier: MIT

// The twin of crawl_pool.c: the same program, the same output.
package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const workers = 3

type page struct{ url, body string }

var web = []page{
	{"example.org/", "welcome to the example, see the guide and the news"},
	{"example.org/guide", "first the basics, then the rest"},
	{"example.org/news", "nothing happened"},
	{"example.org/about", "written by hand"},
	{"example.org/empty", ""},
}

type result struct{ page, words int }

func fetch(body string) int {
	time.Sleep(time.Millisecond)
	return len(strings.Fields(body))
}

func worker(pages <-chan int, results chan<- result) {
	for page := range pages {
		results <- result{page, fetch(web[page].body)}
	}
}

func closeWhenDone(workers *sync.WaitGroup, results chan<- result) {
	workers.Wait()
	close(results)
}

func main() {
	pages := make(chan int, len(web))
	results := make(chan result)
	var wg sync.WaitGroup

	for range workers {
		wg.Go(func() { worker(pages, results) })
	}
	for i := range web {
		pages <- i
	}
	close(pages)
	go closeWhenDone(&wg, results)

	words := make([]int, len(web))
	count := 0
	for r := range results {
		words[r.page] = r.words
		count++
	}
	for i, p := range web {
		fmt.Printf("%-18s %2d words\n", p.url, words[i])
	}
	fmt.Printf("%d pages\n", count)
}
