# SPDX-License-Identifier: MIT
"""publish.py: writes the results, and puts them into docs/PERFORMANCE.md when asked.

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
    'http': ('<!-- The HTTP table is written by bench/run.py --publish. -->',
             '<!-- End of the HTTP table. -->'),
}


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


def write(results, out):
    """table.txt, table.md, results.json and the plots. results are clean already."""
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
    print(f'bench: {os.path.relpath(out)}: table.txt table.md results.json *.svg')


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
    text = render.markdown(results) + '\nRaw data: [results.json](performance/results.json).\n'
    return text + '\n' + '\n'.join(f'![{p[:-4]}](performance/{p})' for p in plots) + '\n'


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
            table = table_of(json.load(f), plots)
        must_be_clean('the table', table)
        text = between(text, 'table', page, table)
        files.update({p: os.path.join(out, p) for p in plots + ['results.json']})
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
    print(f'bench: {os.path.relpath(page)} and {os.path.relpath(beside)} written')
