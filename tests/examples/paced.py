#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""paced.py: a web server that keeps count of how it is asked, for the auditor's test.

paced.py SITEMAP rate|workers|backoff|retry-after AUDIT   writes a sitemap of its pages, runs the
auditor with options of its own, and says what was not kept. All bounds are lower ones that a slow
machine cannot break: what is compared begins before the auditor can know of it, and ends after.
"""
import socket
import subprocess
import sys
import threading
import time

OK = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
      b"Connection: close\r\n\r\nok")
BUSY = b"HTTP/1.1 503 Busy\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n"

lock = threading.Lock()
arrived = []        # when each request did
answered = []       # just before each answer
under_way = [0, 0]  # now, and at most
enough = threading.Event()


def serve(c, kind):
    with c:
        head = b""
        while b"\r\n\r\n" not in head:
            more = c.recv(4096)
            if not more:
                return
            head += more
        with lock:
            arrived.append(time.monotonic())
            count = len(arrived)
            under_way[0] += 1
            under_way[1] = max(under_way)
            if under_way[0] == 3:
                enough.set()
        answer = OK
        if kind == "workers":
            enough.wait()       # all three of them are here, or it is the end of the test's time
            time.sleep(0.02)    # a fourth would come now
        elif kind in ("backoff", "retry-after") and count < 4:
            answer = BUSY % (b"Retry-After: 1\r\n" if kind == "retry-after" else b"")
        with lock:
            under_way[0] -= 1
            answered.append(time.monotonic())
        c.sendall(answer)


def accept(listener, kind):
    while True:
        c, _ = listener.accept()
        threading.Thread(target=serve, args=(c, kind), daemon=True).start()


CASES = {
    "rate": (60, ["--rate", "50", "--workers", "16"]),
    "workers": (30, ["--rate", "10000", "--workers", "3"]),
    "backoff": (1, ["--rate", "10000", "--retries", "3", "--backoff", "100ms"]),
    "retry-after": (1, ["--rate", "10000", "--retries", "3", "--backoff", "1ms"]),
}


def wrong(kind, begin):
    waits = [b - a for a, b in zip(answered, arrived[1:])]
    if kind == "rate":  # six at once, and then fifty a second
        least = (len(arrived) - 6) / 50
        if arrived[-1] - begin < least:
            return f"{len(arrived)} requests within {arrived[-1] - begin:.2f} s"
        return "" if len(arrived) >= 60 else f"{len(arrived)} requests"
    if kind == "workers":
        return "" if under_way[1] == 3 else f"{under_way[1]} at once"
    least = [1, 1, 1] if kind == "retry-after" else [0.075, 0.15, 0.3]
    if len(waits) != 3 or any(w < l for w, l in zip(waits, least)):
        return f"attempts after {waits} s"
    return ""


def main():
    sitemap, kind, audit = sys.argv[1:]
    pages, options = CASES[kind]
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    port = listener.getsockname()[1]
    with open(sitemap, "w", encoding="ascii") as f:
        f.write("<urlset>")
        f.writelines(f"<url><loc>http://127.0.0.1:{port}/{i}</loc></url>" for i in range(pages))
        f.write("</urlset>")
    threading.Thread(target=accept, args=(listener, kind), daemon=True).start()
    begin = time.monotonic()
    status = subprocess.run([audit, "--max-time", "60s", "--timeout", "60s"] + options + [sitemap],
                            stdout=subprocess.DEVNULL, check=False).returncode
    with lock:
        text = wrong(kind, begin)
    if text or status > 1:
        print(f"exit status {status}; {text}")
        return 1
    return 0


sys.exit(main())
