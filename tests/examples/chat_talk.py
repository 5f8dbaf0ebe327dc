#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chat_talk: clients of examples/chat.c that speak WebSocket (RFC 6455) with their own hands.

    chat_talk.py HOST:PORT PID     prints what one of them has heard; ends the server by SIGTERM
"""
import os
import signal
import socket
import struct
import sys

HOST, PORT = sys.argv[1].rsplit(":", 1)


class Client:
    def __init__(self, name):
        self.socket = socket.create_connection((HOST, int(PORT)), timeout=50)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(
            f"GET /ws?name={name} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        self.status = self.stream.readline().decode().split(" ", 2)[1]
        while self.stream.readline() not in (b"\r\n", b""):
            pass

    def frame(self, opcode, data):
        mask = os.urandom(4)
        size = struct.pack(">B", 0x80 | len(data)) if len(data) < 126 else \
            struct.pack(">BH", 0x80 | 126, len(data))
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.socket.sendall(bytes([0x80 | opcode]) + size + mask + body)

    def say(self, text):
        self.frame(1, text.encode())

    def hear(self):
        """One message; a close as its number."""
        first, size = self.stream.read(2)
        if size == 126:
            size, = struct.unpack(">H", self.stream.read(2))
        data = self.stream.read(size)
        return data.decode() if first == 0x81 else f"closed, {int.from_bytes(data[:2], 'big')}"

    def hear_until(self, text):
        while self.hear() != text:
            pass

    def go(self, code=1000):
        self.frame(8, code.to_bytes(2, "big"))
        answer = self.hear()
        while not answer.startswith("closed"):
            answer = self.hear()
        self.socket.close()
        return answer


print("no name:", Client("").status)
ann = Client("ann")
print("ann:", ann.status)
print(ann.hear())
bob = Client("bob")
print(ann.hear())
ann.say("hello")
print(ann.hear())
bob.hear_until("ann: hello")
bob.say("h\u00e9, \u4f60\u597d")
print(ann.hear())
crowd = []
for i in range(100):
    crowd.append(Client(f"c{i}"))
    last = ann.hear()
print(len(crowd), "more,", last)
ann.say("all of you")
heard = 0
for one in crowd:
    one.hear_until("ann: all of you")
    heard += 1
print(heard, "have heard it")
print(ann.hear())
crowd[0].say("x" * 1000)
print("too long:", crowd[0].go())
print(ann.hear())
crowd[1].socket.close()
crowd[1].stream.close()
print(ann.hear())
print("bob:", bob.go())
print(ann.hear())
os.kill(int(sys.argv[2]), signal.SIGTERM)
print("ann:", ann.hear())
ann.frame(8, (1001).to_bytes(2, "big"))
