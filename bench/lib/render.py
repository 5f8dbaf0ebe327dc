# SPDX-License-Identifier: MIT
"""render.py: the table as text and as Markdown."""
from lib import machine as machines, stats

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


def repeats(row):
    """How often each of the two sides ran; one number where they agree."""
    counts = [str(row['sides'][s]['runs']) for s in ('gort', 'go') if s in row['sides']]
    return '/'.join(sorted(set(counts), key=counts.index)) or '0'


def cells(row):
    gort, go = row['sides'].get('gort'), row['sides'].get('go')
    return [row['row'], str(row['procs']), row['unit'], spread(gort), spread(go), ratio(row),
            repeats(row), cpu(row), goal(row), others(row)]


HEAD = ['row', 'P', 'unit', 'Gort (p10-p90)', 'Go (p10-p90)', 'Go/Gort [95 %]', 'runs', 'CPU',
        'goal', 'others']


def number(value):
    return '-' if value is None else f'{value:.2f}'


def growth_cells(c):
    j, last = c['judged'], dict(c['sides'].get('go', []))
    ratio_ = None
    if c['sides'].get('gort') and last.get(c['sides']['gort'][-1][0]):
        ratio_ = last[c['sides']['gort'][-1][0]] / (c['sides']['gort'][-1][1] or float('inf'))
    if j is None:
        return [c['curve'], c['what'], '-', '-', '-', '-', number(ratio_), '-']
    return [c['curve'], c['what'], f'{j["from"]:,} to {j["to"]:,}', number(j['gort']),
            number(j['go']), number(j['log']), number(ratio_), 'CLIFF' if j['cliff'] else 'ok']


def sweep_cells(c):
    j = c['judged']
    return [c['curve'], number(j['factor'].get('gort')), str(j['at'] or '-'),
            number(j['factor'].get('go')), 'CLIFF' if j['cliff'] else 'ok']


GROWTH = ['curve', 'what grows', 'worst stretch', 'exponent', "Go's", 'of log n',
          'Go/Gort at the end', 'verdict']
SWEEP = ['curve', 'dearest / cheapest', 'dearest at', "Go's", 'verdict']


def growth_table(results):
    return [growth_cells(c) for c in results['curves'] if c['procs'] is not None]


def sweep_table(results):
    return [sweep_cells(c) for c in results['curves'] if c['procs'] is None]


def scaling_table(results):
    """The heading, then a line for every row: figures at every GOMAXPROCS, and how much two Ps
    gain over one."""
    at = sorted({p for r in results['scaling'] for s in r['sides'].values() for p, _ in s})
    table = [['row', 'unit'] + [f'Gort P={p}' for p in at] + ['1 to 2'] +
             [f'Go P={p}' for p in at] + ['1 to 2']]
    for r in results['scaling']:
        line = [r['row'], r['unit']]
        for side in ('gort', 'go'):
            v = dict(r['sides'].get(side, []))
            gain = v[1] / v[2] if v.get(1) and v.get(2) else None
            line += [figure(v[p]) if p in v else '-' for p in at] + [number(gain)]
        table.append(line)
    return table


# Heading, what the numbers mean, and the table, of what is measured besides rows.
def further(results):
    parts = []
    for title, about, head, lines in (
            ('Growth', 'Cost of an operation as the work grows: the exponent between the two '
             'points where it is farthest above what log n and Go show.', GROWTH,
             growth_table(results)),
            ('GOMAXPROCS from 1 to 64', 'The dearest value over the cheapest; two is allowed.',
             SWEEP, sweep_table(results))):
        if lines:
            parts.append((title, about, [head] + lines))
    if results['scaling']:
        parts.append(('Scaling', 'The rows with more processors than one, and more than the '
                      'machine has; "1 to 2" is how much faster two are.', scaling_table(results)))
    return parts


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
    for title, about, table in further(results):
        parts.append(f'{title}: {about}\n' + columns(table))
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
    cliffs = [c['curve'] for c in results['curves'] if c['judged'] and c['judged']['cliff']]
    if cliffs:
        lines.append('cliffs: ' + ', '.join(cliffs))
    if results['late']:
        lines.append(f'time was over before all runs of {len(results["late"])} rows: ' +
                     ' '.join(results['late']))
    for what, why in results['skipped']:
        lines.append(f'SKIPPED {what}: {why}')
    for f in results['failed']:
        lines.append(f'FAILED {f["side"]} {f["command"]} with GOMAXPROCS={f["procs"]}: '
                     f'{f["why"].splitlines()[0]} (see {f["file"]})')
    lines.append(f'{results["counted"]} runs count, {results["disturbed"]} of them disturbed by '
                 'other programs')
    return '\n'.join(lines)


def machine(results):
    return machines.words(results['machine']) + '; ' + runs(results)


def runs(results):
    """In words: of how many runs the figures are medians."""
    counts = sorted({s['runs'] for r in results['rows'] for side, s in r['sides'].items()
                     if side in ('gort', 'go')})
    if not counts:
        return 'no runs of rows'
    kind = 'quick session, ' if results['quick'] else ''
    span = f'{counts[0]}' if counts[0] == counts[-1] else f'{counts[0]} to {counts[-1]}'
    return f'{kind}{span} runs a row'


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
    for title, about, table in further(results):
        lines = [f'### {title}', '', about, '', '| ' + ' | '.join(table[0]) + ' |',
                 '|---' * len(table[0]) + '|']
        parts.append('\n'.join(lines + ['| ' + ' | '.join(t) + ' |' for t in table[1:]]))
    parts.append('\n'.join('- ' + line for line in summary(results).splitlines()))
    return '\n\n'.join(parts) + '\n'
