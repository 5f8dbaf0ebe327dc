# SPDX-License-Identifier: MIT
"""parts.py: what is measured besides the rows of the table: curves, and rows at more processors."""
from lib import judge, session as sessions, stats

ROUNDS = 3


def rounds(session):
    return 1 if session.quick else min(ROUNDS, session.rounds)


def measure_cases(session, build, cases):
    kept = session.rounds
    session.rounds = rounds(session)
    session.measure(build, cases)
    session.rounds = kept


def measure_curves(session, curves, build):
    results = []
    for c in curves:
        if c.bench[0] not in build.names or not sessions.named(session, 'curve', c.name):
            continue
        cases = []
        for point in c.points:
            bench = [a.replace('@', str(point)) for a in c.bench]
            case = sessions.Case(bench, c.operations(point), point if c.procs is None else c.procs)
            cases.append(sessions.two_sides(case, build))
        print(f'bench: curve {c.name}', flush=True)
        measure_cases(session, build, cases)
        sides, unit = {}, ''
        for point, case in zip(c.points, cases):
            for side, (value, unit) in sessions.medians(case, c.metric, stats.median).items():
                sides.setdefault(side, []).append((point, value))
        results.append(judge.curve({'curve': c.name, 'what': c.what, 'unit': unit, 'sides': sides,
                                    'procs': c.procs}))
    return results


def measure_scaling(session, rows, build):
    """Every row of time, once with each GOMAXPROCS of the session's list."""
    cases, chosen = [], []
    for row in rows:
        if row.kind != 'time' or row.tier > 2 or row.bench[0] not in build.names or \
                not sessions.named(session, 'scaling', row.name):
            continue
        of_row = [sessions.two_sides(sessions.Case(row.bench, row.quick_n, procs), build)
                  for procs in session.scale()]
        chosen.append((row, of_row))
        cases += of_row
    if not cases:
        return []
    print(f'bench: scaling of {len(chosen)} rows', flush=True)
    measure_cases(session, build, cases)
    results = []
    for row, of_row in chosen:
        sides, unit = {}, ''
        for case in of_row:
            for side, (value, unit) in sessions.medians(case, row.metric, stats.median).items():
                sides.setdefault(side, []).append((case.procs, value))
        results.append({'row': row.name, 'unit': unit, 'sides': sides})
    return results
