# SPDX-License-Identifier: MIT
"""judge.py: does a cost grow faster than it may, as the work grows?

Growth curves: for every two points at least a factor of 100 apart the growth exponent is the slope
between them where both axes are logarithmic: 0 is a constant cost, 1 one in proportion. A curve has
a cliff where between two such points Gort's exponent is above both that of log n and Go's, by more
than TOLERANCE; the table shows the two points where it is farthest above.

Sweeps over GOMAXPROCS: the dearest value may cost twice the cheapest.
"""
import math

TOLERANCE = 0.05
APART = 100
SWEEP_LIMIT = 2.0


def exponent(low, high):
    """The slope between two points (n, cost)."""
    return math.log(high[1] / low[1]) / math.log(high[0] / low[0])


def log_exponent(n1, n2):
    """What a cost of log2(2n) would show between the same two."""
    return exponent((n1, math.log2(2 * n1)), (n2, math.log2(2 * n2)))


def pairs(points):
    kept = [(max(n, 1), cost) for n, cost in points if cost > 0]
    for i, low in enumerate(kept):
        for high in kept[i + 1:]:
            if high[0] >= APART * low[0]:
                yield low, high


def growth(sides):
    """The worst stretch: {'from', 'to', 'gort', 'go', 'log', 'cliff'}, None without points."""
    go = {max(n, 1): cost for n, cost in sides.get('go', [])}
    worst = None
    for low, high in pairs(sides.get('gort', [])):
        ours = exponent(low, high)
        log = log_exponent(low[0], high[0])
        theirs = None
        if go.get(low[0], 0) > 0 and go.get(high[0], 0) > 0:
            theirs = exponent((low[0], go[low[0]]), (high[0], go[high[0]]))
        above = ours - (log if theirs is None else max(log, theirs))
        if worst is None or above > worst[0]:
            worst = (above, {'from': low[0], 'to': high[0], 'gort': ours, 'go': theirs,
                             'log': log, 'cliff': above > TOLERANCE})
    return worst[1] if worst else None


def sweep(sides):
    """{side: dearest / cheapest}, and where the dearest of Gort's is."""
    out = {'factor': {}, 'at': None, 'cliff': False}
    for side, points in sides.items():
        kept = [(cost, n) for n, cost in points if cost > 0]
        if len(kept) > 1:
            out['factor'][side] = max(kept)[0] / min(kept)[0]
            if side == 'gort':
                out['at'] = max(kept)[1]
    out['cliff'] = out['factor'].get('gort', 1.0) > SWEEP_LIMIT
    return out


def curve(result):
    """Adds the verdict to a measured curve."""
    sides = result['sides']
    result['judged'] = sweep(sides) if result['procs'] is None else growth(sides)
    return result
