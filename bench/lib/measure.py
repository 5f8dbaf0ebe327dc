# SPDX-License-Identifier: MIT
"""measure.py: one run of one side of one benchmark, with what the kernel says about it."""
import os
import signal
import subprocess
import tempfile
import threading
import time

TICK = os.sysconf('SC_CLK_TCK')


class Failure(Exception):
    """A run that gave no figure: it crashed, hung or said so."""


def busy_seconds(cores):
    """CPU time that went by on these cores, in user, kernel and stolen time."""
    total = 0
    with open('/proc/stat', encoding='ascii') as f:
        for line in f:
            p = line.split()
            if p and p[0].startswith('cpu') and p[0][3:].isdigit() and int(p[0][3:]) in cores:
                total += sum(int(x) for x in p[1:4] + p[6:9])
    return total / TICK


def parse(text, name):
    """Lines "NAME VALUE UNIT" and "NAME.METRIC VALUE UNIT" to {metric: (value, unit)}."""
    figures = {}
    for line in text.splitlines():
        p = line.split()
        if len(p) == 3 and (p[0] == name or p[0].startswith(name + '.')):
            figures[p[0][len(name) + 1:]] = (float(p[1]), p[2])
    return figures


class Program:
    """A process with its time limit; a hung one is asked for a dump before it is killed."""

    def __init__(self, command, procs, limit, cores, side=''):
        self.errors = tempfile.TemporaryFile()
        self.hung = False
        env = dict(os.environ, GOMAXPROCS=str(procs))
        env.pop('GORTDEBUG', None)
        env.pop('GODEBUG', None)
        env.pop('GOGC', None)
        if side == 'go_nogc':
            env['GOGC'] = 'off'
        self.busy = busy_seconds(cores)
        self.cores = cores
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.errors, env=env,
            stdin=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.timer = threading.Timer(limit, self.expire)
        self.timer.start()

    def expire(self):
        self.hung = True
        self.process.send_signal(signal.SIGQUIT)
        time.sleep(3)
        self.process.kill()

    def finish(self):
        """Waits; returns (status, output, record of the run)."""
        output = self.process.stdout.read().decode(errors='replace')
        _, status, usage = os.wait4(self.process.pid, 0)
        self.timer.cancel()
        self.process.returncode = status
        self.process.stdout.close()
        wall = time.monotonic() - self.start
        own = usage.ru_utime + usage.ru_stime
        foreign = max(0.0, busy_seconds(self.cores) - self.busy - own)
        record = {
            'wall_s': round(wall, 4), 'user_s': round(usage.ru_utime, 4),
            'system_s': round(usage.ru_stime, 4), 'maxrss_kb': usage.ru_maxrss,
            'switches': usage.ru_nvcsw, 'preempted': usage.ru_nivcsw,
            'foreign': round(foreign / (wall * len(self.cores)), 3),
        }
        return status, output, record

    def message(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace')


def run(side, program, bench, n, procs, limit, cores):
    """Runs one benchmark; returns ({metric: (value, unit)}, record)."""
    p = Program([program, bench[0], str(n)] + bench[1:], procs, limit, cores, side)
    status, output, record = p.finish()
    if p.hung:
        raise Failure(f'no end after {limit:.0f} s\n' + p.message())
    if status != 0:
        raise Failure(describe(status) + '\n' + p.message())
    figures = parse(output, bench[0])
    if not figures:
        raise Failure(f'{side} printed no figure: {output!r}\n' + p.message())
    return figures, record


def describe(status):
    if os.WIFSIGNALED(status):
        return 'killed by ' + signal.Signals(os.WTERMSIG(status)).name
    return f'exit status {os.WEXITSTATUS(status)}'


def run_server(program, client, bench, milliseconds, procs, limit, cores):
    """Starts the server, loads it with the client on the same cores, and adds up both."""
    server = Program([program, bench[0], '0'], procs, limit + 30, cores)
    try:
        line = server.process.stdout.readline().decode(errors='replace').split()
        if len(line) != 2 or line[0] != 'port':
            raise Failure('the server did not start: ' + ' '.join(line) + '\n' + server.message())
        load = Program([client, bench[0], line[1], bench[1], str(milliseconds)], 1, limit, cores)
        status, output, record = load.finish()
        used = cpu_of(server.process.pid)
        if load.hung or status != 0:
            raise Failure(f'the client: {describe(status)}\n' + load.message() + server.message())
    finally:
        server.process.kill()
        server.finish()
    figures = parse(output, bench[0])
    requests = figures.pop('requests')[0]
    figures['server_cpu'] = (used * 1e9 / requests, 'ns')
    share = used / (record['wall_s'] * len(cores))
    record['foreign'] = max(0.0, round(record['foreign'] - share, 3))
    record['server_s'] = used
    return figures, record


def cpu_of(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as f:
        p = f.read().rpartition(')')[2].split()
    return (int(p[11]) + int(p[12])) / TICK
