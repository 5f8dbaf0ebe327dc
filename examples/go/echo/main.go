// SPDX-License-Identifier: MIT

// A TCP server that sends back what it receives: one goroutine for each connection.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Ends with the connection, or after a minute of silence.
func serve(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		c.SetReadDeadline(time.Now().Add(time.Minute))
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func acceptAll(l net.Listener, serving *sync.WaitGroup) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { serve(c) })
	}
}

// Sends a line and counts what comes back.
func client(address string, number int, correct *bool) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	line := fmt.Appendf(nil, "hello from client %d\n", number)
	if _, err := c.Write(line); err != nil {
		return
	}
	back := make([]byte, len(line))
	_, err = io.ReadFull(c, back)
	*correct = err == nil && bytes.Equal(line, back)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var accepting, serving, asking sync.WaitGroup
	accepting.Go(func() { acceptAll(l, &serving) })
	var correct [100]bool
	for i := range correct {
		asking.Go(func() { client(l.Addr().String(), i, &correct[i]) })
	}
	asking.Wait()
	sum := 0
	for _, ok := range correct {
		if ok {
			sum++
		}
	}
	fmt.Printf("%d of %d clients got their own line back\n", sum, len(correct))
	l.Close()
	accepting.Wait()
	serving.Wait()
	fmt.Println("all connections have ended")
}
