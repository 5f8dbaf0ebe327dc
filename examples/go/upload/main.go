// SPDX-License-Identifier: MIT

// An upload processor: what is sent is counted, summed and written to a file while it arrives. Four
// are processed at a time, the others wait. A file appears under its name when it is whole.
package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"
)

type sums struct {
	bytes, lines, words int
	inWord              bool
}

func (s *sums) Write(data []byte) (int, error) {
	s.bytes += len(data)
	for _, c := range data {
		blank := unicode.IsSpace(rune(c)) && c < 0x80
		if c == '\n' {
			s.lines++
		}
		if !blank && !s.inWord {
			s.words++
		}
		s.inWord = !blank
	}
	return len(data), nil
}

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	directory, err := os.MkdirTemp("", "upload-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	slots := make(chan bool, 4)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /files/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if name[0] == '.' || strings.Contains(name, "/") || len(name) > 100 {
			http.Error(w, "not a good name", 400)
			return
		}
		slots <- true
		defer func() { <-slots }()
		part, err := os.CreateTemp(directory, ".part-")
		if err != nil {
			panic(err)
		}
		defer os.Remove(part.Name())
		defer part.Close()
		var s sums
		sum := fnv.New64a()
		_, err = io.Copy(io.MultiWriter(part, &s, sum), http.MaxBytesReader(w, r.Body, 1<<20))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "too large", 413)
			return
		}
		if err != nil || os.Rename(part.Name(), filepath.Join(directory, name)) != nil {
			panic("cannot write")
		}
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s: %d bytes, %d lines, %d words, checksum %016x\n", name, s.bytes, s.lines,
			s.words, sum.Sum64())
	})
	mux.Handle("GET /files/", http.StripPrefix("/files/", http.FileServer(http.Dir(directory))))
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	server := &http.Server{Handler: mux}
	fmt.Println("listening on", l.Addr())
	go server.Serve(l)
	<-stop.Done()
	server.Shutdown(context.Background())
	files, _ := os.ReadDir(directory)
	fmt.Println(len(files), "files")
}
