// SPDX-License-Identifier: MIT

// bench_go NAME [N [ARGUMENT...]] runs one benchmark and prints its figures.
// bench/c holds the same names doing the same work: who changes one side changes both.
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

type bench struct {
	name string
	n    int // operations to do
	args []string
}

var rows = map[string]func(b *bench){}

// row registers a benchmark; the files call it from their var blocks.
func row(name string, run func(b *bench)) bool {
	rows[name] = run
	return true
}

// arg is parameter i, or the fallback when the command line has none.
func (b *bench) arg(i int, fallback int) int {
	if i >= len(b.args) {
		return fallback
	}
	v, err := strconv.Atoi(b.args[i])
	if err != nil {
		fail("bad argument %q", b.args[i])
	}
	return v
}

// report prints "NAME VALUE UNIT", or "NAME.METRIC VALUE UNIT".
func (b *bench) report(metric string, value float64, unit string) {
	if metric != "" {
		metric = "." + metric
	}
	fmt.Printf("%s%s %.6g %s\n", b.name, metric, value, unit)
}

// perOp reports the usual figure: nanoseconds since start, divided by ops.
func (b *bench) perOp(start time.Time, ops int) {
	b.report("", float64(time.Since(start))/float64(ops), "ns")
}

// ms reports milliseconds since start, for whole programs.
func (b *bench) ms(start time.Time) {
	b.report("", float64(time.Since(start))/1e6, "ms")
}

// percentiles reports p50, p99, p99.9 and the largest, in microseconds.
func (b *bench) percentiles(samples []int64) {
	slices.Sort(samples)
	n := len(samples)
	b.report("p50", float64(samples[n/2])/1e3, "us")
	b.report("p99", float64(samples[n*99/100])/1e3, "us")
	b.report("p999", float64(samples[n*999/1000])/1e3, "us")
	b.report("max", float64(samples[n-1])/1e3, "us")
}

// fail stops the program: the work was not done, so no figure may be printed.
func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
	os.Exit(3)
}

// statusBytes is the sum of lines of /proc/self/status, in bytes.
func statusBytes(keys ...string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail("%v", err)
	}
	sum := 0
	for line := range strings.Lines(string(text)) {
		for _, key := range keys {
			if rest, found := strings.CutPrefix(line, key+":"); found {
				kb, _ := strconv.Atoi(strings.Fields(rest)[0])
				sum += kb * 1024
			}
		}
	}
	return sum
}

// memory is resident memory and page tables; memoryPeak is the high-water mark.
func memory() int     { return statusBytes("VmRSS", "VmPTE") }
func memoryPeak() int { return statusBytes("VmHWM", "VmPTE") }

// cpu is the CPU time of the process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// work keeps the processor busy for a dependency chain of six instructions a unit.
func work(seed uint64, units int) uint64 {
	x := seed | 1
	for range units {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// random is a small generator with the same stream on both sides.
func random(state *uint64) uint64 {
	x := *state
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*state = x
	return x
}

// await spins in the runtime until count has reached the goal.
func await(count *atomic.Int64, goal int) {
	for count.Load() < int64(goal) {
		runtime.Gosched()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: bench_go NAME [N [ARGUMENT...]]")
	names := []string{}
	for name := range rows {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintln(os.Stderr, " ", name)
	}
	os.Exit(2)
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	b := &bench{name: os.Args[1], n: 1000000}
	if len(os.Args) > 2 {
		n, err := strconv.Atoi(os.Args[2])
		if err != nil {
			usage()
		}
		b.n = n
		b.args = os.Args[3:]
	}
	run := rows[b.name]
	if run == nil {
		fmt.Fprintf(os.Stderr, "bench_go: no benchmark %s\n", b.name)
		os.Exit(4)
	}
	run(b)
}
