// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime"
)

var (
	_ = row("echo", benchEcho)
	_ = row("echo_busy", benchEchoBusy)
	_ = row("http", benchHTTP)
)

func serve(c net.Conn) {
	defer c.Close()
	buffer := make([]byte, 4096)
	for {
		got, err := c.Read(buffer)
		if err != nil {
			return
		}
		if _, err := c.Write(buffer[:got]); err != nil {
			return
		}
	}
}

func listen(b *bench) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%s: %v", b.name, err)
	}
	fmt.Printf("port %d\n", l.Addr().(*net.TCPAddr).Port)
	return l
}

func benchEcho(b *bench) {
	l := listen(b)
	for {
		c, err := l.Accept()
		if err != nil {
			fail("%s: %v", b.name, err)
		}
		go serve(c)
	}
}

func compute() {
	for {
	}
}

func benchEchoBusy(b *bench) {
	for range 2 * runtime.GOMAXPROCS(0) {
		go compute()
	}
	benchEcho(b)
}

func benchHTTP(b *bench) {
	l := listen(b)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plaintext", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("Hello, World!"))
	})
	page := bytes.Repeat([]byte("x"), 4096)
	mux.HandleFunc("GET /4k", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write(page)
	})
	fail("%v", http.Serve(l, mux))
}
