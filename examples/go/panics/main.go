// SPDX-License-Identifier: MIT

// The twin of panics.c: the same program, the same output.
package main

import "fmt"

func note(what string) {
	fmt.Printf("  deferred: %s\n", what)
}

func divide(a, b int, quotient *int) {
	defer note("divide")
	if b == 0 {
		panic(fmt.Sprintf("division by zero: %d / %d", a, b))
	}
	*quotient = a / b
}

func average(sum, count int, out *int) {
	defer note("average")
	divide(sum, count, out)
}

// try is go_try: it runs fn and turns a panic into an error.
func try(fn func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	fn()
	return nil
}

func report(what string, err error) {
	if err == nil {
		fmt.Printf("%s: fine\n", what)
	} else {
		fmt.Printf("%s: error: %v\n", what, err)
	}
}

func serve(request int, failures chan<- int) {
	result := 0
	if try(func() { divide(100, request%3, &result) }) == nil {
		failures <- 0
	} else {
		failures <- 1
	}
}

func main() {
	out := 0
	err := try(func() { average(42, 6, &out) })
	report("average of 42 over 6", err)
	fmt.Printf("  result %d\n", out)
	err = try(func() { average(42, 0, &out) })
	report("average of 42 over 0", err)

	c := make(chan int, 1)
	close(c)
	report("send", try(func() { c <- 1 }))
	report("close again", try(func() { close(c) }))
	c = nil
	report("close nil", try(func() { close(c) }))

	failures := make(chan int)
	failed := 0
	for request := 1; request <= 6; request++ {
		go serve(request, failures)
		failed += <-failures
	}
	fmt.Printf("6 requests, %d failed, the server lives\n", failed)
}
