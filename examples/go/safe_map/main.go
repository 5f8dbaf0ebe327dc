// SPDX-License-Identifier: MIT

// The twin of safe_map.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
)

type counters struct {
	mu sync.Mutex
	m  map[string]int
}

func (c *counters) increment(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key]++
}

func (c *counters) value(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[key]
}

var words = []string{"to", "be", "or", "not", "to", "be"}

func countWords(c *counters, times int) {
	for range times {
		for _, w := range words {
			c.increment(w)
		}
	}
}

func main() {
	c := counters{m: make(map[string]int)}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { countWords(&c, 20) })
	}
	wg.Wait()

	fmt.Printf("to %d, be %d, or %d, not %d, that %d\n", c.value("to"), c.value("be"),
		c.value("or"), c.value("not"), c.value("that"))
}
