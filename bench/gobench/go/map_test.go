// SPDX-License-Identifier: MIT

package gobench

import (
	"sync"
	"sync/atomic"
	"testing"
)

// benchMap fills a map with `hits` keys and runs body in parallel; i is the first key of a goroutine.
func benchMap(b *testing.B, hits int, body func(pb *testing.PB, i int, m *sync.Map)) {
	var m sync.Map
	for i := range hits {
		m.LoadOrStore(i, i)
	}
	for i := 0; i < hits*2; i++ { // a steady state
		m.Load(i % hits)
	}
	b.ResetTimer()
	var goroutines atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		id := int(goroutines.Add(1) - 1)
		body(pb, id*b.N, &m)
	})
}

func benchMapLoad(b *testing.B, hits, misses int) {
	benchMap(b, hits, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			m.Load(i % (hits + misses))
		}
	})
}

func BenchmarkMapLoadMostlyHits(b *testing.B)   { benchMapLoad(b, 1023, 1) }
func BenchmarkMapLoadMostlyMisses(b *testing.B) { benchMapLoad(b, 1, 1023) }

func BenchmarkMapLoadOrStoreBalanced(b *testing.B) {
	const hits, misses = 128, 128
	benchMap(b, hits, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			j := i % (hits + misses)
			if j < hits {
				if _, ok := m.LoadOrStore(j, i); !ok {
					b.Errorf("unexpected miss for %v", j)
				}
			} else if v, loaded := m.LoadOrStore(i, i); loaded {
				b.Errorf("failed to store %v: existing value %v", i, v)
			}
		}
	})
}

func BenchmarkMapLoadOrStoreUnique(b *testing.B) {
	benchMap(b, 0, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			m.LoadOrStore(i, i)
		}
	})
}

func BenchmarkMapLoadOrStoreCollision(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			m.LoadOrStore(0, 0)
		}
	})
}

func BenchmarkMapLoadAndDeleteBalanced(b *testing.B) {
	const hits, misses = 128, 128
	benchMap(b, hits, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			j := i % (hits + misses)
			if j < hits {
				m.LoadAndDelete(j)
			} else {
				m.LoadAndDelete(i)
			}
		}
	})
}

func BenchmarkMapLoadAndDeleteUnique(b *testing.B) {
	benchMap(b, 0, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			m.LoadAndDelete(i)
		}
	})
}

func BenchmarkMapLoadAndDeleteCollision(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			if _, loaded := m.LoadAndDelete(0); loaded {
				m.Store(0, 0)
			}
		}
	})
}

func BenchmarkMapRange(b *testing.B) {
	benchMap(b, 1<<10, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			m.Range(func(_, _ any) bool { return true })
		}
	})
}

func BenchmarkMapAdversarialAlloc(b *testing.B) {
	benchMap(b, 0, func(pb *testing.PB, i int, m *sync.Map) {
		var stores, loads int64
		for ; pb.Next(); i++ {
			m.Load(i)
			if loads++; loads > stores {
				m.LoadOrStore(i, stores)
				loads = 0
				stores++
			}
		}
	})
}

func BenchmarkMapAdversarialDelete(b *testing.B) {
	const size = 1 << 10
	benchMap(b, size, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			m.Load(i)
			if i%size == 0 {
				m.Range(func(k, _ any) bool {
					m.Delete(k)
					return false
				})
				m.Store(i, i)
			}
		}
	})
}

func BenchmarkMapDeleteCollision(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			m.Delete(0)
		}
	})
}

func BenchmarkMapSwapCollision(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			m.Swap(0, 0)
		}
	})
}

func benchMapSwap(b *testing.B, hits, misses int) {
	benchMap(b, hits, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			if v := i % (hits + misses); v < hits {
				m.Swap(v, v)
			} else {
				m.Swap(i, i)
				m.Delete(i)
			}
		}
	})
}

func BenchmarkMapSwapMostlyHits(b *testing.B)   { benchMapSwap(b, 1023, 1) }
func BenchmarkMapSwapMostlyMisses(b *testing.B) { benchMapSwap(b, 1, 1023) }

func BenchmarkMapCompareAndSwapCollision(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			if m.CompareAndSwap(0, 0, 42) {
				m.CompareAndSwap(0, 42, 0)
			}
		}
	})
}

func BenchmarkMapCompareAndSwapNoExistingKey(b *testing.B) {
	benchMap(b, 0, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			if m.CompareAndSwap(i, 0, 0) {
				m.Delete(i)
			}
		}
	})
}

func BenchmarkMapCompareAndSwapValueNotEqual(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			m.CompareAndSwap(0, 1, 2)
		}
	})
}

func benchMapCompareAndSwap(b *testing.B, hits, misses int) {
	benchMap(b, hits, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			v := i
			if i%(hits+misses) < hits {
				v = i % (hits + misses)
			}
			m.CompareAndSwap(v, v, v)
		}
	})
}

func BenchmarkMapCompareAndSwapMostlyHits(b *testing.B)   { benchMapCompareAndSwap(b, 1023, 1) }
func BenchmarkMapCompareAndSwapMostlyMisses(b *testing.B) { benchMapCompareAndSwap(b, 1, 1023) }

func BenchmarkMapCompareAndDeleteCollision(b *testing.B) {
	benchMap(b, 1, func(pb *testing.PB, i int, m *sync.Map) {
		for pb.Next() {
			if m.CompareAndDelete(0, 0) {
				m.Store(0, 0)
			}
		}
	})
}

func benchMapCompareAndDelete(b *testing.B, hits, misses int) {
	benchMap(b, hits, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			v := i
			if i%(hits+misses) < hits {
				v = i % (hits + misses)
			}
			if m.CompareAndDelete(v, v) {
				m.Store(v, v)
			}
		}
	})
}

func BenchmarkMapCompareAndDeleteMostlyHits(b *testing.B)   { benchMapCompareAndDelete(b, 1023, 1) }
func BenchmarkMapCompareAndDeleteMostlyMisses(b *testing.B) { benchMapCompareAndDelete(b, 1, 1023) }

func BenchmarkMapClear(b *testing.B) {
	benchMap(b, 0, func(pb *testing.PB, i int, m *sync.Map) {
		for ; pb.Next(); i++ {
			m.Clear()
			m.Store(i%256, i%256)
		}
	})
}
