// SPDX-License-Identifier: MIT

package gobench

import (
	"container/list"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// weighted, group and limiter do what x/sync's semaphore.Weighted and errgroup.Group and x/time's
// rate.Limiter do on the paths measured here, with the same algorithms, in terms of the standard
// library alone: so nothing has to be fetched.

type weighted struct {
	size, cur int64
	mu        sync.Mutex
	waiters   list.List
}

type waiter struct {
	n     int64
	ready chan struct{}
}

func (s *weighted) acquire(ctx context.Context, n int64) error {
	done := ctx.Done()
	s.mu.Lock()
	select {
	case <-done:
		s.mu.Unlock()
		return ctx.Err()
	default:
	}
	if s.size-s.cur >= n && s.waiters.Len() == 0 {
		s.cur += n
		s.mu.Unlock()
		return nil
	}
	if n > s.size {
		s.mu.Unlock()
		<-done
		return ctx.Err()
	}
	ready := make(chan struct{})
	place := s.waiters.PushBack(waiter{n, ready})
	s.mu.Unlock()
	select {
	case <-done:
		s.mu.Lock()
		select {
		case <-ready:
			s.cur -= n
			s.serve()
		default:
			first := s.waiters.Front() == place
			s.waiters.Remove(place)
			if first && s.size > s.cur {
				s.serve()
			}
		}
		s.mu.Unlock()
		return ctx.Err()
	case <-ready:
		return nil
	}
}

func (s *weighted) release(n int64) {
	s.mu.Lock()
	s.cur -= n
	if s.cur < 0 {
		s.mu.Unlock()
		panic("semaphore: released more than held")
	}
	s.serve()
	s.mu.Unlock()
}

func (s *weighted) serve() {
	for next := s.waiters.Front(); next != nil; next = s.waiters.Front() {
		w := next.Value.(waiter)
		if s.size-s.cur < w.n {
			break
		}
		s.cur += w.n
		s.waiters.Remove(next)
		close(w.ready)
	}
}

func BenchmarkAcquireSeq(b *testing.B) {
	for _, c := range []struct{ size, each, n int64 }{
		{1, 1, 1}, {2, 1, 1}, {128, 1, 1}, {16, 2, 8}, {128, 2, 64},
	} {
		b.Run(fmt.Sprintf("Weighted-acquire-%d-%d-%d", c.size, c.each, c.n), func(b *testing.B) {
			s := &weighted{size: c.size}
			for i := 0; i < b.N; i++ {
				for range c.n {
					if s.acquire(context.Background(), c.each) != nil {
						b.Fatal("semaphore: refused")
					}
				}
				for range c.n {
					s.release(c.each)
				}
			}
		})
	}
}

func BenchmarkAcquireContended(b *testing.B) {
	s := &weighted{size: int64(2 * runtime.GOMAXPROCS(0))}
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if s.acquire(context.Background(), 1) != nil {
				b.Error("semaphore: refused")
			}
			s.release(1)
		}
	})
}

type group struct {
	cancel func(error)
	wg     sync.WaitGroup
	slots  chan struct{}
	once   sync.Once
	err    error
}

func (g *group) done() {
	if g.slots != nil {
		<-g.slots
	}
	g.wg.Done()
}

func (g *group) run(f func() error) {
	if g.slots != nil {
		g.slots <- struct{}{}
	}
	g.wg.Add(1)
	go func() {
		defer g.done()
		if err := f(); err != nil {
			g.once.Do(func() {
				g.err = err
				if g.cancel != nil {
					g.cancel(g.err)
				}
			})
		}
	}()
}

func (g *group) wait() error {
	g.wg.Wait()
	if g.cancel != nil {
		g.cancel(g.err)
	}
	return g.err
}

func succeed() error { return nil }

func BenchmarkGo(b *testing.B) {
	g := &group{}
	for i := 0; i < b.N; i++ {
		g.run(succeed)
	}
	if g.wait() != nil {
		b.Fatal("errgroup: an error out of nowhere")
	}
}

type limiter struct {
	mu     sync.Mutex
	rate   float64
	burst  int
	tokens float64
	last   time.Time
	event  time.Time
}

type reservation struct {
	ok     bool
	lim    *limiter
	tokens int
	at     time.Time
	rate   float64
}

func (l *limiter) reserve(now time.Time, n int, longest time.Duration) reservation {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.last
	if now.Before(last) {
		last = now
	}
	tokens := l.tokens + now.Sub(last).Seconds()*l.rate
	if most := float64(l.burst); tokens > most {
		tokens = most
	}
	tokens -= float64(n)
	var wait time.Duration
	if tokens < 0 {
		wait = time.Duration(float64(time.Second) * (-tokens / l.rate))
	}
	r := reservation{ok: n <= l.burst && wait <= longest, lim: l, rate: l.rate}
	if r.ok {
		r.tokens = n
		r.at = now.Add(wait)
		l.last = now
		l.tokens = tokens
		l.event = r.at
	}
	return r
}

func (l *limiter) wait(ctx context.Context, n int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	now := time.Now()
	longest := time.Duration(1<<63 - 1)
	if deadline, ok := ctx.Deadline(); ok {
		longest = deadline.Sub(now)
	}
	r := l.reserve(now, n, longest)
	if !r.ok {
		return fmt.Errorf("rate: Wait(n=%d) would exceed context deadline", n)
	}
	if delay := r.at.Sub(now); delay > 0 {
		time.Sleep(delay)
	}
	return nil
}

func BenchmarkAllowN(b *testing.B) {
	l := &limiter{rate: 1, burst: 1, tokens: 1}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.reserve(time.Now(), 1, 0)
		}
	})
}

func BenchmarkWaitNNoDelay(b *testing.B) {
	l := &limiter{rate: 1, burst: b.N, tokens: float64(b.N)}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.wait(context.Background(), 1)
		}
	})
}
