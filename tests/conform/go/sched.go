// SPDX-License-Identifier: MIT

package main

import "runtime"

var _ = program("go.with_many_arguments", func() {
	go say("%d %d %s %g\n", 42, 13, "text", 0.5)
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
})
