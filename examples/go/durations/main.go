// SPDX-License-Identifier: MIT

// The twin of durations.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	film := time.Hour + 47*time.Minute + 30*time.Second
	fmt.Printf("the film runs for %d s, or %.3f h\n", film/time.Second, film.Hours())
	fmt.Printf("in hours, minutes, seconds: %d:%02d:%02d\n", film/time.Hour,
		film%time.Hour/time.Minute, film%time.Minute/time.Second)
	fmt.Printf("250 us are %d ns\n", (250 * time.Microsecond).Nanoseconds())

	start := time.Now()
	time.Sleep(20 * time.Millisecond)
	fmt.Printf("slept for 20 ms or longer: %t\n", time.Since(start) >= 20*time.Millisecond)

	deadline := start.Add(40 * time.Millisecond)
	time.Sleep(time.Until(deadline))
	fmt.Printf("woke at the deadline or later: %t\n", !time.Now().Before(deadline))

	start = time.Now()
	time.Sleep(-time.Second)
	time.Sleep(0)
	fmt.Printf("zero and negative sleeps return at once: %t\n", time.Since(start) < time.Second)

	var wg sync.WaitGroup
	start = time.Now()
	for range 10 {
		wg.Go(func() { time.Sleep(100 * time.Millisecond) })
	}
	wg.Wait()
	fmt.Printf("ten sleeps side by side take less than ten in a row: %t\n",
		time.Since(start) < 1000*time.Millisecond)
}
