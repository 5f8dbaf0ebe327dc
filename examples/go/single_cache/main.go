// SPDX-License-Identifier: MIT

// The twin of single_cache.c: the same program, the same output.
package main

import (
	"fmt"
	"sync"
	"time"
)

// single is what this program needs of golang.org/x/sync/singleflight.
type single struct {
	mu    sync.Mutex
	calls map[string]*call
}

type call struct {
	done  chan struct{}
	value string
}

func (s *single) do(key string, fn func(string) string) string {
	s.mu.Lock()
	if c, ok := s.calls[key]; ok {
		s.mu.Unlock()
		<-c.done
		return c.value
	}
	c := &call{done: make(chan struct{})}
	s.calls[key] = c
	s.mu.Unlock()

	c.value = fn(key)

	s.mu.Lock()
	delete(s.calls, key)
	s.mu.Unlock()
	close(c.done)
	return c.value
}

var cache struct {
	pages   sync.Map
	loading single
	mu      sync.Mutex
	loads   int
}

func load(key string) string {
	if v, ok := cache.pages.Load(key); ok {
		return v.(string)
	}
	time.Sleep(5 * time.Millisecond)
	cache.mu.Lock()
	cache.loads++
	cache.mu.Unlock()
	page := "page of " + key
	cache.pages.Store(key, page)
	return page
}

func get(key string) string {
	if v, ok := cache.pages.Load(key); ok {
		return v.(string)
	}
	return cache.loading.do(key, load)
}

var keys = []string{"ada", "bob", "cyd"}

const callers = 300

func caller(i int, out chan<- string) {
	out <- get(keys[i%len(keys)])
}

func main() {
	cache.loading.calls = make(map[string]*call)
	out := make(chan string)
	for i := range callers {
		go caller(i, out)
	}
	answered := 0
	for range callers {
		if <-out != "" {
			answered++
		}
	}
	fmt.Printf("%d callers answered, %d loads\n", answered, cache.loads)
	for _, key := range keys {
		fmt.Printf("%s: %s\n", key, get(key))
	}
}
