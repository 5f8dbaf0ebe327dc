// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

var (
	_ = row("skynet", benchSkynet)
	_ = row("sieve", benchSieve)
	_ = row("fib", benchFib)
	_ = row("quicksort", benchQuicksort)
	_ = row("matmul", benchMatmul)
)

func skynetNode(up chan<- int, number, size int) {
	if size == 1 {
		up <- number
		return
	}
	children := make(chan int)
	part := size / 10
	for i := range 10 {
		go skynetNode(children, number+i*part, part)
	}
	sum := 0
	for range 10 {
		sum += <-children
	}
	up <- sum
}

func benchSkynet(b *bench) {
	up := make(chan int)
	start := time.Now()
	go skynetNode(up, 0, b.n)
	sum := <-up
	b.ms(start)
	b.report("peak", float64(memoryPeak())/1e6, "MB")
	if sum != b.n*(b.n-1)/2 {
		fail("skynet: wrong sum %d", sum)
	}
}

func sieveGenerate(out chan<- int) {
	for i := 2; ; i++ {
		out <- i
	}
}

func sieveFilter(in <-chan int, out chan<- int, prime int) {
	for {
		i := <-in
		if i%prime != 0 {
			out <- i
		}
	}
}

func benchSieve(b *bench) {
	c := make(chan int)
	start := time.Now()
	go sieveGenerate(c)
	prime := 0
	for range b.n {
		prime = <-c
		next := make(chan int)
		go sieveFilter(c, next, prime)
		c = next
	}
	b.ms(start)
	if b.n == 1000 && prime != 7919 {
		fail("sieve: %d is not the thousandth prime", prime)
	}
}

func fibNode(up chan<- int, n int) {
	if n < 2 {
		up <- n
		return
	}
	c := make(chan int, 2)
	go fibNode(c, n-1)
	go fibNode(c, n-2)
	x := <-c
	y := <-c
	up <- x + y
}

func benchFib(b *bench) {
	c := make(chan int, 1)
	start := time.Now()
	go fibNode(c, b.n)
	result := <-c
	b.ms(start)
	x, y := 0, 1
	for range b.n {
		x, y = y, x+y
	}
	if result != x {
		fail("fib: %d instead of %d", result, x)
	}
}

func insertionSort(v []int) {
	for i := 1; i < len(v); i++ {
		x := v[i]
		k := i
		for k > 0 && v[k-1] > x {
			v[k] = v[k-1]
			k--
		}
		v[k] = x
	}
}

func partition(v []int) int {
	pivot := v[len(v)/2]
	i := -1
	k := len(v)
	for {
		for i++; v[i] < pivot; i++ {
		}
		for k--; v[k] > pivot; k-- {
		}
		if i >= k {
			return k + 1
		}
		v[i], v[k] = v[k], v[i]
	}
}

func quicksort(v []int, alone int) {
	if len(v) <= 16 {
		insertionSort(v)
		return
	}
	middle := partition(v)
	if len(v) <= alone {
		quicksort(v[:middle], alone)
		quicksort(v[middle:], alone)
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { quicksort(v[:middle], alone) })
	quicksort(v[middle:], alone)
	wg.Wait()
}

func benchQuicksort(b *bench) {
	v := make([]int, b.n)
	seed := uint64(42)
	for i := range v {
		v[i] = int(random(&seed) >> 1)
	}
	start := time.Now()
	quicksort(v, b.arg(0, 1000))
	b.ms(start)
	for i := 1; i < len(v); i++ {
		if v[i-1] > v[i] {
			fail("quicksort: not sorted at %d", i)
		}
	}
}

type block struct {
	x, y, z                []float64
	stride                 int
	i0, i1, j0, j1, k0, k1 int
}

func multiplyLeaf(p *block) {
	for i := p.i0; i < p.i1; i++ {
		for j := p.j0; j < p.j1; j++ {
			sum := p.z[i*p.stride+j]
			for k := p.k0; k < p.k1; k++ {
				sum += p.x[i*p.stride+k] * p.y[k*p.stride+j]
			}
			p.z[i*p.stride+j] = sum
		}
	}
}

func multiply(p *block) {
	const threshold = 8
	di := p.i1 - p.i0
	dj := p.j1 - p.j0
	dk := p.k1 - p.k0
	one := *p
	two := *p
	if di >= dj && di >= dk && di >= threshold {
		one.i1 = p.i0 + di/2
		two.i0 = one.i1
	} else if dj >= dk && dj >= threshold {
		one.j1 = p.j0 + dj/2
		two.j0 = one.j1
	} else if dk >= threshold {
		one.k1 = p.k0 + dk/2
		two.k0 = one.k1
		multiply(&one)
		multiply(&two)
		return
	} else {
		multiplyLeaf(p)
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { multiply(&one) })
	multiply(&two)
	wg.Wait()
}

func benchMatmul(b *bench) {
	n := b.n
	x := make([]float64, n*n)
	y := make([]float64, n*n)
	z := make([]float64, n*n)
	for i := range x {
		x[i] = float64(i % 7)
		y[i] = float64(i % 5)
	}
	start := time.Now()
	multiply(&block{x, y, z, n, 0, n, 0, n, 0, n})
	b.ms(start)
	sum := 0.0
	for k := range n {
		sum += x[(n-1)*n+k] * y[k*n+n-1]
	}
	if sum != z[n*n-1] {
		fail("matmul: %f instead of %f", z[n*n-1], sum)
	}
}
