# SPDX-License-Identifier: MIT
"""http.py: what http.sh runs: requests/s, p99 and CPU time of servers under wrk, with the goals.

What it finds goes to http.md and http.json beside the other results (METHOD.md).

Each round runs every server once for each body and number of connections, in an order that moves
on from round to round. A server and wrk share all cores, as on a machine of two they must. The CPU
time is the server's alone, from /proc, between the first and the last request of the run. wrk is
taken for the bottleneck where its one thread was busy for nine tenths of the time; only there does
CPU time stand in for requests/s. `others` is the share of the machine that other programs took:
figures of a run in which that is more than a few percent say little.
"""
import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
from lib import build, machine as about_machine, measure, publish, stats  # noqa: E402

PATHS = {'13 B': 'plaintext', '4 KiB': '4k'}
GOALS = {'13 B': 1.6, '4 KiB': 1.8}
UNITS = {'us': 1e-3, 'ms': 1.0, 's': 1e3, 'm': 6e4}


def build_servers(root, tree, out):
    b = build.Build(root, tree, out)
    b.build_http()
    b.build_go()
    b.build_limits()
    if ('gort', 'http') not in b.special:
        sys.exit('bench: no HTTP server of the C side; see above')
    sides = {'gort': [b.program('gort', 'http'), 'http', '0'],
             'bare': [b.program('limit', 'http')]}
    if 'go' in b.sides:
        sides['go'] = [b.program('go', 'http'), 'http', '0']
    return b, sides


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


def options():
    a = argparse.ArgumentParser(prog='http.sh')
    quick = os.environ.get('QUICK', '') not in ('', '0')
    a.add_argument('--tree', default=os.environ.get('BUILD') or 'build')
    a.add_argument('--rounds', type=int,
                   default=int(os.environ.get('ROUNDS') or (2 if quick else 10)))
    a.add_argument('--seconds', type=int, default=2 if quick else 4)
    a.add_argument('--connections', default='100,1000')
    return a.parse_args()


def measure_all(o, sides):
    """(body, connections) -> side -> the runs, every round with the sides in another order."""
    rows = [(body, int(c)) for body in PATHS for c in o.connections.split(',')]
    found = {row: {side: [] for side in sides} for row in rows}
    order = list(sides)
    for turn in range(o.rounds):
        for row in rows:
            for i in range(len(order)):
                side = order[(i + turn) % len(order)]
                found[row][side].append(run(sides[side], PATHS[row[0]], row[1], o.seconds))
        print(f'bench: round {turn + 1} of {o.rounds}', flush=True)
    return found


def markdown(found):
    lines = ['| body | connections | server | requests/s (p10-p90) | p99 ms | CPU us/request '
             '| cores | wrk | others | errors | goals |', '|---' * 11 + '|']
    for (body, connections), sides in found.items():
        m = {side: {k: statistics.median(r[k] for r in runs) for k in runs[0]}
             for side, runs in sides.items()}
        for side, runs in sides.items():
            rates = [r['rate'] for r in runs]
            s = m[side]
            lines.append(
                f'| {body} | {connections:,} | {side} | {s["rate"]:,.0f} '
                f'({stats.percentile(rates, 10):,.0f}-{stats.percentile(rates, 90):,.0f}) | '
                f'{s["p99"]:.2f} | {s["cpu"]:.1f} | {s["cores"]:.2f} | {s["wrk"]:.2f} | '
                f'{s["others"]:.0%} | {sum(r["errors"] for r in runs)} | '
                f'{verdict(body, m) if side == "gort" else ""} |')
    return '\n'.join(lines) + '\n'


def main():
    o = options()
    root = os.path.dirname(HERE)
    tree = os.path.join(root, o.tree)
    out = os.path.join(tree, 'bench')
    b, sides = build_servers(root, tree, out)
    found = measure_all(o, sides)
    about = about_machine.describe(root, b)
    text = (f'{about_machine.words(about)}; {o.rounds} runs of {o.seconds} s.\n\n' +
            markdown(found))
    results = {'machine': about, 'rounds': o.rounds, 'seconds': o.seconds,
               'runs': [{'body': body, 'connections': connections, 'server': side, **r}
                        for (body, connections), sides in found.items()
                        for side, runs in sides.items() for r in runs]}
    with open(os.path.join(out, 'http.md'), 'w', encoding='utf-8') as f:
        f.write(text)
    with open(os.path.join(out, 'http.json'), 'w', encoding='utf-8') as f:
        json.dump(results, f, indent=1)
        f.write('\n')
    print('\n' + text)
    print(f'bench: {os.path.relpath(out)}: http.md http.json')
    if os.environ.get('PUBLISH', '') not in ('', '0'):
        publish.publish(root, out, ['http'])
    return 0 if 'go' in sides else 1


if __name__ == '__main__':
    sys.exit(main())
