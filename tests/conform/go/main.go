// SPDX-License-Identifier: MIT

// The programs of the conformance suite that have output: the same ones as the OUTPUT cases of
// ../*_test.c, under the same names. Without an argument it lists them, with one it runs it.
package main

import (
	"fmt"
	"os"
	"sort"
)

var programs = map[string]func(){}

// program makes f known under the name of its case; the result is for a package variable.
func program(name string, f func()) bool {
	programs[name] = f
	return true
}

func say(format string, args ...any) {
	os.Stdout.WriteString(fmt.Sprintf(format, args...))
}

func main() {
	if len(os.Args) == 2 {
		f := programs[os.Args[1]]
		if f == nil {
			fmt.Fprintln(os.Stderr, "no such program:", os.Args[1])
			os.Exit(64)
		}
		f()
		return
	}
	var names []string
	for name := range programs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name)
	}
}
