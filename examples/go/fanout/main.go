// SPDX-License-Identifier: MIT

// A page made of five services' answers, asked at the same time. What fails or is not there in two
// seconds is left out, and the rest is shown.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var services = []struct {
	name  string
	takes time.Duration
}{
	{"profile", 100 * time.Millisecond}, {"orders", 200 * time.Millisecond},
	{"news", 300 * time.Millisecond}, {"weather", 400 * time.Millisecond},
	{"offers", 500 * time.Millisecond},
}

func ask(ctx context.Context, url string) (string, bool) {
	req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		defer res.Body.Close()
		var body []byte
		if body, err = io.ReadAll(res.Body); err == nil {
			if res.StatusCode != 200 {
				return fmt.Sprintf("status %d", res.StatusCode), false
			}
			return string(body), true
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "too late", false
	}
	return "no answer", false
}

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	self := l.Addr().String()
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page/{user}", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		parts := make([]string, len(services))
		good := make([]bool, len(services))
		var asking sync.WaitGroup
		for i, s := range services {
			asking.Go(func() {
				url := fmt.Sprintf("http://%s/service/%s/%s", self, s.name, r.PathValue("user"))
				parts[i], good[i] = ask(ctx, url)
			})
		}
		asking.Wait()
		w.Header().Set("X-Parts", "all")
		for _, ok := range good {
			if !ok {
				w.Header().Set("X-Parts", "some")
			}
		}
		for i, s := range services {
			fmt.Fprintf(w, "%s: %s\n", s.name, parts[i])
		}
	})
	for _, s := range services {
		mux.HandleFunc("GET /service/"+s.name+"/{user}",
			func(w http.ResponseWriter, r *http.Request) {
				user, takes := r.PathValue("user"), s.takes
				if user == "fail" && s.name == "news" {
					http.Error(w, "Internal Server Error", 500)
					return
				}
				if user == "hang" && s.name == "weather" {
					takes = time.Minute
				}
				select {
				case <-stop.Done():
				case <-time.After(takes):
				}
				fmt.Fprintf(w, "%s of %s", s.name, user)
			})
	}
	server := &http.Server{Handler: mux}
	fmt.Println("listening on", self)
	go server.Serve(l)
	<-stop.Done()
	server.Shutdown(context.Background())
	fmt.Println("ended")
}
