# SPDX-License-Identifier: MIT
"""plot.py: the plots, written as SVG by hand so that nothing has to be installed."""
import math

COLOURS = {'gort': '#0b6e4f', 'go': '#3b7dd8', 'goal': '#c0392b', 'grid': '#dddddd'}
STYLE = 'font-family="sans-serif" font-size="12"'


def escape(text):
    return str(text).replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')


class Canvas:
    def __init__(self, width, height, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" {STYLE}>',
            f'<rect width="{width}" height="{height}" fill="white"/>']
        self.text(width / 2, 18, title, anchor='middle', size=14)

    def text(self, x, y, text, anchor='start', size=12, fill='#222222'):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
                          f'font-size="{size}" fill="{fill}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, stroke, width=1):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{stroke}" stroke-width="{width}"/>')

    def rect(self, x, y, w, h, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
                          f'fill="{fill}"/>')

    def path(self, points, stroke):
        text = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        self.parts.append(f'<polyline points="{text}" fill="none" stroke="{stroke}" '
                          'stroke-width="2"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{stroke}"/>')

    def write(self, path):
        with open(path, 'w', encoding='utf-8') as f:
            f.write('\n'.join(self.parts + ['</svg>']) + '\n')


def ratios(rows, path, title):
    """Bars of Go/Gort on a logarithmic axis, with intervals and goals."""
    rows = [r for r in rows if r['ratio'] and 0 < r['ratio'] < float('inf')]
    if not rows:
        return
    left, right, top, step = 210, 40, 50, 17
    width, height = 900, top + step * len(rows) + 30
    low = min(0.5, min(r['ratio'] for r in rows) / 1.2)
    high = max(10, max(max(r['ratio'], r['high'], r['goal'] or 0) for r in rows) * 1.2)

    def x(value):
        value = min(max(value, low), high)
        return left + (width - left - right) * math.log(value / low) / math.log(high / low)

    c = Canvas(width, height, title)
    ticks = [t for t in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000, 10000)
             if low <= t <= high]
    for t in ticks:
        c.line(x(t), top - 8, x(t), height - 25, '#555555' if t == 1 else COLOURS['grid'])
        c.text(x(t), top - 12, f'{t:g}', anchor='middle')
    for i, r in enumerate(rows):
        y = top + i * step
        start, end = sorted((x(1), x(r['ratio'])))
        ahead = r['ratio'] >= 1
        c.rect(start, y, max(1, end - start), step - 5,
               COLOURS['gort'] if ahead else COLOURS['goal'])
        c.line(x(r['low']), y + 6, x(r['high']), y + 6, '#000000')
        c.text(left - 6, y + 11, f'{r["row"]} P={r["procs"]}', anchor='end')
        c.text(x(max(r['ratio'], r['high'], 1)) + 4, y + 11, f'{r["ratio"]:.1f}', size=10)
        if r['goal']:
            c.line(x(r['goal']), y - 1, x(r['goal']), y + step - 4, COLOURS['goal'], 2)
    c.text(left, height - 8, 'Go divided by Gort: to the right of 1 Gort is ahead; '
           'red mark: the goal; black line: 95 % interval', size=11)
    c.write(path)


def decades(low, high):
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** e for e in range(first, last + 1)]


def curve(result, path):
    """Cost against size, both logarithmic."""
    width, height, left, top = 560, 360, 70, 40
    sides = {s: [(p, v) for p, v in points if v > 0] for s, points in result['sides'].items()}
    values = [v for points in sides.values() for _, v in points]
    sizes = [max(p, 0.5) for points in sides.values() for p, _ in points]
    if not values:
        return
    ys = decades(min(values) * 0.99, max(values) * 1.01)
    x_low, x_high = min(sizes), max(max(sizes), min(sizes) * 2)

    def x(p):
        return left + (width - left - 30) * math.log(max(p, 0.5) / x_low) / math.log(x_high / x_low)

    def y(v):
        return height - 50 - (height - 50 - top) * math.log(v / ys[0]) / math.log(ys[-1] / ys[0])

    c = Canvas(width, height, f'{result["curve"]}: {result["unit"]} an operation')
    for v in ys:
        c.line(left, y(v), width - 30, y(v), COLOURS['grid'])
        c.text(left - 6, y(v) + 4, f'{v:g}', anchor='end')
    for p in sorted(set(p for points in sides.values() for p, _ in points)):
        c.line(x(p), height - 50, x(p), height - 45, '#555555')
        c.text(x(p), height - 32, f'{p:,}' if p < 10000 else f'{p:.0e}'.replace('e+0', 'e'),
               anchor='middle', size=10)
    c.text(width / 2, height - 12, result['what'], anchor='middle')
    for i, (side, points) in enumerate(sorted(sides.items())):
        colour = COLOURS.get(side, '#888888')
        c.path([(x(p), y(v)) for p, v in points], colour)
        c.text(width - 90, top + 14 * i, 'Gort' if side == 'gort' else 'Go', fill=colour)
    c.write(path)


def scaling(rows, path):
    """How much faster two processors are than one: a bar for Gort, a dot for Go."""
    bars = []
    for r in rows:
        gains = {}
        for side, points in r['sides'].items():
            v = dict(points)
            if v.get(1) and v.get(2):
                gains[side] = v[1] / v[2]
        if 'gort' in gains:
            bars.append((r['row'], gains))
    if not bars:
        return
    left, right, top, step = 190, 60, 50, 15
    width, height = 760, top + step * len(bars) + 30
    low, high = 0.25, 4.0

    def x(value):
        value = min(max(value, low), high)
        return left + (width - left - right) * math.log(value / low) / math.log(high / low)

    c = Canvas(width, height, 'One processor to two')
    for t in (0.25, 0.5, 1, 2, 4):
        c.line(x(t), top - 8, x(t), height - 25, '#555555' if t == 1 else COLOURS['grid'])
        c.text(x(t), top - 12, f'{t:g}', anchor='middle')
    for i, (name, gains) in enumerate(bars):
        y = top + i * step
        start, end = sorted((x(1), x(gains['gort'])))
        c.rect(start, y, max(1, end - start), step - 5, COLOURS['gort'])
        c.text(left - 6, y + 9, name, anchor='end', size=10)
        if 'go' in gains:
            c.parts.append(f'<circle cx="{x(gains["go"]):.1f}" cy="{y + 5:.1f}" r="3.5" '
                           f'fill="{COLOURS["go"]}"/>')
    c.text(left, height - 8, 'time with GOMAXPROCS=1 divided by time with 2; bar: Gort, dot: Go',
           size=11)
    c.write(path)
