# SPDX-License-Identifier: MIT
"""publish.py: writes the results, and puts them into docs/PERFORMANCE.md and README.md when asked.

No result names a directory of the machine: known places become relative, any other absolute path
keeps its last part, and nothing is published in which one is left.
"""
import json
import os
import re
import shutil

from lib import plot, render

# Paths that are the same on every machine.
COMMON = r'(?:proc|sys|dev|etc|usr/include|usr/lib|usr/bin|usr/share)\b'
ABSOLUTE = re.compile(r'(?<![\w.:/<-])/(?!' + COMMON + r')(?:[\w.+@~-]+/)+([\w.+@~-]*)')
MARKS = {
    'table': ('<!-- The table below is written by bench/run.py --publish. -->',
              '<!-- End of the written table. -->'),
    'figures': ('<!-- figures -->', '<!-- /figures -->'),
    'http': ('<!-- The HTTP table is written by bench/run.py --publish. -->',
             '<!-- End of the HTTP table. -->'),
}

# The rows that README.md shows, in its words.
FIRST = (
    ('yield', 'give way to another goroutine'),
    ('spawn_1000', 'start, run and end, in batches of 1,000'),
    ('spawn_all', 'start, run and end 1M goroutines, each'),
    ('pingpong', 'unbuffered round trip'),
    ('buffered_1x1', 'buffered channel, one to one, an item'),
    ('buffered_4x4', 'buffered channel, four to four, an item'),
    ('select_4', 'receive by select over four channels'),
    ('mutex_8', 'mutex, eight goroutines'),
    ('mutex_alone', 'mutex, nobody else there'),
    ('timer_startstop', 'start and stop a timer'),
    ('close_broadcast', 'wake one of 10,000 by close'),
    ('skynet', 'skynet, 1M leaves'),
    ('echo_100', 'TCP echo, 100 connections, a request'),
    ('parked_spawn', 'start one that waits, 1M of them'),
    ('parked_wake', 'wake and end one, 1M of them'),
    ('parked_bytes', 'memory of one that waits, 1M of them'),
)


def places(root, tree, goroot=''):
    """(directory, what to call it), the deepest first."""
    known = [(tree, 'build'), (root, '')]
    if goroot:
        known.append((goroot, 'GOROOT'))
    found = set()
    for path, name in known:
        found.update({(os.path.abspath(path), name), (os.path.realpath(path), name)})
    return sorted(found, key=lambda p: -len(p[0]))


def clean_text(text, known):
    for path, name in known:
        text = re.sub(re.escape(path) + r'(/|\b)', name + '/' if name else '', text)
    return ABSOLUTE.sub(lambda m: m.group(1) or '...', text)


def clean(value, known):
    """The same without the machine's directories, however deep."""
    if isinstance(value, str):
        return clean_text(value, known)
    if isinstance(value, list):
        return [clean(v, known) for v in value]
    if isinstance(value, tuple):
        return tuple(clean(v, known) for v in value)
    if isinstance(value, dict):
        return {k: clean(v, known) for k, v in value.items()}
    return value


COLUMNS = ('side', 'procs', 'command', 'wall_s', 'user_s', 'system_s', 'maxrss_kb', 'switches',
           'preempted', 'foreign', 'counts')


def write_runs(runs, path):
    """Every single run on a line; its figures last, as METRIC=VALUE."""
    with open(path, 'w', encoding='utf-8') as f:
        f.write('\t'.join(COLUMNS + ('figures',)) + '\n')
        for run in runs:
            cells = [str(run.get(c, '')) for c in COLUMNS]
            cells.append(' '.join(f'{m or "value"}={v:g}' for m, v in run['figures'].items()))
            f.write('\t'.join(cells) + '\n')


def write(results, runs, out):
    """table.txt, table.md, results.json, runs.tsv and the plots; what it is given is clean."""
    write_runs(runs, os.path.join(out, 'runs.tsv'))
    with open(os.path.join(out, 'results.json'), 'w', encoding='utf-8') as f:
        json.dump(results, f, indent=1)
        f.write('\n')
    text = render.machine(results) + '\n\n' + render.text_table(results)
    with open(os.path.join(out, 'table.txt'), 'w', encoding='utf-8') as f:
        f.write(text)
    with open(os.path.join(out, 'table.md'), 'w', encoding='utf-8') as f:
        f.write(render.markdown(results))
    for name in os.listdir(out):
        if name.endswith('.svg'):
            os.remove(os.path.join(out, name))
    for kind in render.KINDS:
        plot.ratios([r for r in results['rows'] if r['kind'] == kind],
                    os.path.join(out, f'ratios-{kind}.svg'), render.KINDS[kind] + ': Go / Gort')
    for c in results['curves']:
        plot.curve(c, os.path.join(out, f'curve-{c["curve"]}.svg'))
    plot.scaling(results['scaling'], os.path.join(out, 'scaling.svg'))
    print('\n' + text)
    print(f'bench: {os.path.relpath(out)}: table.txt table.md results.json runs.tsv *.svg')


def between(text, part, page, new):
    begin, end = MARKS[part]
    if begin not in text or end not in text:
        raise SystemExit(f'{page}: the marks of the {part} are missing')
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return f'{head}{begin}\n\n{new.strip()}\n\n{end}{tail}'


def must_be_clean(name, text):
    found = ABSOLUTE.search(text)
    if found:
        raise SystemExit(f'bench: {name} names {found.group(0)}, a path of this machine; '
                         'nothing was published')


def table_of(results, plots):
    text = render.markdown(results) + (
        '\nRaw data: [results.json](performance/results.json), every run of its own in '
        '[runs.tsv](performance/runs.tsv).\n')
    return text + '\n' + '\n'.join(f'![{p[:-4]}](performance/{p})' for p in plots) + '\n'


def first_figures(results):
    """The table of README.md."""
    m = results['machine']
    lines = [f'On {m["cores"]} cores of an {m["cpu"]}, Linux {m["kernel"].split("-")[0]}, medians '
             f'of {render.runs(results)}, both sides in turn, by `make bench`. P is GOMAXPROCS; '
             'above 1 Gort takes less.', '',
             '| | P | Gort | Go | Go/Gort |', '|---|---|---|---|---|']
    for name, words in FIRST:
        for r in results['rows']:
            if r['row'] == name and r['ratio']:
                lines.append(
                    f'| {words} | {r["procs"]} | {render.figure(r["sides"]["gort"]["median"])} '
                    f'{r["unit"]} | {render.figure(r["sides"]["go"]["median"])} {r["unit"]} | '
                    f'{r["ratio"]:.2f} |')
    behind = sorted({r['row'] for r in results['rows']
                     if r['ratio'] and r['ratio'] < 1 and r['kind'] != 'late'})
    lines += ['', 'Behind Go at present: ' + (', '.join(behind) or 'no row') +
              '. docs/PERFORMANCE.md has all rows, with their names and goals.']
    return '\n'.join(lines)


def publish_readme(root, results):
    """Only of whole sessions: what a reader sees first is no quick look."""
    page = os.path.join(root, 'README.md')
    have = {r['row'] for r in results['rows'] if r['ratio']}
    lacking = [name for name, _ in FIRST if name not in have]
    if results['quick'] or lacking:
        print('bench: README.md stays as it is; its figures are for a full session' +
              (f' with {" ".join(lacking)}' if lacking else ''))
        return
    with open(page, encoding='utf-8') as f:
        text = between(f.read(), 'figures', page, first_figures(results))
    with open(page, 'w', encoding='utf-8') as f:
        f.write(text)


def publish(root, out, parts=('table', 'http')):
    """Puts the last tables into docs/PERFORMANCE.md, with the raw data and plots beside it."""
    page = os.path.join(root, 'docs', 'PERFORMANCE.md')
    beside = os.path.join(root, 'docs', 'performance')
    with open(page, encoding='utf-8') as f:
        text = f.read()
    files = {}
    results = os.path.join(out, 'results.json')
    if 'table' in parts and os.path.exists(results):
        plots = sorted(p for p in os.listdir(out) if p.endswith('.svg'))
        with open(results, encoding='utf-8') as f:
            figures = json.load(f)
        table = table_of(figures, plots)
        must_be_clean('the table', table)
        text = between(text, 'table', page, table)
        files.update({p: os.path.join(out, p) for p in plots + ['results.json', 'runs.tsv']})
    if 'http' in parts and os.path.exists(os.path.join(out, 'http.md')):
        with open(os.path.join(out, 'http.md'), encoding='utf-8') as f:
            table = f.read() + '\nRaw data: [http.json](performance/http.json).\n'
        must_be_clean('the HTTP table', table)
        text = between(text, 'http', page, table)
        files['http.json'] = os.path.join(out, 'http.json')
    for name, path in files.items():
        with open(path, encoding='utf-8') as f:
            must_be_clean(name, f.read())
    if 'results.json' in files and os.path.isdir(beside):
        for name in os.listdir(beside):
            if name.endswith('.svg'):
                os.remove(os.path.join(beside, name))
    os.makedirs(beside, exist_ok=True)
    for name, path in files.items():
        shutil.copy(path, beside)
    with open(page, 'w', encoding='utf-8') as f:
        f.write(text)
    if 'results.json' in files:
        publish_readme(root, figures)
    print(f'bench: {os.path.relpath(page)} and {os.path.relpath(beside)} written')
