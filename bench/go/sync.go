// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

var (
	_ = row("mutex_alone", benchMutexAlone)
	_ = row("mutex", benchMutex)
	_ = row("rwmutex", benchRWMutex)
	_ = row("waitgroup", benchWaitGroup)
	_ = row("waitgroup_zero", benchWaitGroupZero)
	_ = row("once", benchOnce)
	_ = row("cond", benchCond)
	_ = row("map_load", benchMapLoad)
	_ = row("map_store", benchMapStore)
	_ = row("pool", benchPool)
	_ = row("errgroup", benchErrgroup)
)

func benchMutexAlone(b *bench) {
	var mu sync.Mutex
	start := time.Now()
	for range b.n {
		mu.Lock()
		mu.Unlock()
	}
	b.perOp(start, b.n)
}

type counter struct {
	mu    sync.Mutex
	value int
}

func countUp(c *counter, times, load int) {
	x := uint64(1)
	for range times {
		c.mu.Lock()
		c.value++
		c.mu.Unlock()
		x = work(x, load)
	}
	if x == 0 {
		fail("mutex: work undone")
	}
}

func benchMutex(b *bench) {
	goroutines := b.arg(0, 8)
	load := b.arg(1, 0)
	c := &counter{}
	var wg sync.WaitGroup
	start := time.Now()
	for range goroutines {
		wg.Go(func() { countUp(c, b.n/goroutines, load) })
	}
	wg.Wait()
	b.perOp(start, b.n/goroutines*goroutines)
	if c.value != b.n/goroutines*goroutines {
		fail("mutex: lost counts")
	}
}

type guarded struct {
	mu    sync.RWMutex
	value int
}

func readAndWrite(s *guarded, times, every int) {
	seen := 0
	for i := 1; i <= times; i++ {
		if every != 0 && i%every == 0 {
			s.mu.Lock()
			s.value++
			s.mu.Unlock()
		} else {
			s.mu.RLock()
			seen += s.value
			s.mu.RUnlock()
		}
	}
	if seen < 0 {
		fail("rwmutex: impossible sum")
	}
}

func benchRWMutex(b *bench) {
	goroutines := b.arg(0, 1)
	every := b.arg(1, 0)
	s := &guarded{}
	var wg sync.WaitGroup
	start := time.Now()
	for range goroutines {
		wg.Go(func() { readAndWrite(s, b.n/goroutines, every) })
	}
	wg.Wait()
	b.perOp(start, b.n/goroutines*goroutines)
}

func addAndDone(wg *sync.WaitGroup, times int) {
	for range times {
		wg.Add(1)
		wg.Done()
	}
}

func benchWaitGroup(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	var common, wg sync.WaitGroup
	common.Add(1)
	start := time.Now()
	for range workers {
		wg.Go(func() { addAndDone(&common, b.n/workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
	common.Done()
	common.Wait()
}

func benchWaitGroupZero(b *bench) {
	var wg sync.WaitGroup
	start := time.Now()
	for range b.n {
		wg.Wait()
	}
	b.perOp(start, b.n)
}

func benchOnce(b *bench) {
	var once sync.Once
	done := 0
	start := time.Now()
	for range b.n {
		once.Do(func() { done++ })
	}
	b.perOp(start, b.n)
	if done != 1 {
		fail("once: done %d times", done)
	}
}

type turns struct {
	mu      sync.Mutex
	changed *sync.Cond
	turn    int
	last    int
}

func takeTurns(t *turns, me, members int) {
	t.mu.Lock()
	for {
		for t.turn < t.last && t.turn%members != me {
			t.changed.Wait()
		}
		if t.turn >= t.last {
			break
		}
		t.turn++
		t.changed.Broadcast()
	}
	t.mu.Unlock()
}

func benchCond(b *bench) {
	members := b.arg(0, 4)
	t := &turns{last: b.n}
	t.changed = sync.NewCond(&t.mu)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range members {
		wg.Go(func() { takeTurns(t, i, members) })
	}
	wg.Wait()
	b.perOp(start, b.n)
}

const keys = 1024

var values [keys]byte

func loadAll(m *sync.Map, times, hits int) {
	span := uint64(keys)
	if hits == 0 {
		span *= 8
	}
	found := 0
	for i := range times {
		if _, ok := m.Load(uint64(i) % span); ok {
			found++
		}
	}
	if found == 0 {
		fail("map_load: nothing found")
	}
}

func benchMapLoad(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	hits := b.arg(0, 1)
	m := &sync.Map{}
	for k := range uint64(keys) {
		m.Store(k, &values[k])
	}
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { loadAll(m, b.n/workers, hits) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

func storeAll(m *sync.Map, times int, seed uint64) {
	for i := range times {
		k := random(&seed) % keys
		if i%4 == 3 {
			m.Delete(k)
		} else {
			m.Store(k, &values[k])
		}
	}
}

func benchMapStore(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	m := &sync.Map{}
	var wg sync.WaitGroup
	start := time.Now()
	for i := range workers {
		wg.Go(func() { storeAll(m, b.n/workers, uint64(i)+1) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

type object [64]byte

func getAndPut(p *sync.Pool, times int) {
	for range times {
		o := p.Get().(*object)
		p.Put(o)
	}
}

func benchPool(b *bench) {
	workers := runtime.GOMAXPROCS(0)
	p := &sync.Pool{New: func() any { return new(object) }}
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() { getAndPut(p, b.n/workers) })
	}
	wg.Wait()
	b.perOp(start, b.n/workers*workers)
}

// group is what golang.org/x/sync/errgroup does with a context and no limit, in few lines.
type group struct {
	wg     sync.WaitGroup
	once   sync.Once
	cancel context.CancelCauseFunc
	err    error
}

func groupWith(parent context.Context) (*group, context.Context) {
	ctx, cancel := context.WithCancelCause(parent)
	return &group{cancel: cancel}, ctx
}

func (g *group) run(f func() error) {
	g.wg.Go(func() {
		if err := f(); err != nil {
			g.once.Do(func() {
				g.err = err
				g.cancel(err)
			})
		}
	})
}

func (g *group) wait() error {
	g.wg.Wait()
	g.cancel(g.err)
	return g.err
}

func succeed() error { return nil }

func benchErrgroup(b *bench) {
	start := time.Now()
	rounds := b.n / 10
	for range rounds {
		g, _ := groupWith(context.Background())
		for range 10 {
			g.run(succeed)
		}
		if g.wait() != nil {
			fail("errgroup: an error out of nowhere")
		}
	}
	b.perOp(start, rounds*10)
}
