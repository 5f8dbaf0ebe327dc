#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py: what recording an execution trace costs.

  bench/trace.py [-r ROUNDS] [-p PROCS] [-s SECONDS] [ROW...]
  BUILD=build bench/trace.py -r 21 pingpong spawn_1000

Runs rows of the table (rows.tsv; without ROW those of the first tier whose cost is one of
operations, and a few others) with GORTDEBUG=trace=FILE and without, in turn, ROUNDS times (default
9), at GOMAXPROCS PROCS (default 2), each run with as many operations as take SECONDS (default 2).
For each row it prints

  off, on     the medians of what the row measures, nanoseconds of an operation
  time        by how much the second is more: the median over the rounds, of neighbours in time
  cpu         the same for the processor time of the whole process, the tracer's own thread
              included: what counts on a machine with nothing to spare. Without what the first line
              says, which a trace takes once, however long it is: nearly all of it is reading the
              program's debug information for the names of functions
  trace       megabytes of the file for a second of the run

A file system that is slow, and anything else that runs, shows; a median of many rounds is better
than one of few. The last line is the geometric mean of all rows.
"""
import argparse
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import build, table  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOT_BY_OPERATION = ('echo', 'http', 'idle', 'parked', 'parked_own', 'sleepers', 'ticker',
                    'timer_late', 'wake_late', 'skynet', 'sieve', 'fib', 'quicksort', 'matmul')
OTHERS = ('ring_503', 'spawn_1', 'yield_1000', 'prodcons_work', 'close_broadcast', 'cond_4',
          'timer_startstop', 'chameneos')


def chosen(patterns):
    for row in table.read_rows(os.path.join(ROOT, 'bench')):
        if row.kind != 'time' or row.bench[0] in NOT_BY_OPERATION:
            continue
        if table.chosen(row.name, patterns) if patterns else row.tier == 1 or row.name in OTHERS:
            yield row


def run(program, row, procs, n, knob):
    """What it measured, its processor time, and how long it took."""
    env = dict(os.environ, GOMAXPROCS=str(procs), GORTDEBUG=knob)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([program, row.bench[0], str(n)] + row.bench[1:], env=env,
                          stdout=subprocess.PIPE, text=True, check=False)
    took, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r'^\S+ (\S+) ', done.stdout, re.M)
    if done.returncode != 0 or not found:
        raise SystemExit(f'trace.py: {row.name} failed')
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(found.group(1)), cpu, took


def once(program, row, procs, rounds, path):
    """Processor seconds that a trace takes, however long it is."""
    costs = []
    for _ in range(rounds):
        costs.append(run(program, row, procs, 1000, f'trace={path}')[1] -
                     run(program, row, procs, 1000, '')[1])
    return statistics.median(costs)


def compare(program, row, procs, rounds, seconds, path, start):
    off, on, times, cpus, sizes = [], [], [], [], []
    n, took = row.quick_n, run(program, row, procs, row.quick_n, '')[2]
    n = max(n, int(n * seconds / took))
    for i in range(rounds):
        pair = {}
        for traced in (False, True) if i % 2 == 0 else (True, False):
            pair[traced] = run(program, row, procs, n, f'trace={path}' if traced else '')
        off.append(pair[False][0])
        on.append(pair[True][0])
        times.append(pair[True][0] / pair[False][0])
        cpus.append((pair[True][1] - start) / pair[False][1])
        sizes.append(os.path.getsize(path) / 1e6 / pair[True][2])
    middle = statistics.median
    return middle(off), middle(on), middle(times), middle(cpus), middle(sizes)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-r', type=int, default=9, metavar='ROUNDS')
    parser.add_argument('-p', type=int, default=2, metavar='PROCS')
    parser.add_argument('-s', type=float, default=2, metavar='SECONDS')
    parser.add_argument('row', nargs='*')
    o = parser.parse_args()
    tree = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
    made = build.Build(ROOT, tree, os.path.join(tree, 'bench'))
    made.build_c()
    if 'gort' not in made.sides:
        return 1
    rows = list(chosen(o.row))
    if not rows:
        raise SystemExit('trace.py: no such row')
    all_times, all_cpus = [], []
    with tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, 'trace')
        start = once(made.sides['gort'], rows[0], o.p, o.r, path)
        print(f'once: {1000 * start:.0f} ms of processor time')
        print(f'{"row":22} {"off":>10} {"on":>10} {"time":>8} {"cpu":>8} {"trace":>9}', flush=True)
        for row in rows:
            off, on, took, cpu, size = compare(made.sides['gort'], row, o.p, o.r, o.s, path, start)
            all_times.append(math.log(took))
            all_cpus.append(math.log(cpu))
            print(f'{row.name:22} {off:10.4g} {on:10.4g} {100 * (took - 1):+7.1f}% '
                  f'{100 * (cpu - 1):+7.1f}% {size:4.1f} MB/s', flush=True)
    took, cpu = math.exp(statistics.mean(all_times)), math.exp(statistics.mean(all_cpus))
    print(f'{"geometric mean":44} {100 * (took - 1):+7.1f}% {100 * (cpu - 1):+7.1f}%')
    return 0


if __name__ == '__main__':
    sys.exit(main())
