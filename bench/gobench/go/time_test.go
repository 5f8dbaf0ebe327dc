// SPDX-License-Identifier: MIT

package gobench

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

func nothing() {}

// benchTimers runs body beside 32,768 pending timers for each P.
func benchTimers(b *testing.B, body func(pb *testing.PB)) {
	all := make([][]*time.Timer, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			garbage := make([]*time.Timer, 1<<15)
			for j := range garbage {
				garbage[j] = time.AfterFunc(time.Hour, nothing)
			}
			all[i] = garbage
		})
	}
	wg.Wait()
	b.ResetTimer()
	b.RunParallel(body)
	b.StopTimer()
	for _, garbage := range all {
		for _, t := range garbage {
			t.Stop()
		}
	}
}

func BenchmarkAfterFunc1000(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		for pb.Next() {
			n := 1000
			c := make(chan bool)
			var f func()
			f = func() {
				n--
				if n >= 0 {
					time.AfterFunc(0, f)
				} else {
					c <- true
				}
			}
			time.AfterFunc(0, f)
			<-c
		}
	})
}

func BenchmarkAfter(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		for pb.Next() {
			<-time.After(1)
		}
	})
}

func BenchmarkStop(b *testing.B) {
	b.Run("impl=chan", func(b *testing.B) {
		benchTimers(b, func(pb *testing.PB) {
			for pb.Next() {
				time.NewTimer(time.Second).Stop()
			}
		})
	})
	b.Run("impl=func", func(b *testing.B) {
		benchTimers(b, func(pb *testing.PB) {
			for pb.Next() {
				time.AfterFunc(time.Second, nothing).Stop()
			}
		})
	})
}

func BenchmarkSimultaneousAfterFunc1000(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		for pb.Next() {
			n := 1000
			var wg sync.WaitGroup
			wg.Add(n)
			for range n {
				time.AfterFunc(0, wg.Done)
			}
			wg.Wait()
		}
	})
}

func BenchmarkStartStop1000(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		for pb.Next() {
			const n = 1000
			timers := make([]*time.Timer, n)
			for i := range timers {
				timers[i] = time.AfterFunc(time.Hour, nothing)
			}
			for i := range timers {
				timers[i].Stop()
			}
		}
	})
}

func BenchmarkReset(b *testing.B) {
	b.Run("impl=chan", func(b *testing.B) {
		benchTimers(b, func(pb *testing.PB) {
			t := time.NewTimer(time.Hour)
			for pb.Next() {
				t.Reset(time.Hour)
			}
			t.Stop()
		})
	})
	b.Run("impl=func", func(b *testing.B) {
		benchTimers(b, func(pb *testing.PB) {
			t := time.AfterFunc(time.Hour, nothing)
			for pb.Next() {
				t.Reset(time.Hour)
			}
			t.Stop()
		})
	})
}

func BenchmarkSleep1000(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		for pb.Next() {
			const n = 1000
			var wg sync.WaitGroup
			wg.Add(n)
			for range n {
				go func() {
					time.Sleep(time.Nanosecond)
					wg.Done()
				}()
			}
			wg.Wait()
		}
	})
}

func BenchmarkAdjustTimers10000(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		for pb.Next() {
			const n = 10000
			timers := make([]*time.Timer, 0, n)
			for range n {
				timers = append(timers, time.AfterFunc(time.Hour, nothing))
			}
			timers[n-1].Reset(time.Nanosecond)
			time.Sleep(time.Microsecond)
			for _, t := range timers {
				t.Stop()
			}
		}
	})
}

func BenchmarkTicker(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		t := time.NewTicker(time.Nanosecond)
		for pb.Next() {
			<-t.C
		}
		t.Stop()
	})
}

func BenchmarkTickerReset(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		t := time.NewTicker(time.Nanosecond)
		for pb.Next() {
			t.Reset(2 * time.Nanosecond)
		}
		t.Stop()
	})
}

func BenchmarkTickerResetNaive(b *testing.B) {
	benchTimers(b, func(pb *testing.PB) {
		t := time.NewTicker(time.Nanosecond)
		for pb.Next() {
			t.Stop()
			t = time.NewTicker(2 * time.Nanosecond)
		}
		t.Stop()
	})
}
