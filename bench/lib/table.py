# SPDX-License-Identifier: MIT
"""table.py: the lists of what is measured (rows.tsv, peers.tsv, curves.tsv)."""
import collections
import fnmatch
import os

Row = collections.namedtuple(
    'Row', 'name kind procs tier n quick_n bench metric goals what')
Peer = collections.namedtuple('Peer', 'rows side procs n bench')


class Curve(collections.namedtuple('Curve', 'name procs n bench metric points what')):
    """n: so many operations, at least as many as the point; "*K" K times the point; "=K" K."""

    def operations(self, point):
        if self.n.startswith('*'):
            return int(self.n[1:]) * point
        if self.n.startswith('='):
            return int(self.n[1:])
        return max(int(self.n), point)


def lines(path, fields):
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip('\n')
            if not line or line.startswith('#'):
                continue
            parts = line.split('\t')
            if len(parts) != fields:
                raise SystemExit(f'{path}:{number}: {len(parts)} fields instead of {fields}')
            yield parts


def read_rows(directory):
    rows = []
    for p in lines(os.path.join(directory, 'rows.tsv'), 10):
        n = int(p[4])
        goals = {}
        procs = [int(x) for x in p[2].split()]
        for goal in p[8].split():
            if ':' in goal:
                proc, ratio = goal.split(':')
                goals[int(proc)] = float(ratio)
            else:
                goals.update({proc: float(goal) for proc in procs})
        quick = int(p[5]) if p[5] else max(1, n // 4)
        rows.append(Row(p[0], p[1], procs, int(p[3]), n, quick, p[6].split(), p[7], goals, p[9]))
    return rows


def read_peers(directory):
    return [Peer(p[0].split(','), p[1], int(p[2]), int(p[3]), p[4].split())
            for p in lines(os.path.join(directory, 'peers.tsv'), 5)]


def read_curves(directory):
    curves = []
    for p in lines(os.path.join(directory, 'curves.tsv'), 7):
        procs = None if p[1] == 'sweep' else int(p[1])
        points = [int(x) for x in p[5].split()]
        curves.append(Curve(p[0], procs, p[2], p[3].split(), p[4], points, p[6]))
    return curves


def chosen(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)
