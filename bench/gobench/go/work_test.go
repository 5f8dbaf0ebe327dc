// SPDX-License-Identifier: MIT

// Package gobench holds Go's side of bench/gobench: Go's own benchmarks, rewritten with their names
// and parameters so that both sides do the same work.
package gobench

// work is a dependency chain that no compiler can shorten.
func work(x uint64, units int) uint64 {
	for range units {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}
