// SPDX-License-Identifier: MIT

package main

func generate(c chan<- int) {
	for i := 2; ; i++ {
		c <- i
	}
}

func filter(in <-chan int, out chan<- int, prime int) {
	for {
		if v := <-in; v%prime != 0 {
			out <- v
		}
	}
}

var _ = program("chan.prime_sieve", func() {
	c := make(chan int)
	go generate(c)
	for range 40 {
		prime := <-c
		say("%d\n", prime)
		next := make(chan int)
		go filter(c, next, prime)
		c = next
	}
})

var _ = program("chan.two_three_five", func() {
	by := [3]int{2, 3, 5}
	var in, out [3]chan int
	var head [3]int
	for i := range 3 {
		in[i] = make(chan int, 200)
		out[i] = make(chan int, 200)
		go func() {
			for v := range in[i] {
				out[i] <- v * by[i]
			}
		}()
	}
	for i := range 3 {
		in[i] <- 1
		head[i] = <-out[i]
	}
	for n, least := 0, 1; n < 60; n++ {
		say("%d\n", least)
		for i := range 3 {
			if n > 0 {
				in[i] <- least
			}
			if head[i] <= least {
				head[i] = <-out[i]
			}
		}
		least = min(head[0], head[1], head[2])
	}
})

var _ = program("select.powers_of_two_by_turns", func() {
	c := make(chan int)
	quit := make(chan int)
	go func() {
		for range 10 {
			say("%d\n", <-c)
		}
		quit <- 0
	}()
	v := 1
	for {
		select {
		case c <- v:
			v *= 2
		case <-quit:
			say("quit\n")
			return
		}
	}
})

const terms = 12

func ones() chan int {
	out := make(chan int, terms)
	go func() {
		for range terms {
			out <- 1
		}
		close(out)
	}()
	return out
}

func split(in, a, b chan int) {
	for v := range in {
		a <- v
		b <- v
	}
	close(a)
	close(b)
}

func multiply(f, g chan int) chan int {
	out := make(chan int, terms)
	go func() {
		defer close(out)
		f0, ok := <-f
		g0, ok2 := <-g
		if !ok || !ok2 {
			return
		}
		out <- f0 * g0
		var rest [4]chan int
		for i := range rest {
			rest[i] = make(chan int, terms)
		}
		go split(f, rest[0], rest[1])
		go split(g, rest[2], rest[3])
		below := multiply(rest[1], rest[3])
		for n := 0; ; n++ {
			fi, ok := <-rest[0]
			gi, ok2 := <-rest[2]
			if !ok || !ok2 {
				return
			}
			v := f0*gi + g0*fi
			if n > 0 {
				v += <-below
			}
			out <- v
		}
	}()
	return out
}

var _ = program("chan.power_series", func() {
	square := multiply(ones(), ones())
	fourth := multiply(multiply(ones(), ones()), multiply(ones(), ones()))
	for v := range square {
		say("%d\n", v)
	}
	for v := range fourth {
		say("%d\n", v)
	}
})
