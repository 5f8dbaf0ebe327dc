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
