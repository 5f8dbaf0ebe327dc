// SPDX-License-Identifier: MIT

// The twin of rate_client.c: the same program, the same output.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// limiter is what this program needs of golang.org/x/time/rate.
type limiter struct {
	mu            sync.Mutex
	perSecond     float64
	burst, tokens float64
	last          time.Time
}

func newLimiter(perSecond, burst float64) *limiter {
	return &limiter{perSecond: perSecond, burst: burst, tokens: burst, last: time.Now()}
}

// fill adds the tokens that came since the last look. The caller holds l.mu.
func (l *limiter) fill() {
	now := time.Now()
	l.tokens = min(l.burst, l.tokens+now.Sub(l.last).Seconds()*l.perSecond)
	l.last = now
}

func (l *limiter) allow() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fill()
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

func (l *limiter) wait(ctx context.Context) error {
	l.mu.Lock()
	l.fill()
	var delay time.Duration
	if l.tokens < 1 {
		delay = time.Duration((1 - l.tokens) / l.perSecond * float64(time.Second))
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
		l.mu.Unlock()
		return errors.New("rate: Wait(n=1) would exceed context deadline")
	}
	l.tokens--
	l.mu.Unlock()
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func client(ctx context.Context, limit *limiter, requests int, sent *int) {
	for range requests {
		if limit.wait(ctx) != nil {
			return
		}
		*sent++
	}
}

func main() {
	slow := newLimiter(0.001, 3)
	for i := 1; i <= 4; i++ {
		fmt.Printf("request %d allowed: %t\n", i, slow.allow())
	}

	shared := newLimiter(50, 2)
	var sent [2]int
	var wg sync.WaitGroup
	start := time.Now()
	for i := range sent {
		wg.Go(func() { client(context.Background(), shared, 6, &sent[i]) })
	}
	wg.Wait()
	fmt.Printf("sent %d requests\n", sent[0]+sent[1])
	fmt.Printf("that took 190 ms or more: %t\n", time.Since(start) >= 190*time.Millisecond)

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	fmt.Printf("wait for the slow limiter fails: %t\n", slow.wait(ctx) != nil)
}
