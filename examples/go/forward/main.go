// SPDX-License-Identifier: MIT

// A port-forwarder: what arrives here goes there, and back, each direction by a goroutine.
package main

import (
	"fmt"
	"io"
	"net"
	"sync"
)

func copyHalf(from, to *net.TCPConn) {
	io.Copy(to, from)
	to.CloseWrite() // the end goes on, the other direction stays
}

func forward(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { copyHalf(near.(*net.TCPConn), far.(*net.TCPConn)) })
	both.Go(func() { copyHalf(far.(*net.TCPConn), near.(*net.TCPConn)) })
	both.Wait()
}

func acceptAll(l net.Listener, target string, forwarding *sync.WaitGroup) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		forwarding.Go(func() { forward(c, target) })
	}
}

// The target of the demonstration: adds up all bytes until the end, and answers with the sum.
func addUp(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	data, _ := io.ReadAll(c)
	sum := 0
	for _, b := range data {
		sum += int(b)
	}
	fmt.Fprintf(c, "the sum is %d\n", sum)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return l
}

func main() {
	l, target := listen(), listen()
	var running, forwarding sync.WaitGroup
	running.Go(func() { acceptAll(l, target.Addr().String(), &forwarding) })
	running.Go(func() { addUp(target) })

	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	data := make([]byte, 1000000)
	for i := range data {
		data[i] = byte(i)
	}
	c.Write(data)
	c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(c)
	fmt.Print(string(answer))
	c.Close()
	l.Close()
	running.Wait()
	forwarding.Wait()
	target.Close()
	fmt.Println("all connections have ended")
}
