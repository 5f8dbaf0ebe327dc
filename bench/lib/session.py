# SPDX-License-Identifier: MIT
"""session.py: which runs are made, in which order, and when they end.

A case is one command; several rows may take figures from it. A round runs every case once on every
side, the sides of a case one after the other. A quick session has a time to end at: a case begins
only when its last runs would fit into what is left, and a run may not outlive the end by much.
"""
import os
import re
import subprocess
import time

from lib import measure, table

SERVERS = ('echo', 'http')
OURS = ('gort', 'go')
QUICK_SECONDS = 155           # from the beginning of `make bench QUICK=1` to the last run
QUICK_ROUNDS = 3              # of rows that are not of the first tier, and of those that take
QUICK_PEERS = 1               # the round in which peers and limits run once
QUICK_HEAVY = 0.8             # more seconds than this for a run on both sides
DISTURBED = 0.15              # share of the cores that others took during a run
SCALE = (1, 2, 4, 16)         # GOMAXPROCS of the scaling table, more where there are more cores


class Case:
    """One command, and the rows that take figures from it."""

    def __init__(self, bench, n, procs):
        self.bench, self.n, self.procs = bench, n, procs
        self.tier = 2
        self.rows = []
        self.sides = {}           # side -> (bench, n)
        self.values = {}          # side -> {metric: [value]}
        self.units = {}
        self.cpu = {}             # side -> [seconds of CPU time of the whole process]
        self.wall = {}            # side -> seconds of the last run, from start to end
        self.dead = set()         # sides that failed
        self.beside = {}          # peer -> names of the rows it stands beside

    def name(self, side):
        bench, n = self.sides[side]
        return ' '.join([bench[0], str(n)] + bench[1:])


class Session:
    def __init__(self, root, quick, patterns, only_procs, rounds, out):
        self.root, self.quick, self.patterns = root, quick, patterns
        self.only_procs, self.rounds, self.out = only_procs, rounds, out
        self.begin = time.time()
        if os.environ.get('GORT_BENCH_BEGIN', '').isdigit():
            self.begin = min(self.begin, int(os.environ['GORT_BENCH_BEGIN']))
        self.runs, self.failed = [], []
        self.late = set()         # names of rows that found no time
        self.cores_all = sorted(os.sched_getaffinity(0))

    def cores(self, procs):
        return set(self.cores_all[:max(2, min(procs, len(self.cores_all)))])

    def scale(self):
        more = len(self.cores_all)
        return sorted(set(SCALE) | ({more, 4 * more} if more > 2 else set()))

    def spent(self):
        return time.time() - self.begin

    def left(self):
        return QUICK_SECONDS - self.spent() if self.quick else float('inf')

    def limit(self, side='gort'):
        """How long a run may take before it counts as hung."""
        if not self.quick:
            return 90.0
        return max(5.0, min(20.0 if side in OURS else 5.0, self.left() + 10))

    def fail(self, case, side, why):
        name = re.sub(r'[^\w.-]+', '_', f'{side}-{case.name(side)}-P{case.procs}')
        path = os.path.join(self.out, 'failures', name + '.txt')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(why)
        case.dead.add(side)
        self.failed.append({'side': side, 'command': case.name(side), 'procs': case.procs,
                            'why': why, 'file': os.path.relpath(path, self.root)})
        print(f'bench: FAILED {side} {case.name(side)} GOMAXPROCS={case.procs}: '
              f'{why.splitlines()[0]}', flush=True)

    def attempt(self, build, case, side):
        """One run; returns its figures and what the kernel says, or raises Failure."""
        bench, n = case.sides[side]
        cores = self.cores(case.procs)
        program = build.program(side, bench[0])
        if bench[0] in SERVERS:
            figures, record = measure.run_server(program, build.client, bench, n, case.procs,
                                                 self.limit(side), cores)
        else:
            if n >= 1000000 and bench[0] in ('parked', 'parked_own') and not self.quick:
                self.warm(build)
            figures, record = measure.run(side, program, bench, n, case.procs,
                                          self.limit(side), cores)
        record.update({'side': side, 'command': case.name(side), 'procs': case.procs,
                       'figures': {m: v for m, (v, _) in figures.items()}})
        self.runs.append(record)
        return figures, record

    def run_once(self, build, case, side):
        """One run that counts. In a full session one that other programs disturbed is done again,
        twice at most, and the least disturbed counts; that is the same for every side."""
        tries = []
        start = time.monotonic()
        try:
            while len(tries) < (1 if self.quick else 3):
                tries.append(self.attempt(build, case, side))
                if tries[-1][1]['foreign'] <= DISTURBED:
                    break
        except measure.Failure as failure:
            self.fail(case, side, str(failure))
            return
        case.wall[side] = time.monotonic() - start
        figures, record = min(tries, key=lambda t: t[1]['foreign'])
        for _, other in tries:
            other['counts'] = other is record
        case.cpu.setdefault(side, []).append(record['user_s'] + record['system_s'])
        for metric, (value, unit) in figures.items():
            case.values.setdefault(side, {}).setdefault(metric, []).append(value)
            case.units[metric] = unit

    def warm(self, build):
        """Makes the host of a virtual machine back the memory that a large run will touch."""
        if 'limit' in build.sides:
            subprocess.run([build.sides['limit'], 'warm', '5000'], check=False,
                           stdout=subprocess.DEVNULL)

    def due(self, case, round_):
        """The sides of a case that run in this round, in order."""
        order = list(case.sides)
        if round_ % 2:
            order.reverse()
        if self.quick:
            heavy = sum(case.wall.get(side, 0) for side in OURS) > QUICK_HEAVY
            if (case.tier > 1 or heavy) and round_ >= QUICK_ROUNDS:
                return []
            if round_ != QUICK_PEERS:
                order = [side for side in order if side in OURS]
        return [side for side in order if side not in case.dead]

    def measure(self, build, cases):
        """Runs the rounds; in a quick session the first tier first, for it is to have its runs."""
        if self.quick:
            cases = sorted(cases, key=lambda c: c.tier)
        for round_ in range(self.rounds):
            start = time.monotonic()
            for case in cases:
                sides = self.due(case, round_)
                need = sum(case.wall.get(side, 0.7) for side in sides)
                if sides and self.left() < need:
                    self.late.update(row.name for row in case.rows)
                    continue
                for side in sides:
                    self.run_once(build, case, side)
            print(f'bench: round {round_ + 1} of {self.rounds} took '
                  f'{time.monotonic() - start:.0f} s', flush=True)
            if self.left() < 1:
                break


def add_beside(case, row, peers, build, session):
    """The variants, peers and limits that stand beside a row."""
    if row.tier == 1 and not session.quick:
        for side in ('release', 'go_nogc'):
            if side in build.sides:
                case.sides[side] = (row.bench, case.n)
                case.beside.setdefault(side, set()).add(row.name)
    for peer in peers:
        if row.name in peer.rows and peer.procs == case.procs and peer.side in build.sides:
            scaled = max(1, peer.n // 4) if session.quick else peer.n
            case.sides[peer.side] = (peer.bench, scaled)
            case.beside.setdefault(peer.side, set()).add(row.name)


def wanted(session, row):
    if session.patterns:
        return table.chosen(row.name, session.patterns)
    return not session.quick or row.tier <= 2


def make_cases(session, rows, peers, build):
    cases = {}
    for row in rows:
        if row.bench[0] not in build.names or not wanted(session, row):
            continue
        n = row.quick_n if session.quick else row.n
        for procs in [session.only_procs] if session.only_procs else row.procs:
            if session.quick and row.tier == 2 and not session.patterns and \
                    not session.only_procs and procs != row.procs[-1]:
                continue
            case = cases.setdefault((' '.join(row.bench), n, procs), Case(row.bench, n, procs))
            case.rows.append(row)
            case.tier = min(case.tier, row.tier)
            if session.quick and session.patterns:
                case.tier = 1
            for side in ('gort', 'go'):
                if side in build.sides:
                    case.sides[side] = (row.bench, n)
            add_beside(case, row, peers, build, session)
    return list(cases.values())


def two_sides(case, build):
    for side in ('gort', 'go'):
        if side in build.sides:
            case.sides[side] = (case.bench, case.n)
    return case


def medians(case, metric, middle):
    """side -> (median, unit) of what a case measured."""
    return {side: (middle(metrics[metric]), case.units[metric])
            for side, metrics in case.values.items() if metrics.get(metric)}


def named(session, kind, name):
    """Whether a part of the session that is not a row is asked for."""
    if session.patterns:
        return kind + 's' in session.patterns or kind in session.patterns or \
            table.chosen(f'{kind}:{name}', session.patterns)
    return not session.quick
