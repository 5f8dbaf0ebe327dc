# SPDX-License-Identifier: MIT
"""stats.py: medians, percentiles, and ratios with a confidence interval."""
import math
import random


def percentile(values, p):
    """The p-th percentile, interpolated between neighbours."""
    v = sorted(values)
    at = (len(v) - 1) * p / 100
    low = math.floor(at)
    high = min(low + 1, len(v) - 1)
    return v[low] + (v[high] - v[low]) * (at - low)


def median(values):
    return percentile(values, 50)


def ratio_interval(theirs, ours, resamples=1000):
    """Ratio of medians theirs/ours, and its 95 % interval by the bootstrap.

    The sides ran in turns, so that run i of one side shares the state of the machine with run i of
    the other. Pairs are drawn, not single runs, where the counts allow it."""
    def ratio(a, b):
        x, y = median(a), median(b)
        if y <= 0:
            return float('inf') if x > 0 else 1.0
        return x / y

    point = ratio(theirs, ours)
    if min(len(theirs), len(ours)) < 2:
        return point, point, point
    rng = random.Random(1)
    drawn = []
    for _ in range(resamples):
        if len(theirs) == len(ours):
            at = rng.choices(range(len(ours)), k=len(ours))
            drawn.append(ratio([theirs[i] for i in at], [ours[i] for i in at]))
        else:
            drawn.append(ratio(rng.choices(theirs, k=len(theirs)), rng.choices(ours, k=len(ours))))
    return point, percentile(drawn, 2.5), percentile(drawn, 97.5)


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else float('nan')
