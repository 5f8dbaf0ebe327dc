# SPDX-License-Identifier: MIT
"""render.py: the table as text and as Markdown."""
from lib import stats

KINDS = {'time': 'Time', 'memory': 'Memory', 'late': 'Delays and idle costs'}


def figure(value):
    """Three significant digits, thousands marked."""
    if value == 0:
        return '0'
    if abs(value) >= 1000:
        return f'{value:,.0f}'
    if abs(value) >= 100:
        return f'{value:.0f}'
    if abs(value) >= 10:
        return f'{value:.1f}'
    return f'{value:.2f}'


def spread(side):
    if side is None:
        return '-'
    text = figure(side['median'])
    if side['runs'] > 1:
        text += f' ({figure(side["p10"])}-{figure(side["p90"])})'
    return text


def ratio(row):
    if row['ratio'] is None:
        return '-'
    return f'{row["ratio"]:.2f} [{row["low"]:.2f}-{row["high"]:.2f}]'


def cpu(row):
    return '-' if row['cpu_ratio'] is None else f'{row["cpu_ratio"]:.2f}'


def goal(row):
    if row['goal'] is None:
        return ''
    if row['ratio'] is None:
        return f'{row["goal"]:g}'
    return f'{row["goal"]:g} ' + ('met' if row['ratio'] >= row['goal'] else 'MISSED')


def others(row):
    return ', '.join(f'{side} {figure(s["median"])}' for side, s in sorted(row['sides'].items())
                     if side not in ('gort', 'go'))


def cells(row):
    gort, go = row['sides'].get('gort'), row['sides'].get('go')
    return [row['row'], str(row['procs']), row['unit'], spread(gort), spread(go), ratio(row),
            cpu(row), goal(row), others(row)]


HEAD = ['row', 'P', 'unit', 'Gort (p10-p90)', 'Go (p10-p90)', 'Go/Gort [95 %]', 'CPU', 'goal',
        'others']


def columns(table):
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    text = []
    for line in table:
        text.append('  '.join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())
    return '\n'.join(text)


def text_table(results):
    parts = []
    for kind, title in KINDS.items():
        rows = [r for r in results['rows'] if r['kind'] == kind]
        if rows:
            parts.append(f'{title} (less is better; ratio above 1: Gort is ahead)\n' +
                         columns([HEAD] + [cells(r) for r in rows]))
    parts.append(summary(results))
    return '\n\n'.join(parts) + '\n'


def summary(results):
    timed = [r for r in results['rows'] if r['kind'] == 'time' and r['ratio']]
    lines = []
    if timed:
        mean = stats.geometric_mean([r['ratio'] for r in timed])
        lines.append(f'geometric mean of {len(timed)} ratios of time: {mean:.2f}')
    behind = [r for r in timed if r['ratio'] < 1]
    if behind:
        lines.append('behind Go: ' + ', '.join(
            f'{r["row"]} P={r["procs"]} ({r["ratio"]:.2f})' for r in behind))
    missed = [r for r in results['rows'] if r['goal'] and r['ratio'] and r['ratio'] < r['goal']]
    if missed:
        lines.append('goals missed: ' + ', '.join(
            f'{r["row"]} P={r["procs"]} ({r["ratio"]:.2f} of {r["goal"]:g})' for r in missed))
    for what, why in results['skipped']:
        lines.append(f'SKIPPED {what}: {why}')
    for f in results['failed']:
        lines.append(f'FAILED {f["side"]} {f["command"]} with GOMAXPROCS={f["procs"]}: '
                     f'{f["why"].splitlines()[0]} (see {f["file"]})')
    counted = [r for r in results['runs'] if r.get('counts')]
    noisy = sum(1 for r in counted if r['foreign'] > 0.15)
    lines.append(f'{len(counted)} runs count, {noisy} of them disturbed by other programs')
    return '\n'.join(lines)


def machine(results):
    m = results['machine']
    return (f'{m["cpu"]}, {m["cores"]} cores used of {m["cores_all"]}, {m["memory_gb"]} GB, '
            f'Linux {m["kernel"]}, {m["cc"]}, {m["go"]}; commit {m["commit"]}, {m["date"]}, '
            f'{results["rounds"]} rounds')


def markdown(results):
    parts = [machine(results) + '.']
    for kind, title in KINDS.items():
        rows = [r for r in results['rows'] if r['kind'] == kind]
        if not rows:
            continue
        lines = [f'### {title}', '', '| what | ' + ' | '.join(HEAD) + ' |',
                 '|---' * (len(HEAD) + 1) + '|']
        for r in rows:
            lines.append('| ' + ' | '.join([r['what']] + cells(r)) + ' |')
        parts.append('\n'.join(lines))
    parts.append('\n'.join('- ' + line for line in summary(results).splitlines()))
    return '\n\n'.join(parts) + '\n'
