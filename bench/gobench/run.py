#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py: Go's own benchmarks on both sides, in turns. ../METHOD.md says how and why.

  bench/gobench/run.py [REGEX]      benchmarks whose name, as Go prints it, matches; default: all

Environment (make passes its variables on):
  QUICK=1            one short run of everything after another, less than two minutes
  BENCHTIME=0.2s     how long a run lasts
  COUNT=6            runs of every benchmark on every side
  PROCS='1 2'        values of GOMAXPROCS; without it 2
  BUILD=build        where the library is; the results go to its bench/
  GORT_GO=DIR        the Go to compare with

Leaves gobench-go.txt and gobench-gort.txt, for `benchstat gobench-go.txt gobench-gort.txt`, and the
table gobench-table.txt.
"""
import glob
import math
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import build, stats  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
LINE = re.compile(r'^(Benchmark\S+)\s+(\d+)\s+([\d.]+) ns/op', re.M)
# What is to be twice as fast as Go; everything else, as fast.
TWICE = re.compile(r'Benchmark(MutexUncontended|Once|WaitGroup(Uncontended|AddDone|Wait))(-\d+)?$')
LIMIT = 120                   # seconds that a process may take
QUICK_SECONDS = 95            # when a quick session stops to start new rounds
# Left out of quick sessions: their neighbours say the same.
SLOW = re.compile(r'Benchmark(CancelTree/depth=(10|1000)/|WithTimeout/concurrency=400000|'
                  r'AdjustTimers10000|Cond(2|8|16)$|Map(Swap|CompareAnd.*)Mostly|'
                  r'DeepValue\w+/depth=10$|TickerResetNaive)')


def compile_c(b):
    """The C side as a program; None when it could not be built."""
    libs = b.library(b.tree)
    if libs is None:
        b.skip('the C side', f'no libgort in {b.tree}; run `make` first')
        return None
    include = ['-I' + os.path.join(ROOT, 'include')]
    objects = []
    for source in sorted(glob.glob(os.path.join(HERE, '*.c'))):
        target = os.path.join(b.out, 'obj', 'gobench_' + os.path.basename(source) + '.o')
        done = build.call(b.cc + build.CFLAGS + include + ['-c', source, '-o', target])
        if done.returncode != 0:
            b.skip('the C side', build.first_error(done.stdout))
            return None
        objects.append(target)
    program = os.path.join(b.out, 'gobench_c')
    error = b.link(objects, libs, program)
    if error:
        b.skip('the C side', error)
        return None
    return program


def compile_go(b):
    """Go's side as a test program; None when there is no Go."""
    found = subprocess.run([b.path('get-go')], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        b.skip('the Go side', 'no Go; see the message above')
        return None
    goroot = found.stdout.strip()
    env = dict(os.environ, GOROOT=goroot, GOTOOLCHAIN='local', CGO_ENABLED='0', GOFLAGS='',
               GOWORK='off')
    if 'HOME' not in env:
        env['GOCACHE'] = os.path.join(b.out, 'go-cache')
    program = os.path.join(b.out, 'gobench_go')
    done = build.call([os.path.join(goroot, 'bin', 'go'), 'test', '-c', '-vet=off', '-o', program,
                       '.'], cwd=os.path.join(HERE, 'go'), env=env)
    if done.returncode != 0:
        b.skip('the Go side', build.first_error(done.stdout))
        return None
    return program


def command(side, program, name, benchtime, procs):
    pattern = '/'.join(f'^{part}$' for part in name.split('/'))
    if side == 'go':
        return [program, '-test.run', '^$', '-test.bench', pattern, '-test.benchtime', benchtime,
                '-test.cpu', str(procs)]
    return [program, '-bench', pattern, '-benchtime', benchtime, '-cpu', str(procs)]


class Session:
    def __init__(self, programs, out, benchtime, cores):
        self.programs, self.out, self.benchtime, self.cores = programs, out, benchtime, cores
        self.header = ''
        self.lines = {side: [] for side in programs}
        self.values = {}          # name -> {side: [ns]}
        self.failed = []

    def run(self, side, name, procs):
        env = dict(os.environ, GOMAXPROCS=str(procs))
        try:
            done = subprocess.run(command(side, self.programs[side], name, self.benchtime, procs),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=LIMIT, env=env, check=False,
                                  preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
        except subprocess.TimeoutExpired:
            self.fail(side, name, procs, f'no end after {LIMIT} s')
            return
        found = LINE.search(done.stdout)
        if done.returncode != 0 or not found:
            why = (done.stderr.strip() or done.stdout.strip() or 'no figure').splitlines()[0]
            self.fail(side, name, procs, f'status {done.returncode}: {why}')
            return
        if side == 'go' or not self.header:
            # Both files say the same about the machine: benchstat compares these lines.
            self.header = ''.join(line + '\n' for line in done.stdout.splitlines()
                                  if re.match(r'(goos|goarch|pkg|cpu): ', line))
        self.lines[side].append(found.string[found.start():].splitlines()[0])
        self.values.setdefault(found.group(1), {}).setdefault(side, []).append(
            float(found.group(3)))

    def fail(self, side, name, procs, why):
        self.failed.append((side, name, procs))
        print(f'gobench: FAILED {side} {name} GOMAXPROCS={procs}: {why}', flush=True)

    def round(self, names, procs, order):
        for name in names:
            for p in procs:
                for side in order:
                    if (side, name, p) not in self.failed:
                        self.run(side, name, p)

    def write(self):
        for side, lines in self.lines.items():
            with open(os.path.join(self.out, f'gobench-{side}.txt'), 'w', encoding='utf-8') as f:
                f.write(self.header + '\n'.join(lines) + '\n')

    def table(self):
        """Medians, the ratio Go/Gort with its 95 % interval, and whether the goal was met."""
        out = [f'{"":<48} {"Gort ns":>11} {"Go ns":>11} {"Go/Gort":>8} {"95 %":>15}  goal']
        ratios = []
        missed = 0
        for name, sides in self.values.items():
            if len(sides) < 2:
                continue
            ratio, low, high = stats.ratio_interval(sides['go'], sides['gort'])
            ratios.append(ratio)
            goal = 2 if TWICE.match(name) else 1
            # Missed only when the whole interval is below: one short run proves little.
            word = '' if ratio >= goal else 'below' if high < goal else 'unsure'
            missed += word == 'below'
            out.append(f'{name[9:]:<48} {stats.median(sides["gort"]):>11.4g} '
                       f'{stats.median(sides["go"]):>11.4g} {ratio:>8.2f} '
                       f'{f"{low:.2f} to {high:.2f}":>15}  {goal} {word}'.rstrip())
        if ratios:
            mean = math.exp(sum(math.log(r) for r in ratios) / len(ratios))
            out.append(f'{"geometric mean":<48} {"":>11} {"":>11} {mean:>8.2f}')
            out.append(f'{len(ratios)} benchmarks, {missed} below their goal')
        return '\n'.join(out) + '\n'


def main():
    if '--help' in sys.argv or '-h' in sys.argv:
        print(__doc__)
        return 0
    quick = os.environ.get('QUICK', '') not in ('', '0')
    pattern = sys.argv[1] if len(sys.argv) > 1 else os.environ.get('ROWS') or '.'
    benchtime = os.environ.get('BENCHTIME') or ('0.05s' if quick else '0.2s')
    count = int(os.environ.get('COUNT') or (3 if quick else 6))
    procs = [int(p) for p in (os.environ.get('PROCS') or '2').replace(',', ' ').split()]
    tree = os.path.abspath(os.path.join(ROOT, os.environ.get('BUILD', 'build')))
    out = os.path.join(tree, 'bench')
    begin = time.monotonic()
    b = build.Build(ROOT, tree, out)
    programs = {'go': compile_go(b), 'gort': compile_c(b)}
    if not programs['gort'] or not programs['go']:
        return 1
    names = subprocess.run([programs['gort'], '-list'], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    names = [n for n in names if re.search(pattern, n)]
    if quick and pattern == '.':
        names = [n for n in names if not SLOW.match(n)]
    cores = sorted(os.sched_getaffinity(0))
    session = Session(programs, out, benchtime, set(cores[:max(2, *procs, 2)]))
    for r in range(count):
        start = time.monotonic()
        session.round(names, procs, ['gort', 'go'] if r % 2 else ['go', 'gort'])
        took = time.monotonic() - start
        print(f'gobench: round {r + 1} of {count} took {took:.0f} s', flush=True)
        if quick and pattern == '.' and time.monotonic() - begin + took > QUICK_SECONDS:
            break
    session.write()
    text = session.table()
    with open(os.path.join(out, 'gobench-table.txt'), 'w', encoding='utf-8') as f:
        f.write(text)
    print('\n' + text)
    where = os.path.relpath(out)
    print(f'gobench: {where}/gobench-go.txt and {where}/gobench-gort.txt are for benchstat')
    return 1 if session.failed else 0


if __name__ == '__main__':
    sys.exit(main())
