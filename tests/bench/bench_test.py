#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tests of bench/. Prints TAP. Environment: GORT_BUILD (default build), CC."""
import contextlib
import glob
import math
import os
import re
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, 'bench')
sys.path.insert(0, BENCH)
from lib import build, judge, measure, publish, render, session, stats, table  # noqa: E402

# What the table has to have, whatever else it has.
WANTED = """
yield spawn_1 spawn_1000 spawn_all spawn_tree spawn_producers parked_spawn parked_bytes parked_wake
pingpong ring_503 prodcons_work bndbuffer select_2 select_4 select_8 select_100 select_default
select_fanin close_broadcast mutex_alone mutex_2 mutex_64 mutex_slack rwmutex_read rwmutex_10
waitgroup once timer_startstop timer_pending_start timer_pending_stop timer_late_p99
timer_late_busy_p99 timer_late_hogs_p99 ctx_cancel ctx_tree skynet skynet_peak sieve matmul fib
quicksort chameneos philosophers actor_pingpong big wake_late_p50 wake_late_p99 wake_late_p999
wake_late_busy_p50 wake_late_busy_p99 wake_late_busy_p999 echo_1 echo_100 echo_1000 echo_10000
http_100
""".split() + [f'buffered_{n}x{m}{cap}' for n, m, caps in (
    (1, 1, ('_cap1', '_cap10', '', '_cap1000')), (4, 4, ('_cap1', '_cap10', '', '_cap1000')),
    (16, 4, ('_cap1', '_cap10', '_cap100', '_cap1000'))) for cap in caps]

# Work that takes no time, where n is something else than operations.
LITTLE = {'skynet': 1000, 'sieve': 50, 'fib': 10, 'quicksort': 5000, 'matmul': 16, 'idle': 20,
          'sleepers': 100, 'timer_late': 20, 'wake_late': 4, 'ticker': 5, 'parked': 1000,
          'echo': 50, 'http': 50, 'pingpong_locked': 50}
ARGUMENTS = {'spawn': '100', 'close_broadcast': '100', 'select_popular': '20', 'ctx_chain': '50',
             'ctx_fan': '50'}


def rows():
    return table.read_rows(BENCH)


def names_of_c():
    return [n for f in sorted(glob.glob(os.path.join(BENCH, 'c', '*.c')))
            for n in re.findall(r'^BENCH\((\w+)\)', open(f, encoding='utf-8').read(), re.M)]


def names_of_go():
    return [n for f in sorted(glob.glob(os.path.join(BENCH, 'go', '*.go')))
            for n in re.findall(r'\brow\("(\w+)"', open(f, encoding='utf-8').read())]


def test_same_names():
    """both sides have the same benchmarks, each once"""
    c, go = names_of_c(), names_of_go()
    assert sorted(c) == sorted(go), sorted(set(c) ^ set(go))
    assert len(set(c)) == len(c)


def test_lists():
    """rows, peers and curves name what exists, and every name once"""
    known = set(names_of_c())
    names = [r.name for r in rows()]
    assert len(set(names)) == len(names)
    curves = table.read_curves(BENCH)
    assert len({c.name for c in curves}) == len(curves)
    unknown = {r.bench[0] for r in rows()} | {c.bench[0] for c in curves}
    assert unknown <= known, unknown - known
    for peer in table.read_peers(BENCH):
        assert set(peer.rows) <= set(names), peer.rows
    for r in rows():
        assert r.kind in render.KINDS and set(r.goals) <= set(r.procs), r


def test_all_benchmarks_have_rows():
    """every benchmark has a row, or is for a client of its own"""
    used = {r.bench[0] for r in rows()} | {c.bench[0] for c in table.read_curves(BENCH)}
    assert set(names_of_c()) - used <= {'echo_busy'}, set(names_of_c()) - used


def test_wanted():
    """the table has all rows it is to have"""
    assert set(WANTED) <= {r.name for r in rows()}, set(WANTED) - {r.name for r in rows()}


def test_stats():
    """medians, percentiles, and an interval around the ratio"""
    assert stats.median([3, 1, 2]) == 2 and stats.percentile([0, 10], 10) == 1
    point, low, high = stats.ratio_interval([20, 22, 18, 21], [10, 11, 9, 10])
    assert low <= point <= high and abs(point - 2.05) < 0.1, (low, point, high)
    assert abs(stats.geometric_mean([1, 4]) - 2) < 1e-9


def grown(power):
    return [(n, 10 * n ** power) for n in (1, 10, 100, 1000, 10000, 100000)]


def test_growth():
    """a cliff is what grows faster than log n and than Go"""
    log = [(n, 10 * math.log2(2 * n)) for n in (1, 10, 100, 1000, 10000, 100000)]
    assert not judge.growth({'gort': grown(0), 'go': grown(0)})['cliff']
    assert not judge.growth({'gort': log, 'go': grown(0)})['cliff']
    assert judge.growth({'gort': grown(0.5), 'go': grown(0)})['cliff']
    assert not judge.growth({'gort': grown(0.5), 'go': grown(0.5)})['cliff']
    late = grown(0)[:-1] + [(100000, 200.0)]
    found = judge.growth({'gort': late, 'go': grown(0)})
    assert found['cliff'] and found['to'] == 100000, found
    assert judge.growth({'gort': [(1, 5.0)]}) is None


def test_sweep():
    """GOMAXPROCS may cost twice the best"""
    flat = {'gort': [(1, 10.0), (2, 6.0), (64, 11.9)], 'go': [(1, 10.0), (64, 90.0)]}
    assert not judge.sweep(flat)['cliff'] and judge.sweep(flat)['factor']['go'] == 9
    steep = judge.sweep({'gort': [(1, 10.0), (2, 5.0), (64, 10.1)]})
    assert steep['cliff'] and steep['at'] == 64


def test_clean():
    """no directory of the machine gets into what is written"""
    known = publish.places('/mnt/x/gort', '/mnt/x/gort/build', '/opt/go')
    dirty = {'why': ['/mnt/x/gort/bench/c/x.c:3: no\n/mnt/x/gort/build/bench/obj/x.o',
                     'in /tmp/abc/def.c, see /proc/self/status and a/b', '/opt/go/bin/go'], 'n': 1}
    clean = publish.clean(dirty, known)
    assert clean == {'why': ['bench/c/x.c:3: no\nbuild/bench/obj/x.o',
                             'in def.c, see /proc/self/status and a/b', 'GOROOT/bin/go'],
                     'n': 1}, clean
    publish.must_be_clean('clean', str(clean))
    try:
        publish.must_be_clean('dirty', str(dirty))
    except SystemExit:
        return
    raise AssertionError('published with a path in it')


def results():
    side = {'median': 5.0, 'p10': 4.0, 'p90': 6.0, 'runs': 10, 'values': [5.0] * 10}
    row = {'row': 'yield', 'kind': 'time', 'procs': 1, 'n': 1, 'command': 'yield', 'unit': 'ns',
           'goal': 2.0, 'what': 'a yield', 'ratio': 1.0, 'low': 0.9, 'high': 1.1,
           'cpu_ratio': 1.0, 'sides': {'gort': side, 'go': side}}
    curve = {'curve': 'c', 'what': 'things', 'unit': 'ns', 'procs': 2,
             'sides': {'gort': grown(0.5), 'go': grown(0)}}
    sweep = {'curve': 's', 'what': 'GOMAXPROCS', 'unit': 'ns', 'procs': None,
             'sides': {'gort': [(1, 3.0), (64, 4.0)]}}
    about = {'cpu': 'x', 'cores': 2, 'cores_all': 2, 'memory_gb': 1, 'kernel': '6', 'arch': 'y',
             'cc': 'cc', 'go': 'go', 'commit': 'c', 'date': 'd'}
    return {'machine': about, 'rounds': 10, 'quick': False, 'seconds': 1, 'rows': [row],
            'curves': [judge.curve(curve), judge.curve(sweep)], 'late': ['ring'],
            'scaling': [{'row': 'yield', 'unit': 'ns',
                         'sides': {'gort': [(1, 4.0), (2, 2.0)], 'go': [(1, 4.0)]}}],
            'skipped': [], 'failed': [], 'counted': 20, 'disturbed': 1}


def runs():
    return [{'side': 'gort', 'procs': 1, 'command': 'yield 5', 'wall_s': 0.5, 'foreign': 0.0,
             'counts': True, 'figures': {'': 12.5, 'p99': 3.0}}]


def quietly(function, *arguments):
    with open(os.devnull, 'w', encoding='utf-8') as null, contextlib.redirect_stdout(null):
        function(*arguments)


def test_render():
    """table, verdicts and what is missing are written, as text, Markdown, JSON and plots"""
    with tempfile.TemporaryDirectory() as out:
        quietly(publish.write, results(), runs(), out)
        found = set(os.listdir(out))
        assert found == {'table.txt', 'table.md', 'results.json', 'runs.tsv', 'ratios-time.svg',
                         'curve-c.svg', 'curve-s.svg', 'scaling.svg'}, found
        text = open(os.path.join(out, 'table.txt'), encoding='utf-8').read()
        last = open(os.path.join(out, 'runs.tsv'), encoding='utf-8').read().splitlines()[-1]
        assert last.endswith('value=12.5 p99=3') and last.startswith('gort\t1\tyield 5'), last
    for word in ('1.00 [0.90-1.10]', '2 MISSED', 'CLIFF', 'cliffs: c', 'ring', '2.00'):
        assert word in text, word
    assert '10 runs a row' in text


def test_publish():
    """tables go between their marks, plots and data beside, and nothing else changes"""
    with tempfile.TemporaryDirectory() as root:
        out = os.path.join(root, 'build')
        os.makedirs(os.path.join(root, 'docs', 'performance'))
        os.makedirs(out)
        page = os.path.join(root, 'docs', 'PERFORMANCE.md')
        begin, end = publish.MARKS['table']
        with open(page, 'w', encoding='utf-8') as f:
            f.write(f'before\n{begin}\nold\n{end}\nafter\n')
        with open(os.path.join(root, 'docs', 'performance', 'old.svg'), 'w', encoding='utf-8'):
            pass
        quietly(publish.write, results(), runs(), out)
        quietly(publish.publish, root, out, ['table'])
        text = open(page, encoding='utf-8').read()
        assert text.startswith('before\n' + begin) and text.endswith(end + '\nafter\n'), text
        assert 'old' not in text and 'curve-c.svg' in text and '| yield |' in text
        beside = set(os.listdir(os.path.join(root, 'docs', 'performance')))
        assert beside == {'results.json', 'runs.tsv', 'ratios-time.svg', 'curve-c.svg',
                          'curve-s.svg', 'scaling.svg'}, beside
        first = publish.first_figures(results())
        assert '| give way to another goroutine | 1 | 5.00 ns | 5.00 ns | 1.00 |' in first, first


def test_budget():
    """a quick session whose time is over begins nothing, and says what is missing"""
    s = session.Session(ROOT, True, [], None, 10, '')
    s.begin = time.time() - session.QUICK_SECONDS
    case = session.Case(['yield'], 1, 1)
    case.rows, case.sides = [rows()[0]], {'gort': (['yield'], 1)}
    s.measure(None, [case])
    assert s.late == {rows()[0].name} and not s.runs
    assert s.limit() <= 10


def test_turns():
    """sides change places every second round; the second tier runs less often in quick sessions"""
    s = session.Session(ROOT, True, [], None, 10, '')
    case = session.Case(['yield'], 1, 1)
    case.sides = {'gort': None, 'go': None, 'limit': None}
    case.tier = 1
    assert s.due(case, 0) == ['gort', 'go'] and s.due(case, 1) == ['limit', 'go', 'gort']
    assert s.due(case, 8) == ['gort', 'go'] and s.due(case, 9) == ['go', 'gort']
    case.tier = 2
    assert s.due(case, 9) == []
    s.quick = False
    assert s.due(case, 9) == ['limit', 'go', 'gort']


def run_row(b, row, client):
    name, arguments = row.bench[0], list(row.bench[1:])
    n = LITTLE.get(name, 500)
    if name in ARGUMENTS:
        arguments = [ARGUMENTS[name]]
    if name in session.SERVERS:
        figures, _ = measure.run_server(b.program('gort', name), client, [name, '5'], n, 2, 60,
                                        os.sched_getaffinity(0))
    else:
        figures, _ = measure.run('gort', b.program('gort', name), [name] + arguments, n, 2, 60,
                                 os.sched_getaffinity(0))
    assert row.metric in figures, (row.name, figures)


def test_every_row():
    """every row's benchmark builds, runs and prints its figure"""
    tree = os.path.abspath(os.environ.get('GORT_BUILD') or os.path.join(ROOT, 'build'))
    with tempfile.TemporaryDirectory() as out:
        b = build.Build(ROOT, tree, out)
        b.build_c()
        if os.path.exists(os.path.join(tree, 'lib', 'libgort-http.so')):
            b.build_http()
        b.build_limits()
        assert 'gort' in b.sides and not b.skipped, b.skipped
        seen = set()
        for row in rows():
            if (row.bench[0], row.metric) not in seen and row.bench[0] in b.names:
                seen.add((row.bench[0], row.metric))
                run_row(b, row, b.client)


def main():
    tests = [(name, f) for name, f in globals().items() if name.startswith('test_')]
    failed = 0
    print(f'1..{len(tests)}')
    for i, (_, test) in enumerate(tests, 1):
        try:
            test()
            verdict = 'ok'
        except Exception:
            verdict = 'not ok'
            failed += 1
            print('\n'.join('# ' + line for line in traceback.format_exc().splitlines()))
        print(f'{verdict} {i} - bench: {test.__doc__}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
