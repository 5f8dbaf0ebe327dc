#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py: measures Gort beside Go. METHOD.md says how and why.

  bench/run.py [--publish]
      --publish   put the last results into docs/PERFORMANCE.md, measure nothing

Environment (make passes its variables on):
  QUICK=1            fewer and smaller runs, less than three minutes
  PUBLISH=1          afterwards the same as --publish, when every run gave its figures
  ROWS='yield ring*' only these rows; "curves" or curve:NAME, "scaling" or scaling:NAME for those
  PROCS=1            only this GOMAXPROCS
  ROUNDS=10          runs of every row on every side
  BUILD=build        where the library is; the results go to its bench/
  GORT_GO=DIR        the Go to compare with
"""
import os
import resource
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import build, machine, parts, publish, session as sessions, stats, table  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD_SECONDS = 75            # a quick session that built for so long leaves out the peers


def side_figures(values):
    return {'median': stats.median(values), 'p10': stats.percentile(values, 10),
            'p90': stats.percentile(values, 90), 'runs': len(values), 'values': values}


def make_row(case, row):
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
        if case.bench[0] in sessions.SERVERS:
            ours = case.values['gort']['server_cpu']
            theirs = case.values['go']['server_cpu']
        if stats.median(ours) > 0:
            out['cpu_ratio'] = stats.median(theirs) / stats.median(ours)
        out['ratio'], out['low'], out['high'] = stats.ratio_interval(
            sides['go']['values'], sides['gort']['values'])
    return out


def make_rows(rows, cases):
    """The finished table, in the order of rows.tsv."""
    table_ = [make_row(case, row) for case in cases for row in case.rows]
    table_ = [r for r in table_ if r['sides']]
    order = {row.name: i for i, row in enumerate(rows)}
    return sorted(table_, key=lambda r: (order[r['row']], r['procs']))


def raise_file_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def switched_on(name):
    return os.environ.get(name, '') not in ('', '0')


def run(session, tree):
    """Builds and measures everything that is asked for; the results."""
    print(f'bench: building in {os.path.relpath(session.out)}', flush=True)
    b = build.Build(ROOT, tree, session.out)
    b.build_all(full=not session.quick,
                hurry=lambda: session.quick and session.spent() > BUILD_SECONDS)
    print(f'bench: built after {session.spent():.0f} s' + (
        '; that took the time, the next session will find it done' if session.left() < 30 else ''),
          flush=True)
    directory = os.path.join(ROOT, 'bench')
    rows = table.read_rows(directory)
    absent = [row.name for row in rows if row.bench[0] not in b.names]
    if absent and 'gort' in b.sides:
        b.skipped.append((f'{len(absent)} rows', ' '.join(absent)))
    cases = sessions.make_cases(session, rows, table.read_peers(directory), b)
    session.measure(b, cases)
    scaling = parts.measure_scaling(session, rows, b)
    curves = parts.measure_curves(session, table.read_curves(directory), b)
    late = [row.name for row in rows if row.name in session.late]
    counted = [r for r in session.runs if r.get('counts')]
    results = {'machine': machine.describe(ROOT, b), 'rounds': session.rounds,
               'quick': session.quick, 'seconds': round(session.spent()),
               'rows': make_rows(rows, cases),
               'scaling': scaling, 'curves': curves, 'late': late, 'skipped': b.skipped,
               'failed': session.failed, 'counted': len(counted),
               'disturbed': sum(r['foreign'] > sessions.DISTURBED for r in counted)}
    known = publish.places(ROOT, tree, b.goroot)
    publish.write(publish.clean(results, known), publish.clean(session.runs, known), session.out)
    fatal = [f for f in session.failed if f['side'] in ('gort', 'go', 'release')]
    return 1 if fatal or 'gort' not in b.sides or 'go' not in b.sides else 0


def main():
    tree = os.path.abspath(os.path.join(ROOT, os.environ.get('BUILD', 'build')))
    out = os.path.join(tree, 'bench')
    if '--help' in sys.argv or '-h' in sys.argv:
        print(__doc__)
        return 0
    if '--publish' in sys.argv:
        publish.publish(ROOT, out)
        return 0
    quick = switched_on('QUICK')
    patterns = os.environ.get('ROWS', '').replace(',', ' ').split()
    procs = int(os.environ['PROCS']) if os.environ.get('PROCS') else None
    raise_file_limit()
    status = run(sessions.Session(ROOT, quick, patterns, procs,
                                  int(os.environ.get('ROUNDS') or 10), out), tree)
    if switched_on('PUBLISH'):
        if status == 0:
            publish.publish(ROOT, out, ['table'])
        else:
            print('bench: not published, for not every run gave its figures; '
                  'bench/run.py --publish does it all the same')
    return status


if __name__ == '__main__':
    sys.exit(main())
