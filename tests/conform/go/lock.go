// SPDX-License-Identifier: MIT

package main

import "sync"

var _ = program("mutex.unlock_of_unlocked", func() {
	var m sync.Mutex
	m.Unlock()
})

var _ = program("mutex.unlock_twice", func() {
	var m sync.Mutex
	m.Lock()
	m.Unlock()
	m.Unlock()
})

var _ = program("mutex.misuse_cannot_be_recovered", func() {
	defer func() { say("recovered %v\n", recover() != nil) }()
	var m sync.Mutex
	m.Unlock()
})

var _ = program("rwmutex.unlock_of_unlocked", func() {
	var m sync.RWMutex
	m.Unlock()
})

var _ = program("rwmutex.unlock_of_read_locked", func() {
	var m sync.RWMutex
	m.RLock()
	m.Unlock()
})

var _ = program("rwmutex.unlock_twice", func() {
	var m sync.RWMutex
	m.Lock()
	m.Unlock()
	m.Unlock()
})

var _ = program("rwmutex.runlock_of_unlocked", func() {
	var m sync.RWMutex
	m.RUnlock()
})

var _ = program("rwmutex.runlock_of_write_locked", func() {
	var m sync.RWMutex
	m.Lock()
	m.RUnlock()
})

var _ = program("rwmutex.runlock_twice", func() {
	var m sync.RWMutex
	m.RLock()
	m.RUnlock()
	m.RUnlock()
})

var _ = program("waitgroup.panic_in_go_does_not_release_the_waiter", func() {
	var wg sync.WaitGroup
	wg.Add(1)
	go panic("test")
	wg.Wait()
	say("released\n")
})

var _ = program("waitgroup.results_by_index", func() {
	var squares [10]int
	var wg sync.WaitGroup
	for i := range squares {
		wg.Go(func() { squares[i] = i * i })
	}
	wg.Wait()
	for i, v := range squares {
		say("%d %d\n", i, v)
	}
})
