# SPDX-License-Identifier: MIT
"""http.py: what http.sh runs: requests/s, p99 and CPU time of servers under wrk, with the goals.

Each round runs every server once for each body and number of connections, in an order that moves
on from round to round. A server and wrk share all cores, as on a machine of two they must. The CPU
time is the server's alone, from /proc, between the first and the last request of the run. wrk is
taken for the bottleneck where its one thread was busy for nine tenths of the time; only there does
CPU time stand in for requests/s. `others` is the share of the machine that other programs took:
figures of a run in which that is more than a few percent say little.
"""
import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'lib'))
import build  # noqa: E402
import measure  # noqa: E402

PATHS = {'13 B': 'plaintext', '4 KiB': '4k'}
GOALS = {'13 B': 1.6, '4 KiB': 1.8}
UNITS = {'us': 1e-3, 'ms': 1.0, 's': 1e3, 'm': 6e4}


def build_servers(root, tree, out):
    b = build.Build(root, tree, out)
    limit = os.path.join(out, 'http_server')
    done = build.call(b.cc + build.CFLAGS + [b.path('limits', 'http_server.c'), '-o', limit])
    if done.returncode != 0:
        sys.exit('bench: ' + build.first_error(done.stdout))
    include = ['-I' + os.path.join(root, 'include'), '-I' + b.path('c')]
    # pkg-config's files of a build tree name the place it will be installed in.
    lib = os.path.join(tree, 'lib')
    libs = [os.path.join(lib, 'libgort-http.a'), os.path.join(lib, 'libgort.a'), '-rdynamic']
    for name, key in (('gort-http.pc', 'Libs.private: '), ('gort.pc', 'static_libs=')):
        with open(os.path.join(lib, 'pkgconfig', name), encoding='utf-8') as f:
            for line in f:
                if line.startswith(key):
                    libs += line[len(key):].split()
    main, error = b.compile(b.path('c', 'main.c'), include)
    http, worse = b.compile(b.path('c', 'http.c'), include)
    gort = os.path.join(out, 'bench_http')
    error = error or worse or b.link_c(gort, main, [('http.c', http, ['http'])], include, libs)
    if error:
        sys.exit('bench: ' + error)
    b.build_go()
    sides = {'gort': [gort, 'http', '0'], 'bare': [limit]}
    if 'go' in b.sides:
        sides['go'] = [b.sides['go'], 'http', '0']
    return sides


def parse(text):
    """requests/s, p99 in ms, requests, errors."""
    p99 = re.search(r'99%\s+([\d.]+)(us|ms|s|m)\b', text)
    count = re.search(r'(\d+) requests in', text)
    rate = re.search(r'Requests/sec:\s+([\d.]+)', text)
    if not (p99 and count and rate):
        sys.exit('bench: wrk said: ' + text)
    bad = re.search(r'Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)', text)
    errors = sum(int(x) for x in bad.groups()) if bad else 0
    other = re.search(r'Non-2xx or 3xx responses: (\d+)', text)
    errors += int(other.group(1)) if other else 0
    return (float(rate.group(1)), float(p99.group(1)) * UNITS[p99.group(2)], int(count.group(1)),
            errors)


def children():
    """CPU time of the programs that have ended."""
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


def run(command, path, connections, seconds):
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, GOMAXPROCS=str(os.cpu_count())))
    try:
        line = server.stdout.readline().split()
        if len(line) != 2 or line[0] != 'port':
            sys.exit(f'bench: {command[0]} did not start')
        load = ['wrk', '-t1', f'-c{connections}', '--latency']
        url = f'http://127.0.0.1:{line[1]}/{path}'
        subprocess.run(load + ['-d1', url], stdout=subprocess.DEVNULL, check=True)
        cores = set(range(os.cpu_count()))
        before = measure.cpu_of(server.pid)
        busy = measure.busy_seconds(cores)
        own = children()
        began = time.monotonic()
        done = subprocess.run(load + [f'-d{seconds}', url], stdout=subprocess.PIPE, text=True,
                              check=True)
        wall = time.monotonic() - began
        used = measure.cpu_of(server.pid) - before
        own = children() - own
        others = measure.busy_seconds(cores) - busy - used - own
    finally:
        server.kill()
        server.wait()
    rate, p99, count, errors = parse(done.stdout)
    return {'rate': rate, 'p99': p99, 'cpu': used * 1e6 / count, 'cores': used / wall,
            'wrk': own / wall, 'others': max(0.0, others / wall / len(cores)), 'errors': errors}


def verdict(body, m):
    """Both goals of a row, in words."""
    gort, bare = m['gort'], m['bare']
    share = gort['rate'] / bare['rate']
    words = []
    if 'go' in m:
        times = gort['rate'] / m['go']['rate']
        cpu = gort['cpu'] / m['go']['cpu']
        met = times >= GOALS[body] and gort['p99'] <= m['go']['p99']
        words.append(f'{times:.2f} x Go of {GOALS[body]}, CPU {cpu:.2f} of 0.5: ' +
                     ('met' if met else 'met by CPU' if cpu <= 0.5 and gort['wrk'] >= 0.9
                      else 'MISSED'))
    words.append(f'{share:.0%} of bare of 85 %: ' + ('met' if share >= 0.85 else 'MISSED'))
    return '; '.join(words)


def main():
    a = argparse.ArgumentParser(prog='http.sh')
    a.add_argument('--tree', default='build')
    a.add_argument('--rounds', type=int, default=5)
    a.add_argument('--seconds', type=int, default=4)
    a.add_argument('--connections', default='100,1000')
    o = a.parse_args()
    root = os.path.dirname(HERE)
    tree = os.path.join(root, o.tree)
    sides = build_servers(root, tree, os.path.join(tree, 'bench'))
    rows = [(body, int(c)) for body in PATHS for c in o.connections.split(',')]
    found = {}
    order = list(sides)
    for turn in range(o.rounds):
        for body, connections in rows:
            for i in range(len(order)):
                side = order[(i + turn) % len(order)]
                r = run(sides[side], PATHS[body], connections, o.seconds)
                found.setdefault((body, connections, side), []).append(r)
    print('| body | connections | server | requests/s (least-most) | p99 ms | CPU us/request '
          '| cores | wrk | others | errors | goals |')
    print('|---' * 11 + '|')
    for body, connections in rows:
        m = {}
        for side in order:
            all_of = found[body, connections, side]
            m[side] = {k: statistics.median(r[k] for r in all_of) for k in all_of[0]}
        for side in order:
            rates = [r['rate'] for r in found[body, connections, side]]
            s = m[side]
            print(f'| {body} | {connections:,} | {side} | {s["rate"]:,.0f} ({min(rates):,.0f}-'
                  f'{max(rates):,.0f}) | {s["p99"]:.2f} | {s["cpu"]:.1f} | {s["cores"]:.2f} | '
                  f'{s["wrk"]:.2f} | {s["others"]:.0%} | '
                  f'{sum(r["errors"] for r in found[body, connections, side])} | '
                  f'{verdict(body, m) if side == "gort" else ""} |')


main()
