// SPDX-License-Identifier: MIT

// The twin of findex.c: the same counts. Usage: findex DIR
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

const shards = 8

// index counts words; a word is in the map that the upper bits of its hash name.
type index [shards]map[string]*uint64

func newIndex() *index {
	var x index
	for i := range x {
		x[i] = make(map[string]*uint64)
	}
	return &x
}

func (x *index) add(word []byte, hash uint32) {
	m := x[hash>>29]
	if count := m[string(word)]; count != nil {
		*count++
	} else {
		count = new(uint64)
		*count = 1
		m[string(word)] = count
	}
}

func isLetter(c byte) bool { return (c|32)-'a' < 26 || c == '_' }
func isDigit(c byte) bool  { return c-'0' < 10 }

// tokenise finds the identifiers; comments, literals and numbers are left out.
func (x *index) tokenise(s []byte) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case isLetter(c):
			hash, start := uint32(2166136261), i
			for ; i < len(s) && (isLetter(s[i]) || isDigit(s[i])); i++ {
				hash = (hash ^ uint32(s[i])) * 16777619
			}
			x.add(s[start:i], hash)
		case isDigit(c):
			for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '.' || s[i] == '\'') {
				i++
			}
		case c == '/' && i+1 < len(s) && s[i+1] == '/':
			i = after(s, i+2, "\n")
		case c == '/' && i+1 < len(s) && s[i+1] == '*':
			i = after(s, i+2, "*/")
		case c == '"' || c == '\'':
			for i++; i < len(s) && s[i] != c && s[i] != '\n'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
			i++
		default:
			i++
		}
	}
}

func after(s []byte, i int, end string) int {
	if n := bytes.Index(s[i:], []byte(end)); n >= 0 {
		return i + n + len(end)
	}
	return len(s)
}

func walk(root string, paths chan<- string) {
	defer close(paths)
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths <- path
		}
		return nil
	})
}

func worker(paths <-chan string, sizes chan<- int64, parts []chan map[string]*uint64) {
	mine := newIndex()
	for path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			sizes <- -1
			continue
		}
		mine.tokenise(text)
		sizes <- int64(len(text))
	}
	for i, m := range mine {
		parts[i] <- m
	}
}

func merge(workers int, in <-chan map[string]*uint64) map[string]*uint64 {
	all := <-in
	for range workers - 1 {
		for word, count := range <-in {
			if sum := all[word]; sum != nil {
				*sum += *count
			} else {
				all[word] = count
			}
		}
	}
	return all
}

type entry struct {
	word  string
	count uint64
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: findex DIR")
		os.Exit(2)
	}
	start := time.Now()
	workers := 2 * runtime.GOMAXPROCS(0)
	paths, sizes := make(chan string, 256), make(chan int64, 256)
	parts := make([]chan map[string]*uint64, shards)
	merged := make(chan map[string]*uint64)
	var pool sync.WaitGroup
	go walk(os.Args[1], paths)
	for i := range parts {
		parts[i] = make(chan map[string]*uint64)
		go func() { merged <- merge(workers, parts[i]) }()
	}
	for range workers {
		pool.Go(func() { worker(paths, sizes, parts) })
	}
	go func() {
		pool.Wait()
		close(sizes)
	}()

	var files, total int64
	for size := range sizes {
		if size >= 0 {
			files++
			total += size
		}
	}
	var entries []entry
	var count uint64
	for range shards {
		for word, n := range <-merged {
			entries = append(entries, entry{word, *n})
			count += *n
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.count != b.count {
			return int(int64(b.count) - int64(a.count))
		}
		return strings.Compare(a.word, b.word)
	})
	for _, e := range entries[:min(20, len(entries))] {
		fmt.Printf("%9d  %s\n", e.count, e.word)
	}
	fmt.Printf("%d files, %d bytes, %d identifiers, %d of them different\n", files, total, count,
		len(entries))
	took := time.Since(start).Seconds()
	fmt.Fprintf(os.Stderr, "findex: %.1f MB in %.2f s, %.0f MB/s\n", float64(total)/1e6, took,
		float64(total)/1e6/took)
}
