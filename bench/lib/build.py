# SPDX-License-Identifier: MIT
"""build.py: builds both sides, the peers and the limits into one directory.

A file of the C side that does not compile or link is left out with its rows, loudly: the rest of
the table does not wait for a function that is missing. The HTTP server is a program of its own, so
that the others need not start libcurl and OpenSSL. What is newer than all that it is made of, and
made by the same command, is not made again.
"""
import concurrent.futures
import glob
import os
import platform
import re
import shutil
import subprocess

CFLAGS = ['-std=gnu17', '-O2', '-g', '-fno-omit-frame-pointer', '-D_GNU_SOURCE', '-Wall', '-Wextra']


def call(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def first_error(output):
    for line in output.splitlines():
        if re.search(r'error|undefined reference|cannot find', line):
            return line.strip()
    return (output.strip().splitlines() or ['no message'])[-1]


def modified(path):
    try:
        return os.path.getmtime(path)
    except OSError:
        return 0.0


class Build:
    def __init__(self, root, tree, out):
        self.root = root          # the repository
        self.tree = tree          # where the library was built
        self.out = out            # where the benchmarks go
        self.cc = os.environ.get('CC', 'cc').split()
        self.cxx = os.environ.get('CXX', 'c++').split()
        self.sides = {}           # side -> program
        self.special = {}         # (side, benchmark) -> the program that has it instead
        self.objects = []
        self.names = set()        # benchmarks of the C side that exist
        self.skipped = []         # (what, why)
        os.makedirs(os.path.join(out, 'obj'), exist_ok=True)

    def path(self, *parts):
        return os.path.join(self.root, 'bench', *parts)

    def skip(self, what, why):
        self.skipped.append((what, why))
        print(f'bench: SKIPPED {what}: {why}', flush=True)

    def program(self, side, bench):
        return self.special.get((side, bench)) or self.sides[side]

    def headers(self):
        found = []
        for where in (os.path.join(self.root, 'include'), self.path()):
            found += glob.glob(os.path.join(where, '**', '*.h'), recursive=True)
        return found

    def make(self, target, command, inputs):
        """Runs the command that makes the target unless it is up to date; what went wrong."""
        stamp, text = target + '.cmd', '\n'.join(command)
        if os.path.exists(stamp):
            with open(stamp, encoding='utf-8') as f:
                made = modified(target)
                if f.read() == text and made and all(modified(i) <= made for i in inputs):
                    return None
            os.remove(stamp)
        done = call(command)
        if done.returncode != 0:
            return first_error(done.stdout)
        with open(stamp, 'w', encoding='utf-8') as f:
            f.write(text)
        return None

    def library(self, tree):
        """What to link with, as the command of that build says it; None without a library."""
        archive = os.path.join(tree, 'lib', 'libgort.a')
        if not os.path.exists(archive):
            return None
        command = os.path.join(tree, 'bin', 'gort')
        if os.access(command, os.X_OK):
            libs = call([command, 'env', '--libs'])
            if libs.returncode == 0 and 'gort' in libs.stdout:
                return libs.stdout.split()
        return [archive, '-pthread', '-ldl', '-lm', '-rdynamic']

    def compile(self, source, extra=()):
        target = os.path.join(self.out, 'obj', os.path.basename(source) + '.o')
        return target, self.make(
            target, self.cc + CFLAGS + list(extra) + ['-c', source, '-o', target],
            [source] + self.headers())

    def link(self, objects, libs, target):
        return self.make(target, self.cc + ['-g', '-o', target] + objects + libs,
                         objects + glob.glob(os.path.join(self.tree, 'lib', 'libgort*')))

    def rows_object(self, names, include, table):
        """The table of the benchmarks that are linked in."""
        source = os.path.join(self.out, 'obj', table + '.c')
        text = '#include "bench.h"\n'
        text += ''.join(f'void bench_{name}(struct bench *b);\n' for name in names)
        text += 'const struct bench_row bench_rows[] = {\n'
        text += ''.join(f'    {{ "{name}", bench_{name} }},\n' for name in names)
        text += ('};\nconst size_t bench_row_count = '
                 'sizeof(bench_rows) / sizeof(bench_rows[0]);\n')
        if not os.path.exists(source) or open(source, encoding='utf-8').read() != text:
            with open(source, 'w', encoding='utf-8') as f:
                f.write(text)
        return self.compile(source, include)

    def build_c(self):
        include = ['-I' + os.path.join(self.root, 'include')]
        libs = self.library(self.tree)
        if libs is None:
            self.skip('the C side', f'no libgort in {self.tree}; run `make` first')
            return
        include.append('-I' + self.path('c'))
        main, error = self.compile(self.path('c', 'main.c'), include)
        if error:
            self.skip('the C side', error)
            return
        sources = sorted(glob.glob(self.path('c', '*.c')))
        for apart in ('main.c', 'http.c'):
            sources.remove(self.path('c', apart))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            compiled = list(pool.map(lambda s: self.compile(s, include), sources))
        good = []
        for source, (target, error) in zip(sources, compiled):
            names = re.findall(r'^BENCH\((\w+)\)', open(source, encoding='utf-8').read(), re.M)
            if error:
                self.skip(f'{os.path.basename(source)} ({" ".join(names)})', error)
            else:
                good.append((source, target, names))
        program = os.path.join(self.out, 'bench_c')
        if self.link_c(program, main, good, include, libs):
            works = []
            for file in good:
                error = self.link_c(program, main, [file], include, libs)
                if error:
                    self.skip(f'{os.path.basename(file[0])} ({" ".join(file[2])})', error)
                else:
                    works.append(file)
            good = works
            error = self.link_c(program, main, good, include, libs)
            if error:
                self.skip('the C side', error)
                return
        self.names = {name for file in good for name in file[2]}
        self.sides['gort'] = program
        self.objects = [main] + [file[1] for file in good]

    def link_c(self, program, main, files, include, libs, table='rows'):
        table, error = self.rows_object([n for f in files for n in f[2]], include, table)
        return error or self.link([main, table] + [f[1] for f in files], libs, program)

    def build_http(self):
        """The HTTP server of the C side, with libgort-http."""
        include = ['-I' + os.path.join(self.root, 'include'), '-I' + self.path('c')]
        lib = os.path.join(self.tree, 'lib')
        libs = ['-L' + lib, '-Wl,-rpath,' + lib, '-lgort-http', '-lgort', '-pthread', '-rdynamic']
        if not os.path.exists(os.path.join(lib, 'libgort-http.so')):
            self.skip('http.c (http)', 'no libgort-http; `tools/setup build` installs what it is '
                      'made of')
            return
        main, error = self.compile(self.path('c', 'main.c'), include)
        http, worse = self.compile(self.path('c', 'http.c'), include)
        program = os.path.join(self.out, 'bench_http')
        error = error or worse or self.link_c(program, main, [('http.c', http, ['http'])], include,
                                              libs, 'rows_http')
        if error:
            self.skip('http.c (http)', error)
            return
        self.names.add('http')
        self.special['gort', 'http'] = program

    def build_release(self):
        """The same programs with a library whose asserts are off, as side `release`."""
        tree = os.path.join(self.out, 'release')
        steps = [['cmake', '-G', 'Ninja', '-S', self.root, '-B', tree,
                  '-DCMAKE_BUILD_TYPE=Release'],
                 ['ninja', '-C', tree, 'gort', 'gort_static', 'gort_command']]
        for step in steps:
            done = call(step) if shutil.which(step[0]) else None
            if done is None or done.returncode != 0:
                self.skip('side release', first_error(done.stdout) if done else f'no {step[0]}')
                return
        program = os.path.join(self.out, 'bench_release')
        table = os.path.join(self.out, 'obj', 'rows.c.o')
        error = self.link(self.objects + [table], self.library(tree), program)
        if error:
            self.skip('side release', error)
        else:
            self.sides['release'] = program

    def build_go(self):
        found = subprocess.run([self.path('get-go')], stdout=subprocess.PIPE, text=True,
                               check=False)
        if found.returncode != 0:
            self.skip('the Go side', 'no Go; see the message above')
            return
        self.goroot = found.stdout.strip()
        env = dict(os.environ, GOROOT=self.goroot, GOTOOLCHAIN='local', CGO_ENABLED='0',
                   GOFLAGS='', GOWORK='off')
        if 'HOME' not in env:
            env['GOCACHE'] = os.path.join(self.out, 'go-cache')
        program = os.path.join(self.out, 'bench_go')
        done = call([os.path.join(self.goroot, 'bin', 'go'), 'build', '-o', program, '.'],
                    cwd=self.path('go'), env=env)
        if done.returncode != 0:
            self.skip('the Go side', first_error(done.stdout))
            return
        self.sides['go'] = program
        self.sides['go_nogc'] = program

    def build_peer(self, side, command):
        program = os.path.join(self.out, 'bench_' + side)
        sources = [word for word in command if word.startswith(self.root)]
        error = self.make(program, command + ['-o', program], sources + self.headers())
        if error:
            self.skip(f'peer {side}', error)
        else:
            self.sides[side] = program

    def build_peers(self):
        peers = self.path('peers')
        self.build_peer('pthread', self.cc + CFLAGS + [os.path.join(peers, 'pthread.c'),
                                                       '-pthread'])
        if shutil.which(self.cxx[0]):
            # The archive of Boost.Fiber is linked last: options before it would be forgotten.
            self.build_peer('boost', self.cxx + [
                '-std=gnu++17', '-O2', '-g', os.path.join(peers, 'boost.cc'),
                '-lboost_fiber', '-lboost_context', '-pthread'])
        else:
            self.skip('peer boost', 'no C++ compiler')
        self.build_peer('st', self.cc + CFLAGS + [os.path.join(peers, 'st.c'), '-lst'])

    def build_tokio(self):
        """From Debian's packaged crates; in a copy, because cargo writes beside its sources."""
        registry = '/usr/share/cargo/registry'
        if not shutil.which('cargo') or not glob.glob(registry + '/tokio-1*'):
            self.skip('peer tokio', 'needs cargo and librust-tokio-dev')
            return
        copy = os.path.join(self.out, 'tokio')
        shutil.copytree(self.path('peers', 'tokio'), copy, dirs_exist_ok=True)
        done = call(['cargo', 'build', '--release', '--offline', '--quiet',
                     '--config', 'source.crates-io.replace-with="debian"',
                     '--config', f'source.debian.directory="{registry}"'], cwd=copy)
        if done.returncode != 0:
            self.skip('peer tokio', first_error(done.stdout))
            return
        self.sides['tokio'] = os.path.join(copy, 'target', 'release', 'bench_tokio')

    def build_limits(self):
        limits = self.path('limits')
        cpu = {'arm64': 'aarch64'}.get(platform.machine(), platform.machine())
        switch = os.path.join(self.root, 'src', 'arch', cpu, 'switch.S')
        self.build_peer('limit', self.cc + CFLAGS + [
            '-I' + os.path.join(self.root, 'src'), os.path.join(limits, 'limit.c'),
            os.path.join(limits, 'epoll_server.c'), switch, '-pthread'])
        self.client = os.path.join(self.out, 'echo_client')
        server = os.path.join(self.out, 'http_server')
        for program, source in ((self.client, 'echo_client.c'), (server, 'http_server.c')):
            error = self.make(program, self.cc + CFLAGS + [os.path.join(limits, source), '-o',
                                                           program],
                              [os.path.join(limits, source)])
            if error:
                self.skip(f'{source} and what needs it', error)
        self.special['limit', 'http'] = server

    def build_all(self, full, hurry=lambda: False):
        """full: also what takes long to build. hurry() says when there is no time for more."""
        self.goroot = ''
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            go = pool.submit(self.build_go)
            self.build_c()
            if 'gort' in self.sides:
                self.build_http()
            if full and 'gort' in self.sides:
                self.build_release()
            if full:
                self.build_tokio()
            self.build_limits()
            if hurry():
                self.skip('the peers', 'building took too long; they are there the next time')
            else:
                self.build_peers()
            go.result()
