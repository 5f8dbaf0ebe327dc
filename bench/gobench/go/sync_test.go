// SPDX-License-Identifier: MIT

package gobench

import (
	"sync"
	"testing"
)

func BenchmarkMutexUncontended(b *testing.B) {
	type padded struct {
		sync.Mutex
		_ [128]byte
	}
	b.RunParallel(func(pb *testing.PB) {
		var mu padded
		for pb.Next() {
			mu.Lock()
			mu.Unlock()
		}
	})
}

func benchmarkMutex(b *testing.B, slack bool, units int) {
	var mu sync.Mutex
	if slack {
		b.SetParallelism(10)
	}
	b.RunParallel(func(pb *testing.PB) {
		foo := uint64(1)
		for pb.Next() {
			mu.Lock()
			mu.Unlock()
			if units > 0 {
				foo = work(foo, units)
			}
		}
		if foo == 0 {
			b.Error("mutex: work undone")
		}
	})
}

func BenchmarkMutex(b *testing.B)          { benchmarkMutex(b, false, 0) }
func BenchmarkMutexSlack(b *testing.B)     { benchmarkMutex(b, true, 0) }
func BenchmarkMutexWork(b *testing.B)      { benchmarkMutex(b, false, 100) }
func BenchmarkMutexWorkSlack(b *testing.B) { benchmarkMutex(b, true, 100) }

type accounts struct {
	mu   sync.Mutex
	a, b uint64
}

func (s *accounts) move() {
	s.mu.Lock()
	s.a -= 100
	s.b += 100
	s.mu.Unlock()
}

func touch(data []uint64) {
	for i := 0; i < len(data); i += 4 {
		data[i]++
	}
}

func BenchmarkMutexNoSpin(b *testing.B) {
	var s accounts
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		c := make(chan bool)
		data := make([]uint64, 4<<10)
		for i := 0; pb.Next(); i++ {
			if i%4 == 0 {
				s.move()
			} else {
				touch(data)
				go func() { c <- true }()
				<-c
			}
		}
	})
}

func BenchmarkMutexSpin(b *testing.B) {
	var s accounts
	b.RunParallel(func(pb *testing.PB) {
		data := make([]uint64, 16<<10)
		for pb.Next() {
			s.move()
			touch(data)
		}
	})
}

func BenchmarkRWMutexUncontended(b *testing.B) {
	type padded struct {
		sync.RWMutex
		_ [128]byte
	}
	b.RunParallel(func(pb *testing.PB) {
		var mu padded
		for pb.Next() {
			mu.RLock()
			mu.RLock()
			mu.RUnlock()
			mu.RUnlock()
			mu.Lock()
			mu.Unlock()
		}
	})
}

func benchmarkRWMutex(b *testing.B, ratio, units int) {
	var mu sync.RWMutex
	b.RunParallel(func(pb *testing.PB) {
		foo := uint64(1)
		for i := 1; pb.Next(); i++ {
			if i%ratio == 0 {
				mu.Lock()
				mu.Unlock()
			} else {
				mu.RLock()
				if units > 0 {
					foo = work(foo, units)
				}
				mu.RUnlock()
			}
		}
		if foo == 0 {
			b.Error("rwmutex: work undone")
		}
	})
}

func BenchmarkRWMutexWrite100(b *testing.B)     { benchmarkRWMutex(b, 100, 0) }
func BenchmarkRWMutexWrite10(b *testing.B)      { benchmarkRWMutex(b, 10, 0) }
func BenchmarkRWMutexWorkWrite100(b *testing.B) { benchmarkRWMutex(b, 100, 100) }
func BenchmarkRWMutexWorkWrite10(b *testing.B)  { benchmarkRWMutex(b, 10, 100) }

func BenchmarkOnce(b *testing.B) {
	var once sync.Once
	f := func() {}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			once.Do(f)
		}
	})
}

var onceValue = sync.OnceValue(func() int { return 42 })

func BenchmarkOnceValue(b *testing.B) {
	for i := 0; i < b.N; i++ {
		if onceValue() != 42 {
			b.Fatal("once_value: another value")
		}
	}
}

func benchmarkCond(b *testing.B, waiters int) {
	c := sync.NewCond(&sync.Mutex{})
	id := 0
	var wg sync.WaitGroup
	for range waiters + 1 {
		wg.Go(func() {
			for i := 0; i < b.N; i++ {
				c.L.Lock()
				if id == -1 {
					c.L.Unlock()
					break
				}
				id++
				if id == waiters+1 {
					id = 0
					c.Broadcast()
				} else {
					c.Wait()
				}
				c.L.Unlock()
			}
			c.L.Lock()
			id = -1
			c.Broadcast()
			c.L.Unlock()
		})
	}
	wg.Wait()
}

func BenchmarkCond1(b *testing.B)  { benchmarkCond(b, 1) }
func BenchmarkCond2(b *testing.B)  { benchmarkCond(b, 2) }
func BenchmarkCond4(b *testing.B)  { benchmarkCond(b, 4) }
func BenchmarkCond8(b *testing.B)  { benchmarkCond(b, 8) }
func BenchmarkCond16(b *testing.B) { benchmarkCond(b, 16) }
func BenchmarkCond32(b *testing.B) { benchmarkCond(b, 32) }

func benchmarkPool(b *testing.B, puts, gets int) {
	var p sync.Pool
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for range puts {
				p.Put(1)
			}
			for range gets {
				p.Get()
			}
		}
	})
}

func BenchmarkPool(b *testing.B)           { benchmarkPool(b, 1, 1) }
func BenchmarkPoolOverflow(b *testing.B)   { benchmarkPool(b, 100, 100) }
func BenchmarkPoolStarvation(b *testing.B) { benchmarkPool(b, 67, 100) }
