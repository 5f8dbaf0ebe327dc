#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py: measures Gort beside Go. METHOD.md says how and why.

  bench/run.py [--publish]
      --publish   put the last results into docs/PERFORMANCE.md, measure nothing

Environment (make passes its variables on):
  QUICK=1            fewer and smaller runs, less than three minutes
  ROWS='yield ring*' only these rows; curve:NAME for curves, "curves" for all of them
  PROCS=1            only this GOMAXPROCS
  ROUNDS=10          runs of every row on every side
  BUILD=build        where the library is; the results go to its bench/
  GORT_GO=DIR        the Go to compare with
"""
import datetime
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import build, measure, plot, render, stats, table  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVERS = ('echo', 'http')
QUICK_SECONDS = 165
DISTURBED = 0.15              # share of the cores that others took during a run


class Case:
    """One command, and the rows that take figures from it."""

    def __init__(self, bench, n, procs):
        self.bench, self.n, self.procs = bench, n, procs
        self.rows = []
        self.sides = {}           # side -> (bench, n)
        self.values = {}          # side -> {metric: [value]}
        self.units = {}
        self.cpu = {}             # side -> [seconds of CPU time of the whole process]
        self.dead = set()         # sides that failed
        self.beside = {}          # peer -> names of the rows it stands beside

    def name(self, side):
        bench, n = self.sides[side]
        return ' '.join([bench[0], str(n)] + bench[1:])


class Session:
    def __init__(self, quick, patterns, only_procs, rounds, out):
        self.quick, self.patterns, self.only_procs = quick, patterns, only_procs
        self.rounds, self.out = rounds, out
        self.begin = time.monotonic()
        self.runs, self.failed = [], []
        self.cores_all = sorted(os.sched_getaffinity(0))
        self.limit = 20.0 if quick else 90.0

    def cores(self, procs):
        return set(self.cores_all[:max(2, procs)])

    def left(self):
        return QUICK_SECONDS - (time.monotonic() - self.begin) if self.quick else float('inf')

    def fail(self, case, side, why):
        name = re.sub(r'[^\w.-]+', '_', f'{side}-{case.name(side)}-P{case.procs}')
        path = os.path.join(self.out, 'failures', name + '.txt')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(why)
        case.dead.add(side)
        self.failed.append({'side': side, 'command': case.name(side), 'procs': case.procs,
                            'why': why, 'file': os.path.relpath(path, ROOT)})
        print(f'bench: FAILED {side} {case.name(side)} GOMAXPROCS={case.procs}: '
              f'{why.splitlines()[0]}', flush=True)

    def attempt(self, build_, case, side):
        """One run; returns its figures and what the kernel says, or raises Failure."""
        bench, n = case.sides[side]
        cores = self.cores(min(case.procs, len(self.cores_all)))
        if bench[0] in SERVERS:
            figures, record = measure.run_server(
                build_.sides[side], build_.client, bench, n, case.procs, self.limit, cores)
        else:
            if n >= 1000000 and bench[0] in ('parked', 'parked_own') and not self.quick:
                self.warm(build_)
            figures, record = measure.run(side, build_.sides[side], bench, n, case.procs,
                                          self.limit, cores)
        record.update({'side': side, 'command': case.name(side), 'procs': case.procs,
                       'figures': {m: v for m, (v, _) in figures.items()}})
        self.runs.append(record)
        return figures, record

    def run_once(self, build_, case, side):
        """One run that counts. In a full session one that other programs disturbed is done again,
        twice at most, and the least disturbed counts; that is the same for every side."""
        tries = []
        try:
            while len(tries) < (1 if self.quick else 3):
                tries.append(self.attempt(build_, case, side))
                if tries[-1][1]['foreign'] <= DISTURBED:
                    break
        except measure.Failure as failure:
            self.fail(case, side, str(failure))
            return
        figures, record = min(tries, key=lambda t: t[1]['foreign'])
        for _, other in tries:
            other['counts'] = other is record
        case.cpu.setdefault(side, []).append(record['user_s'] + record['system_s'])
        for metric, (value, unit) in figures.items():
            case.values.setdefault(side, {}).setdefault(metric, []).append(value)
            case.units[metric] = unit

    def warm(self, build_):
        """Makes the host of a virtual machine back the memory that a large run will touch."""
        if 'limit' in build_.sides:
            subprocess.run([build_.sides['limit'], 'warm', '5000'], check=False,
                           stdout=subprocess.DEVNULL)

    def measure(self, build_, cases):
        done = 0
        for round_ in range(self.rounds):
            start = time.monotonic()
            for case in cases:
                order = list(case.sides)
                if round_ % 2:
                    order.reverse()
                for side in order:
                    once = self.quick and round_ > 0 and side not in ('gort', 'go')
                    if side not in case.dead and not once:
                        self.run_once(build_, case, side)
            done += 1
            took = time.monotonic() - start
            print(f'bench: round {done} of {self.rounds} took {took:.0f} s', flush=True)
            if self.left() < took * 1.1 + 5:
                break
        return done


def make_cases(session, rows, peers, build_):
    cases = {}
    for row in rows:
        if session.quick and row.tier > 2 and not session.patterns:
            continue
        if session.patterns and not table.chosen(row.name, session.patterns):
            continue
        if row.bench[0] not in build_.names:
            continue
        n = row.quick_n if session.quick else row.n
        for procs in [session.only_procs] if session.only_procs else row.procs:
            if session.quick and row.tier == 2 and not session.patterns and \
                    not session.only_procs and procs != row.procs[-1]:
                continue
            key = (' '.join(row.bench), n, procs)
            case = cases.setdefault(key, Case(row.bench, n, procs))
            case.rows.append(row)
            case.sides['gort'] = (row.bench, n)
            if 'go' in build_.sides:
                case.sides['go'] = (row.bench, n)
            if row.tier == 1 and not session.quick:
                for side in ('release', 'go_nogc'):
                    if side in build_.sides:
                        case.sides[side] = (row.bench, n)
                        case.beside.setdefault(side, set()).add(row.name)
            for peer in peers:
                if row.name in peer.rows and peer.procs == procs and peer.side in build_.sides:
                    scaled = max(1, peer.n // 4) if session.quick else peer.n
                    case.sides[peer.side] = (peer.bench, scaled)
                    case.beside.setdefault(peer.side, set()).add(row.name)
    return list(cases.values())


def side_figures(values):
    return {'median': stats.median(values), 'p10': stats.percentile(values, 10),
            'p90': stats.percentile(values, 90), 'runs': len(values), 'values': values}


def make_rows(rows, cases):
    """The finished table, in the order of rows.tsv."""
    table_ = []
    for case in cases:
        for row in case.rows:
            sides = {}
            for side, metrics in case.values.items():
                ours = side in ('gort', 'go')
                values = metrics.get(row.metric) or (None if ours else metrics.get(''))
                if values and (ours or row.name in case.beside[side]):
                    sides[side] = side_figures(values)
            out = {'row': row.name, 'kind': row.kind, 'procs': case.procs, 'n': case.n,
                   'command': ' '.join(case.bench), 'unit': case.units.get(row.metric, ''),
                   'goal': row.goals.get(case.procs), 'what': row.what, 'sides': sides,
                   'ratio': None, 'low': None, 'high': None, 'cpu_ratio': None}
            if 'gort' in sides and 'go' in sides:
                ours, theirs = case.cpu['gort'], case.cpu['go']
                if case.bench[0] in SERVERS:
                    ours = case.values['gort']['server_cpu']
                    theirs = case.values['go']['server_cpu']
                if stats.median(ours) > 0:
                    out['cpu_ratio'] = stats.median(theirs) / stats.median(ours)
                out['ratio'], out['low'], out['high'] = stats.ratio_interval(
                    sides['go']['values'], sides['gort']['values'])
            table_.append(out)
    order = {row.name: i for i, row in enumerate(rows)}
    return sorted(table_, key=lambda r: (order[r['row']], r['procs']))


def measure_curves(session, curves, build_):
    wanted = [c for c in curves if (
        table.chosen('curve:' + c.name, session.patterns) or 'curves' in session.patterns
        if session.patterns else not session.quick)]
    wanted = [c for c in wanted if c.bench[0] in build_.names]
    results = []
    rounds, session.rounds = session.rounds, 1 if session.quick else min(3, session.rounds)
    for c in wanted:
        cases = []
        for point in c.points:
            n = int(c.n[1:]) * point if c.n.startswith('*') else max(int(c.n), point)
            bench = [a.replace('@', str(point)) for a in c.bench]
            case = Case(bench, n, point if c.procs is None else c.procs)
            for side in ('gort', 'go'):
                if side in build_.sides:
                    case.sides[side] = (bench, n)
            cases.append(case)
        print(f'bench: curve {c.name}', flush=True)
        session.measure(build_, cases)
        sides, unit = {}, ''
        for point, case in zip(c.points, cases):
            for side, metrics in case.values.items():
                if metrics.get(c.metric):
                    unit = case.units[c.metric]
                    sides.setdefault(side, []).append((point, stats.median(metrics[c.metric])))
        results.append({'curve': c.name, 'what': c.what, 'unit': unit, 'sides': sides,
                        'procs': c.procs})
    session.rounds = rounds
    return results


def command_output(command, **options):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=False, **options).stdout.strip()
    except OSError:
        return ''


def machine(session, build_):
    cpu = 'unknown processor'
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        for line in f:
            if line.startswith('model name'):
                cpu = line.split(':', 1)[1].strip()
                break
    go = ''
    if build_.goroot:
        go = command_output([os.path.join(build_.goroot, 'bin', 'go'), 'version'],
                            env=dict(os.environ, GOROOT=build_.goroot, GOTOOLCHAIN='local'))
    commit = command_output(['git', '-C', ROOT, 'rev-parse', '--short=12', 'HEAD'])
    if command_output(['git', '-C', ROOT, 'status', '--porcelain', '-uno']):
        commit += ' with changes'
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return {
        'cpu': cpu, 'cores_all': os.cpu_count(), 'cores': min(2, len(session.cores_all)),
        'memory_gb': round(memory), 'kernel': platform.release(), 'arch': platform.machine(),
        'cc': command_output(build_.cc + ['--version']).split('\n')[0],
        'go': go.replace('go version ', ''), 'commit': commit or 'unknown',
        'date': datetime.date.today().isoformat(),
    }


def write(results, out):
    with open(os.path.join(out, 'results.json'), 'w', encoding='utf-8') as f:
        json.dump(results, f, indent=1)
        f.write('\n')
    text = render.machine(results) + '\n\n' + render.text_table(results)
    with open(os.path.join(out, 'table.txt'), 'w', encoding='utf-8') as f:
        f.write(text)
    with open(os.path.join(out, 'table.md'), 'w', encoding='utf-8') as f:
        f.write(render.markdown(results))
    for name in os.listdir(out):
        if name.endswith('.svg'):
            os.remove(os.path.join(out, name))
    for kind in render.KINDS:
        plot.ratios([r for r in results['rows'] if r['kind'] == kind],
                    os.path.join(out, f'ratios-{kind}.svg'), render.KINDS[kind] + ': Go / Gort')
    for c in results['curves']:
        plot.curve(c, os.path.join(out, f'curve-{c["curve"]}.svg'))
    print('\n' + text)
    print(f'bench: {os.path.relpath(out)}: table.txt table.md results.json *.svg')


BEGIN = '<!-- The table below is written by bench/run.py --publish. -->'
END = '<!-- End of the written table. -->'


def publish(out):
    """Puts the last table into docs/PERFORMANCE.md, with the raw data and plots beside it."""
    with open(os.path.join(out, 'results.json'), encoding='utf-8') as f:
        results = json.load(f)
    page = os.path.join(ROOT, 'docs', 'PERFORMANCE.md')
    with open(page, encoding='utf-8') as f:
        text = f.read()
    if BEGIN not in text or END not in text:
        raise SystemExit(f'{page}: the marks of the table are missing')
    beside = os.path.join(ROOT, 'docs', 'performance')
    shutil.rmtree(beside, ignore_errors=True)
    os.makedirs(beside)
    shutil.copy(os.path.join(out, 'results.json'), beside)
    plots = []
    for name in sorted(os.listdir(out)):
        if name.endswith('.svg'):
            shutil.copy(os.path.join(out, name), beside)
            plots.append(f'![{name[:-4]}](performance/{name})')
    table_ = render.markdown(results) + '\nRaw data: [results.json](performance/results.json).\n'
    table_ += '\n' + '\n'.join(plots) + '\n'
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(page, 'w', encoding='utf-8') as f:
        f.write(f'{head}{BEGIN}\n\n{table_}\n{END}{tail}')
    print(f'bench: {os.path.relpath(page)} and {os.path.relpath(beside)} written')


def raise_file_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    tree = os.path.abspath(os.path.join(ROOT, os.environ.get('BUILD', 'build')))
    out = os.path.join(tree, 'bench')
    if '--help' in sys.argv or '-h' in sys.argv:
        print(__doc__)
        return 0
    if '--publish' in sys.argv:
        publish(out)
        return 0
    quick = os.environ.get('QUICK', '') not in ('', '0')
    patterns = os.environ.get('ROWS', '').replace(',', ' ').split()
    procs = int(os.environ['PROCS']) if os.environ.get('PROCS') else None
    rounds = int(os.environ.get('ROUNDS') or (3 if quick else 10))
    raise_file_limit()
    session = Session(quick, patterns, procs, rounds, out)
    print(f'bench: building in {os.path.relpath(out)}', flush=True)
    b = build.Build(ROOT, tree, out)
    b.build_all(full=not quick)
    directory = os.path.join(ROOT, 'bench')
    rows = table.read_rows(directory)
    absent = [row.name for row in rows if row.bench[0] not in b.names]
    if absent and 'gort' in b.sides:
        b.skipped.append((f'{len(absent)} rows', ' '.join(absent)))
    cases = make_cases(session, rows, table.read_peers(directory), b)
    done = session.measure(b, cases) if cases else 0
    curves = measure_curves(session, table.read_curves(directory), b)
    results = {'machine': machine(session, b), 'rounds': done, 'quick': quick,
               'rows': make_rows(rows, cases), 'curves': curves, 'skipped': b.skipped,
               'failed': session.failed, 'runs': session.runs}
    write(results, out)
    return 1 if session.failed or 'gort' not in b.sides or 'go' not in b.sides else 0


if __name__ == '__main__':
    sys.exit(main())
