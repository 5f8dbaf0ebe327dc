// SPDX-License-Identifier: MIT

// A health checker: asks many hosts, sixteen at a time, again every minute and whenever somebody
// wants to know, and serves a page that says which are up and what is wrong with the others.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type host struct{ url, state string }

var (
	hosts        []*host
	mu, checking sync.Mutex
)

func check(ctx context.Context, h *host) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "HEAD", h.url, nil)
	res, err := http.DefaultClient.Do(req)
	state := "up"
	if e, ok := err.(*url.Error); ok && e.Timeout() {
		state = "late"
	} else if err != nil {
		state = "unreachable"
	} else if res.StatusCode >= 400 {
		state = fmt.Sprintf("status %d", res.StatusCode)
	}
	mu.Lock()
	defer mu.Unlock()
	h.state = state
}

func checkAll(ctx context.Context) {
	checking.Lock()
	defer checking.Unlock()
	var all sync.WaitGroup
	slots := make(chan bool, 16)
	for _, h := range hosts {
		slots <- true
		all.Go(func() {
			check(ctx, h)
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
	for i := range 60 {
		where := l.Addr().String()
		if i%20 == 13 {
			where = "127.0.0.1:1"
		}
		hosts = append(hosts, &host{url: fmt.Sprintf("http://%s/host/%d", where, i)})
	}
	report := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/check" {
			checkAll(stop)
		}
		mu.Lock()
		defer mu.Unlock()
		up := 0
		for i, h := range hosts {
			if h.state == "up" {
				up++
			} else {
				fmt.Fprintf(w, "/host/%d: %s\n", i, h.state)
			}
		}
		fmt.Fprintf(w, "%d of %d are up\n", up, len(hosts))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", report)
	mux.HandleFunc("GET /check", report)
	mux.HandleFunc("GET /host/{i}", func(w http.ResponseWriter, r *http.Request) {
		i, _ := strconv.Atoi(r.PathValue("i"))
		switch i % 20 {
		case 4:
			select {
			case <-stop.Done():
			case <-time.After(time.Minute):
			}
		case 8:
			http.Error(w, "Service Unavailable", 503)
		case 9:
			http.Error(w, "Not Found", 404)
		}
	})
	var background sync.WaitGroup
	background.Go(func() {
		tick := time.NewTicker(time.Minute)
		for stop.Err() == nil {
			checkAll(stop)
			select {
			case <-stop.Done():
			case <-tick.C:
			}
		}
	})
	server := &http.Server{Handler: mux}
	fmt.Println("listening on", l.Addr())
	go server.Serve(l)
	<-stop.Done()
	server.Shutdown(context.Background())
	background.Wait()
	fmt.Println("ended")
}
