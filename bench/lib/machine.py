# SPDX-License-Identifier: MIT
"""machine.py: the machine, the compilers and the sources that the figures belong to."""
import datetime
import os
import platform
import subprocess


def command_output(command, **options):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=False, **options).stdout.strip()
    except OSError:
        return ''


def describe(root, build):
    """What the figures were measured on and with."""
    cpu = 'unknown processor'
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        for line in f:
            if line.startswith('model name'):
                cpu = line.split(':', 1)[1].strip()
                break
    go = ''
    if build.goroot:
        go = command_output([os.path.join(build.goroot, 'bin', 'go'), 'version'],
                            env=dict(os.environ, GOroot=build.goroot, GOTOOLCHAIN='local'))
    commit = command_output(['git', '-C', root, 'rev-parse', '--short=12', 'HEAD'])
    if command_output(['git', '-C', root, 'status', '--porcelain', '-uno']):
        commit += ' with changes'
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return {
        'cpu': cpu, 'cores_all': os.cpu_count(), 'cores': min(2, len(os.sched_getaffinity(0))),
        'memory_gb': round(memory), 'kernel': platform.release(), 'arch': platform.machine(),
        'cc': command_output(build.cc + ['--version']).split('\n')[0],
        'go': go.replace('go version ', ''), 'commit': commit or 'unknown',
        'date': datetime.date.today().isoformat(),
    }


def words(m):
    return (f'{m["cpu"]}, {m["cores"]} cores used of {m["cores_all"]}, {m["memory_gb"]} GB, '
            f'Linux {m["kernel"]}, {m["cc"]}, {m["go"]}; commit {m["commit"]}, {m["date"]}')
