#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""profile.py: how many instructions one operation of a benchmark takes, and where.

  bench/profile.py BENCH [N [ARGUMENT...]]     default N: 20000
  bench/profile.py --rows [PATTERN...]         a line for every row of the table (rows.tsv) whose
                                               cost is one of operations, with its dearest functions
  BUILD=build bench/profile.py pingpong

Runs bench_c twice under callgrind, with N and with 2N operations, and prints the difference for
each function divided by N: start and end of the program cancel out. Instruction counts do not
depend on what else the machine does. Valgrind runs one thread at a time; GOMAXPROCS is 1 unless
set. The library sees Valgrind and tells it about stacks, which costs some instructions that do
not exist otherwise (goi_annot_*).
"""
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import table  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Benchmarks whose n is a size or a time, or whose goroutines spin until others are there.
NOT_BY_OPERATION = ('sieve', 'fib', 'quicksort', 'matmul', 'sleepers', 'ticker', 'timer_late',
                    'wake_late', 'idle', 'echo', 'http', 'parked', 'parked_own', 'skynet',
                    'pingpong_locked')


def self_costs(lines):
    """Instructions by function from callgrind's file, each where it was executed. (What
    callgrind_annotate prints counts much twice once a program has changed stacks.)"""
    found, names, name = collections.Counter(), {}, ''
    lines = iter(lines)
    for line in lines:
        if line.startswith('fn='):
            # "(3) name" the first time, "(3)" from then on.
            number, _, text = line[3:].strip().partition(' ')
            name = names.setdefault(number, text)
            name = re.sub(r"'\d+$", '', name)
        elif line.startswith('cfn='):
            number, _, text = line[4:].strip().partition(' ')
            if text:
                names[number] = text
        elif line.startswith('calls='):
            next(lines)           # what the callee took; it is counted there
        elif re.match(r'[-+*\d]\S* \d+$', line):
            found[name] += int(line.split()[1])
    return found


def counts(program, bench, n, arguments):
    """Instructions of one run by function; recursion levels of one function are added up."""
    env = dict(os.environ)
    env.setdefault('GOMAXPROCS', '1')
    with tempfile.TemporaryDirectory() as where:
        out = os.path.join(where, 'callgrind.out')
        done = subprocess.run(
            ['valgrind', '-q', '--tool=callgrind', '--callgrind-out-file=' + out, program, bench,
             str(n)] + arguments, env=env, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise SystemExit(f'profile.py: {bench} failed under callgrind')
        with open(out, encoding='utf-8', errors='replace') as f:
            return self_costs(f)


def difference(program, bench, n, arguments):
    small = counts(program, bench, n, arguments)
    large = counts(program, bench, 2 * n, arguments)
    return {f: (large[f] - small[f]) / n for f in large}


def profile_rows(program, patterns):
    """Rows of time, by instructions per operation at one P."""
    rows = table.read_rows(os.path.join(ROOT, 'bench'))
    found = set()
    for row in rows:
        key = ' '.join(row.bench)
        if row.kind != 'time' or row.bench[0] in NOT_BY_OPERATION or key in found or \
                patterns and not table.chosen(row.name, patterns):
            continue
        arguments = ['2000' if int(a) > 10000 else a for a in row.bench[1:]]
        n = 20000 if int(max(arguments or ['1'], key=int)) >= 1000 else 4000
        per = difference(program, row.bench[0], n, arguments)
        found.add(key)
        top = sorted(per.items(), key=lambda i: -i[1])[:4]
        print(f'{sum(per.values()):10.1f}  {row.name:22} ' +
              ', '.join(f'{f} {c:.0f}' for f, c in top), flush=True)


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ('-h', '--help'):
        print(__doc__)
        return 2
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    tree = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
    program = os.path.join(tree, 'bench', 'bench_c')
    if not os.path.exists(program):
        raise SystemExit('profile.py: no bench_c yet; make bench ROWS=yield QUICK=1 builds it')
    if sys.argv[1] == '--rows':
        profile_rows(program, sys.argv[2:])
        return 0
    bench = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    per = difference(program, bench, n, sys.argv[3:])
    print(f'{sum(per.values()):10.1f}  instructions per operation of {bench}')
    for name, count in sorted(per.items(), key=lambda i: -i[1]):
        if count >= 0.5:
            print(f'{count:10.1f}  {name}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
