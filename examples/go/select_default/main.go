// SPDX-License-Identifier: MIT

// The twin of select_default.c: the same program, the same output.
package main

import "fmt"

func trySend(c chan<- int, v int) bool {
	select {
	case c <- v:
		return true
	default:
		return false
	}
}

func tryRecv(c <-chan int) (int, bool) {
	select {
	case v := <-c:
		return v, true
	default:
		return 0, false
	}
}

func main() {
	queue := make(chan int, 3)
	queued, dropped := 0, 0
	for event := 1; event <= 5; event++ {
		select {
		case queue <- event:
			queued++
		default:
			dropped++
		}
	}
	fmt.Printf("queued %d, dropped %d\n", queued, dropped)

	for more := true; more; {
		select {
		case event := <-queue:
			fmt.Printf("event %d\n", event)
		default:
			fmt.Println("nothing left")
			more = false
		}
	}

	_, got := tryRecv(queue)
	fmt.Printf("try_recv on an empty queue: %t\n", got)
	fmt.Printf("try_send: %t\n", trySend(queue, 6))
	v, got := tryRecv(queue)
	fmt.Printf("try_recv: %t, %d\n", got, v)

	nobody := make(chan int)
	fmt.Printf("try_send to nobody: %t\n", trySend(nobody, 7))
}
