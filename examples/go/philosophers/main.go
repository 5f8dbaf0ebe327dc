// SPDX-License-Identifier: MIT

// The twin of philosophers.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

const (
	seats = 5
	meals = 100
)

var forks [seats]sync.Mutex

type philosopher struct {
	name        string
	seat, meals int
}

func (p *philosopher) dine() {
	left, right := p.seat, (p.seat+1)%seats
	first, second := &forks[min(left, right)], &forks[max(left, right)]
	for p.meals < meals {
		first.Lock()
		runtime.Gosched()
		second.Lock()
		p.meals++
		second.Unlock()
		first.Unlock()
	}
}

func main() {
	table := []philosopher{
		{"Aspasia", 0, 0}, {"Hypatia", 1, 0}, {"Kant", 2, 0}, {"Marx", 3, 0}, {"Russell", 4, 0},
	}
	var wg sync.WaitGroup
	for i := range table {
		wg.Go(table[i].dine)
	}
	wg.Wait()
	for _, p := range table {
		fmt.Printf("%s ate %d times\n", p.name, p.meals)
	}
}
