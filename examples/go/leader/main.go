// SPDX-License-Identifier: MIT

// The twin of leader.c: the same program, the same output.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

const (
	nodes    = 5
	versions = 50
)

var cluster struct {
	elected           sync.Once
	leader, elections int
}

var config struct {
	mu             sync.RWMutex
	version, check int
}

type outcome struct {
	leader, torn int
	led          bool
}

func elect(node int) {
	cluster.leader = node
	cluster.elections++
}

func lead() {
	for v := 1; v <= versions; v++ {
		config.mu.Lock()
		config.version = v
		runtime.Gosched()
		config.check = v * v
		config.mu.Unlock()
		runtime.Gosched()
	}
}

func follow() int {
	torn := 0
	for seen := 0; seen < versions; {
		config.mu.RLock()
		seen = config.version
		if config.check != seen*seen {
			torn++
		}
		config.mu.RUnlock()
		runtime.Gosched()
	}
	return torn
}

func node(id int, start <-chan bool, out chan<- outcome) {
	<-start
	cluster.elected.Do(func() { elect(id) })
	o := outcome{leader: cluster.leader, led: cluster.leader == id}
	if o.led {
		lead()
	} else {
		o.torn = follow()
	}
	out <- o
}

func main() {
	start := make(chan bool)
	out := make(chan outcome)
	for id := 1; id <= nodes; id++ {
		go node(id, start, out)
	}
	close(start)

	leaders, agree, torn := 0, 0, 0
	for range nodes {
		o := <-out
		if o.led {
			leaders++
		}
		if o.leader == cluster.leader {
			agree++
		}
		torn += o.torn
	}
	fmt.Printf("%d election, %d leader, %d nodes agree on it\n", cluster.elections, leaders, agree)
	fmt.Printf("configuration version %d, half changes seen: %d\n", config.version, torn)
}
