// SPDX-License-Identifier: MIT

// A cache that is warm before the first request, and stays so.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const fresh = time.Minute

type page struct {
	loading sync.Mutex // one load at a time
	mu      sync.RWMutex
	text    string
	until   time.Time
}

var (
	pages [1000]page
	loads atomic.Int32
)

func (p *page) look(yet time.Duration) (string, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.text, p.until.After(time.Now().Add(yet))
}

func (p *page) refresh(n int, yet time.Duration) {
	p.loading.Lock()
	defer p.loading.Unlock()
	if _, ok := p.look(yet); ok {
		return // somebody else has
	}
	time.Sleep(20 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.until = fmt.Sprintf("this is page %d\n", n), time.Now().Add(fresh)
	loads.Add(1)
}

func warm() {
	var all sync.WaitGroup
	slots := make(chan bool, 8)
	for n := range 40 {
		slots <- true
		all.Go(func() {
			pages[n].refresh(n, fresh/2)
			<-slots
		})
	}
	all.Wait()
}

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	warm()
	var background sync.WaitGroup
	background.Go(func() {
		tick := time.NewTicker(fresh / 2)
		for {
			select {
			case <-stop.Done():
				return
			case <-tick.C:
				warm()
			}
		}
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		if n < 0 || n >= len(pages) {
			http.Error(w, "no such page", 404)
			return
		}
		text, hit := pages[n].look(0)
		w.Header().Set("X-Cache", map[bool]string{true: "hit", false: "miss"}[hit])
		if !hit {
			pages[n].refresh(n, 0)
			text, _ = pages[n].look(0)
		}
		fmt.Fprint(w, text)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		there := 0
		for i := range pages {
			if _, ok := pages[i].look(0); ok {
				there++
			}
		}
		fmt.Fprintf(w, "%d pages, %d loads\n", there, loads.Load())
	})
	server := &http.Server{Handler: mux}
	fmt.Println("listening on", l.Addr())
	go server.Serve(l)
	<-stop.Done()
	server.Shutdown(context.Background())
	background.Wait()
	fmt.Println("ended")
}
