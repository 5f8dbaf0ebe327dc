#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""profile.py: how many instructions one operation of a benchmark takes, and where.

  bench/profile.py BENCH [N [ARGUMENT...]]     default N: 20000
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

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


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
        text = subprocess.run(['callgrind_annotate', '--threshold=100', '--auto=no', out],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True).stdout
    found = collections.Counter()
    for line in text.splitlines():
        m = re.match(r'\s*([\d,]+) \([ \d.]+%\)\s+\S*?:(\S+)', line)
        if m and 'PROGRAM' not in line:
            name = re.sub(r"'\d+$", '', m.group(2))
            found[name] += int(m.group(1).replace(',', ''))
    return found


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        print(__doc__)
        return 2
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    bench = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    tree = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
    program = os.path.join(tree, 'bench', 'bench_c')
    small = counts(program, bench, n, sys.argv[3:])
    large = counts(program, bench, 2 * n, sys.argv[3:])
    per = {f: (large[f] - small[f]) / n for f in large}
    print(f'{sum(per.values()):10.1f}  instructions per operation of {bench}')
    for name, count in sorted(per.items(), key=lambda i: -i[1]):
        if count >= 0.5:
            print(f'{count:10.1f}  {name}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
