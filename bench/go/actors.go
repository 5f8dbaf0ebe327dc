// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

var (
	_ = row("chameneos", benchChameneos)
	_ = row("philosophers", benchPhilosophers)
	_ = row("big", benchBig)
	_ = row("actor_pingpong", benchActorPingpong)
)

type visit struct {
	colour int32
	answer chan<- int32
}

func creature(place chan<- visit, colour int32, met *atomic.Int64) {
	answer := make(chan int32)
	meetings := 0
	for {
		place <- visit{colour, answer}
		other := <-answer
		if other < 0 {
			break
		}
		if colour != other {
			colour = 3 - colour - other
		}
		meetings++
	}
	met.Add(int64(meetings))
}

func benchChameneos(b *bench) {
	creatures := b.arg(0, 10)
	place := make(chan visit)
	var met atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for i := range creatures {
		wg.Go(func() { creature(place, int32(i%3), &met) })
	}
	for range b.n {
		one := <-place
		two := <-place
		one.answer <- two.colour
		two.answer <- one.colour
	}
	for range creatures {
		v := <-place
		v.answer <- -1
	}
	wg.Wait()
	b.perOp(start, b.n)
	if met.Load() != int64(2*b.n) {
		fail("chameneos: %d meetings", met.Load()/2)
	}
}

func dine(low, high chan byte, meals int) {
	for range meals {
		<-low
		<-high
		high <- 1
		low <- 1
	}
}

func benchPhilosophers(b *bench) {
	seats := b.arg(0, 5)
	forks := make([]chan byte, seats)
	for i := range forks {
		forks[i] = make(chan byte, 1)
		forks[i] <- 1
	}
	var wg sync.WaitGroup
	start := time.Now()
	for i := range seats - 1 {
		wg.Go(func() { dine(forks[i], forks[i+1], b.n/seats) })
	}
	wg.Go(func() { dine(forks[0], forks[seats-1], b.n/seats) })
	wg.Wait()
	b.perOp(start, b.n/seats*seats)
}

type letter struct {
	from int
	pong bool
}

type post struct {
	actors int
	pings  int
	box    []chan letter
	done   chan byte
}

func bigActor(p *post, me int) {
	seed := uint64(me) + 1
	left := p.pings
	p.box[random(&seed)%uint64(p.actors)] <- letter{me, false}
	for l := range p.box[me] {
		if !l.pong {
			p.box[l.from] <- letter{me, true}
		} else if left--; left > 0 {
			p.box[random(&seed)%uint64(p.actors)] <- letter{me, false}
		} else {
			p.done <- 1
		}
	}
}

func benchBig(b *bench) {
	p := &post{actors: b.arg(0, 120), done: make(chan byte)}
	p.pings = b.n / p.actors
	for range p.actors {
		p.box = append(p.box, make(chan letter, 2*p.actors))
	}
	var wg sync.WaitGroup
	start := time.Now()
	for i := range p.actors {
		wg.Go(func() { bigActor(p, i) })
	}
	for range p.actors {
		<-p.done
	}
	for i := range p.actors {
		close(p.box[i])
	}
	wg.Wait()
	b.perOp(start, p.pings*p.actors)
}

type answer struct {
	number int
}

type question struct {
	from   chan<- answer
	number int
}

func pongActor(box <-chan question) {
	for q := range box {
		q.from <- answer{q.number}
	}
}

func benchActorPingpong(b *bench) {
	capacity := b.arg(0, 16)
	pong := make(chan question, capacity)
	ping := make(chan answer, capacity)
	var wg sync.WaitGroup
	start := time.Now()
	wg.Go(func() { pongActor(pong) })
	for i := range b.n {
		pong <- question{ping, i}
		if (<-ping).number != i {
			fail("actor_pingpong: wrong answer")
		}
	}
	close(pong)
	wg.Wait()
	b.perOp(start, b.n)
}
