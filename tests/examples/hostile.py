#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile.py: a web server that does everything wrong, for the auditor's test.

hostile.py SITEMAP WANT COMMAND...   writes a sitemap of its pages, and what an audit has to find
("KIND PATH" a line); runs the command; its exit status is the command's.

SITEMAP.ctrl-c becomes the sitemap of a hundred pages, one of which has the server interrupt the
command, as Ctrl-C does, instead of answering.
"""
import gzip
import signal
import socket
import subprocess
import sys
import threading
import time

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
TITLE = b"\x1b]0;gotcha\x07\x1b[31m\xc2\x9bred\xff &#27;[2J &#x9b;2J"


def redirect(to):
    return (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n"
            b"Location: " + to + b"\r\n\r\n")


def page(title, text):
    body = b"<title>" + title + b"</title>" + text
    return HTML + b"Content-Length: %d\r\n\r\n" % len(body) + body


def drip(c):
    c.sendall(HTML + b"\r\n")
    for _ in range(200):
        c.sendall(b"x")
        time.sleep(0.1)


def endless(piece):
    def send(c):
        while True:
            c.sendall(piece * 1000)
    return send


def endless_headers(c):
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    endless(b"X-Filler: " + b"x" * 80 + b"\r\n")(c)


def interrupt(_):
    child[0].send_signal(signal.SIGINT)
    time.sleep(60)


child = []  # the command

# Path: what it sends (or does with the connection), and the kind of finding that is ("": none).
PAGES = {
    "/good": (page(b"Good", b"a good page"), ""),
    "/close": (b"", "unreachable"),
    "/garbage": (b"\x00\x01\x02 hello\r\n\r\n", "unreachable"),
    "/half": (b"HTTP/1.1 200 OK\r\nConte", ""),  # libcurl takes that for an answer
    "/short": (HTML + b"Content-Length: 500\r\n\r\n<title>x</title>", "unreachable"),
    "/chunks": (HTML + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", "unreachable"),
    "/not-gzip": (HTML + b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
                  "unreachable"),
    "/bomb": (HTML + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 50000000), "large"),
    "/headers": (endless_headers, "unreachable"),
    "/drip": (drip, "timeout"),
    "/silence": (lambda c: time.sleep(60), "timeout"),
    "/status": (b"HTTP/1.1 999 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "status"),
    "/to-nowhere": (redirect(b"http://[/"), "unreachable"),
    "/to-a-file": (redirect(b"file:///etc/passwd"), "unreachable"),
    "/to-itself": (redirect(b"/to-itself"), "redirect-loop"),
    "/on-and-on": (None, "redirect-loop"),
    "/escapes-1": (page(TITLE, b"one"), ""),
    "/escapes-2": (page(TITLE, b"two"), "duplicate-title"),
    "/zeros": (page(b"Z\0\0", b"<a href=\0/zero\0>" * 99), "broken-link"),
    "/many-links": (page(b"Many", b"<a href='ht!tp:x'>" * 20000), "broken-link"),
}


def serve(c):
    with c:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = c.recv(4096)
                if not more:
                    return
                head += more
            path = head.split()[1].decode("latin1")
            what = PAGES.get(path.split("?")[0], (b"HTTP/1.0 404 Gone\r\n\r\n", ""))[0]
            if path == "/ctrl-c":
                what = interrupt
            if what is None:
                what = redirect(path.encode() + b"?x" if "?" not in path else path.encode() + b"x")
            if callable(what):
                what(c)
            else:
                c.sendall(what)
                c.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def accept(listener):
    while True:
        c, _ = listener.accept()
        threading.Thread(target=serve, args=(c,), daemon=True).start()


def write_sitemap(name, port, paths):
    with open(name, "w", encoding="ascii") as f:
        f.write("<urlset>")
        f.writelines(f"<url><loc>http://127.0.0.1:{port}{path}</loc></url>" for path in paths)
        f.write("</urlset>")


def main():
    sitemap, want, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    port = listener.getsockname()[1]
    write_sitemap(sitemap, port, PAGES)
    write_sitemap(sitemap + ".ctrl-c", port, ["/good", "/ctrl-c"] + [f"/x{i}" for i in range(98)])
    with open(want, "w", encoding="ascii") as f:
        f.writelines(f"{kind} {path}\n" for path, (_, kind) in PAGES.items() if kind)
    child.append(subprocess.Popen(command))
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    return child[0].wait()


sys.exit(main())
