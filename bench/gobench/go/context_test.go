// SPDX-License-Identifier: MIT

package gobench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

type key int

const nameKey key = -2

func BenchmarkCommonParentCancel(b *testing.B) {
	root := context.WithValue(context.Background(), nameKey, "value")
	shared, end := context.WithCancel(root)
	defer end()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		x := uint64(1)
		for pb.Next() {
			ctx, cancel := context.WithCancel(shared)
			if ctx.Value(nameKey).(string) != "value" {
				b.Error("context: no value")
			}
			x = work(x, 100)
			cancel()
			x = work(x, 100)
		}
		if x == 0 {
			b.Error("context: work undone")
		}
	})
}

func BenchmarkWithTimeout(b *testing.B) {
	for _, concurrency := range []int{40, 4000, 400000} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			benchWithTimeout(b, concurrency)
		})
	}
}

func fill(cancel []context.CancelFunc) {
	for i := range cancel {
		_, cancel[i] = context.WithTimeout(context.Background(), time.Hour)
	}
}

func benchWithTimeout(b *testing.B, concurrency int) {
	procs := runtime.GOMAXPROCS(0)
	others := make([][]context.CancelFunc, procs)
	var wg sync.WaitGroup
	for i := range others {
		wg.Go(func() {
			cancel := make([]context.CancelFunc, concurrency/procs)
			fill(cancel)
			others[i] = cancel
		})
	}
	wg.Wait()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		cancel := make([]context.CancelFunc, 10)
		for pb.Next() {
			fill(cancel)
			for _, f := range cancel {
				f()
			}
		}
	})
	b.StopTimer()
	for _, cancel := range others {
		for _, f := range cancel {
			f()
		}
	}
}

func build(ctx context.Context, depth int) {
	for range depth {
		ctx, _ = context.WithCancel(ctx)
	}
}

func BenchmarkCancelTree(b *testing.B) {
	for _, depth := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			b.Run("Root=Background", func(b *testing.B) {
				for i := 0; i < b.N; i++ {
					build(context.Background(), depth)
				}
			})
			b.Run("Root=OpenCanceler", func(b *testing.B) {
				for i := 0; i < b.N; i++ {
					ctx, cancel := context.WithCancel(context.Background())
					build(ctx, depth)
					cancel()
				}
			})
			b.Run("Root=ClosedCanceler", func(b *testing.B) {
				for i := 0; i < b.N; i++ {
					ctx, cancel := context.WithCancel(context.Background())
					cancel()
					build(ctx, depth)
				}
			})
		})
	}
}

func BenchmarkCheckCanceled(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.Run("Err", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			if ctx.Err() == nil {
				b.Fatal("context: another error")
			}
		}
	})
	b.Run("Done", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			select {
			case <-ctx.Done():
			default:
			}
		}
	})
}

func BenchmarkContextCancelDone(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			select {
			case <-ctx.Done():
			default:
			}
		}
	})
}

func deep(depth int) context.Context {
	ctx := context.Background()
	for i := range depth {
		ctx = context.WithValue(ctx, key(i), i)
	}
	return ctx
}

func BenchmarkDeepValueNewGoRoutine(b *testing.B) {
	for _, depth := range []int{10, 100} {
		ctx := deep(depth)
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				var wg sync.WaitGroup
				wg.Add(1)
				go func() {
					ctx.Value(key(-1))
					wg.Done()
				}()
				wg.Wait()
			}
		})
	}
}

func BenchmarkDeepValueSameGoRoutine(b *testing.B) {
	for _, depth := range []int{10, 100} {
		ctx := deep(depth)
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				ctx.Value(key(-1))
			}
		})
	}
}

func BenchmarkErrOK(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := 0; i < b.N; i++ {
		if err := ctx.Err(); err != nil {
			b.Fatalf("ctx.Err() = %v", err)
		}
	}
}

func BenchmarkErrCanceled(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for i := 0; i < b.N; i++ {
		if err := ctx.Err(); err == nil {
			b.Fatalf("ctx.Err() = %v", err)
		}
	}
}
