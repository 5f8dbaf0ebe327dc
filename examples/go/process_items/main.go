// SPDX-License-Identifier: MIT

// The twin of process_items.c: the same program, the same output.
package main

import (
	"fmt"
	"strings"
	"sync"
)

type item struct {
	name, label string
	letters     int
}

func process(it *item, number int) {
	title := strings.ToUpper(it.name)
	it.letters = len(title)
	it.label = fmt.Sprintf("%d-%s", number, title)
}

func main() {
	items := []item{{name: "apple"}, {name: "pear"}, {name: "quince"}, {name: "medlar"}}

	var wg sync.WaitGroup
	for i := range items {
		wg.Go(func() { process(&items[i], i+1) })
	}
	wg.Wait()

	letters := 0
	for _, it := range items {
		fmt.Printf("%-8s -> %s\n", it.name, it.label)
		letters += it.letters
	}
	fmt.Printf("%d items, %d letters\n", len(items), letters)
}
