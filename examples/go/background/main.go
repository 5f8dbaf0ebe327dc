// SPDX-License-Identifier: MIT

// A web server whose work goes on after the response: an order is accepted at once, with 202, and
// four workers see to it later.
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
	"syscall"
	"time"
)

type order struct {
	item, state string
	ended       chan bool
}

type shop struct {
	mu      sync.Mutex
	orders  []*order
	queue   chan *order
	working sync.WaitGroup
}

func (s *shop) setState(o *order, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.state = state
}

func finish(o *order) (state string) {
	defer func() {
		if recover() != nil {
			state = "failed"
		}
	}()
	if o.item == "trouble" {
		panic("there is no " + o.item + " in this shop")
	}
	time.Sleep(50 * time.Millisecond)
	return "done"
}

func (s *shop) worker() {
	for o := range s.queue {
		s.setState(o, "in work")
		s.setState(o, finish(o))
		close(o.ended)
	}
}

func (s *shop) post(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &order{item: r.PathValue("item"), state: "accepted", ended: make(chan bool)}
	select {
	case s.queue <- o:
		s.orders = append(s.orders, o)
		w.WriteHeader(202)
		fmt.Fprintf(w, "order %d accepted\n", len(s.orders))
	default:
		http.Error(w, "too many orders", 503)
	}
}

func (s *shop) get(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	s.mu.Lock()
	if id < 1 || id > len(s.orders) {
		s.mu.Unlock()
		http.Error(w, "no such order", 404)
		return
	}
	o := s.orders[id-1]
	s.mu.Unlock()
	if r.URL.Query().Has("wait") {
		select {
		case <-o.ended:
		case <-r.Context().Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(w, "order %d, %s: %s\n", id, o.item, o.state)
}

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	s := &shop{queue: make(chan *order, 64)}
	for range 4 {
		s.working.Go(s.worker)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{item}", s.post)
	mux.HandleFunc("GET /orders/{id}", s.get)
	server := &http.Server{Handler: mux}
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	fmt.Println("listening on", l.Addr())
	go server.Serve(l)
	<-stop.Done()
	server.Shutdown(context.Background())
	close(s.queue)
	s.working.Wait()
	done := 0
	for _, o := range s.orders {
		if o.state == "done" {
			done++
		}
	}
	fmt.Printf("%d of %d orders done\n", done, len(s.orders))
}
