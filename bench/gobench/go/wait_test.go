// SPDX-License-Identifier: MIT

package gobench

import (
	"sync"
	"testing"
)

func BenchmarkWaitGroupUncontended(b *testing.B) {
	type padded struct {
		sync.WaitGroup
		_ [128]byte
	}
	b.RunParallel(func(pb *testing.PB) {
		var wg padded
		for pb.Next() {
			wg.Add(1)
			wg.Done()
			wg.Wait()
		}
	})
}

func benchmarkWaitGroupAddDone(b *testing.B, units int) {
	var wg sync.WaitGroup
	b.RunParallel(func(pb *testing.PB) {
		foo := uint64(1)
		for pb.Next() {
			wg.Add(1)
			if units > 0 {
				foo = work(foo, units)
			}
			wg.Done()
		}
		if foo == 0 {
			b.Error("waitgroup: work undone")
		}
	})
}

func BenchmarkWaitGroupAddDone(b *testing.B)     { benchmarkWaitGroupAddDone(b, 0) }
func BenchmarkWaitGroupAddDoneWork(b *testing.B) { benchmarkWaitGroupAddDone(b, 100) }

func benchmarkWaitGroupWait(b *testing.B, units int) {
	var wg sync.WaitGroup
	b.RunParallel(func(pb *testing.PB) {
		foo := uint64(1)
		for pb.Next() {
			wg.Wait()
			if units > 0 {
				foo = work(foo, units)
			}
		}
		if foo == 0 {
			b.Error("waitgroup: work undone")
		}
	})
}

func BenchmarkWaitGroupWait(b *testing.B)     { benchmarkWaitGroupWait(b, 0) }
func BenchmarkWaitGroupWaitWork(b *testing.B) { benchmarkWaitGroupWait(b, 100) }

func BenchmarkWaitGroupActuallyWait(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			var wg sync.WaitGroup
			wg.Add(1)
			go func() { wg.Done() }()
			wg.Wait()
		}
	})
}
