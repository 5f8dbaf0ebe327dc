#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs gort vet over the files of this directory and over the repository. Prints TAP.

In RULE/*.c a comment `want "text"` stands in the line of a report and is a part of it, with its
rule; there may be several. What is wanted must be reported, and nothing else, with all rules on.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("GORT_SOURCE") or os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("GORT_BUILD") or os.path.join(ROOT, "build")
GORT = os.environ.get("GORT") or os.path.join(BUILD, "bin", "gort")
REPORT = re.compile(r"^(.*?):(\d+):(\d+): (.* \[(\w+)\])$")
WANT = re.compile(r'want ((?:"[^"]*"\s*)+)')
tests = failures = 0


def result(name, problems):
    global tests, failures
    tests += 1
    failures += bool(problems)
    print(f"{'not ok' if problems else 'ok'} {tests} - vet: {name}", flush=True)
    for p in problems:
        print(f"# {p}")


def vet(*args, env=None):
    p = subprocess.run([GORT, "vet", *args], cwd=ROOT, capture_output=True, text=True, check=False,
                       env={**os.environ, **(env or {})})
    return p.returncode, p.stdout, p.stderr


def wanted(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            m = WANT.search(line)
            for text in re.findall(r'"([^"]*)"', m.group(1)) if m else ():
                yield n, text


def compare(path, reports):
    """What is wrong with the reports of one file."""
    left = list(reports)
    for line, text in wanted(path):
        hit = next((r for r in left if r[0] == line and text in r[1]), None)
        if hit is None:
            yield f"{path}:{line}: not reported: {text}"
        else:
            left.remove(hit)
    for line, text in left:
        yield f"{path}:{line}: reported, and not wanted: {text}"


def rules():
    files = sorted(os.path.relpath(f, ROOT) for f in glob.glob(os.path.join(HERE, "*", "*.c")))
    status, out, err = vet(*files)
    found = {f: [] for f in files}
    odd = []
    for line in out.splitlines():
        m = REPORT.match(line)
        if m and m.group(1) in found:
            found[m.group(1)].append((int(m.group(2)), m.group(4)))
        else:
            odd.append(line)
    result("reports have file, line, column, message and rule; the status is 1",
           odd + ([] if status == 1 else [f"status {status}: {err}"]))
    for f in files:
        result(os.path.relpath(f, os.path.relpath(HERE, ROOT)), list(compare(f, found[f])))


SOURCE = """#include <gort/short.h>
static void take(go_mutex m) { (void)m; }
int main(void)
{
    go_mutex m = {0};
    take(m);
}
"""


def status(text, *args, env=None):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "t.c")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return vet(*args, path, env=env)


def check_status(name, want, got):
    result(name, [] if got[0] == want else [f"status {got[0]}, not {want}", *got[1:]])


def options():
    ignored = SOURCE.replace("take(m);", "take(m); // gort:vet ignore copylocks it is unused")
    above = SOURCE.replace("static", "/* gort:vet ignore copylocks it is unused */\nstatic")
    bare = SOURCE.replace("take(m);", "take(m); // gort:vet ignore copylocks")
    check_status("nothing found is 0", 0, status("int main(void) { return 0; }\n"))
    check_status("something found is 1", 1, status(SOURCE))
    check_status("a rule can be switched off", 0, status(SOURCE, "-copylocks=false"))
    check_status("a rule can be chosen alone", 0, status(SOURCE, "-waitgroup"))
    check_status("and finds what it finds", 1, status(SOURCE, "-copylocks"))
    both = above.replace("take(m);", "take(m); // gort:vet ignore copylocks it is unused")
    check_status("a comment with a reason is heeded, in the line and above it", 0, status(both))
    check_status("a comment may be about its file", 0,
                 status("/* gort:vet ignore-file copylocks it is unused */\n" + SOURCE))
    check_status("a comment in one place says nothing of another", 1, status(ignored))
    check_status("a comment without a reason is not heeded", 1,
                 status(bare, "-copylocks"))
    check_status("what does not compile is 2", 2, status("int main(void) { return x; }\n"))
    check_status("options that only build are taken, and mean nothing", 0,
                 status("int main(void) { return 0; }\n", "-O2", "-g", "-Wall", "-fanalyzer", "-o",
                        "out", "-lm"))
    check_status("a rule that does not exist is 2", 2, status(SOURCE, "-copylock"))
    check_status("no file is 2", 2, vet())
    check_status("a file that is not C is 2", 2, vet("README.md"))
    check_status("options of the compiler are passed on", 0,
                 status("#ifndef A\n#error no\n#endif\nint b = B;\n", "-DA", "-D", "B=1"))


def listed(*patterns):
    out = subprocess.run(["git", "-C", ROOT, "ls-files", *patterns], capture_output=True, text=True,
                         check=False).stdout.split()
    return out or [os.path.relpath(f, ROOT) for p in patterns
                   for f in glob.glob(os.path.join(ROOT, p))]


def silent(name, flags, files):
    """No report. What clang cannot read (a header of a library that is not here, a feature of gcc)
    is said, and may be a file in twenty."""
    code, out, err = vet(*flags, *files)
    unread = re.findall(r"^gort vet: (.*) does not compile", err, re.M)
    problems = out.splitlines()
    if len(unread) > 2 + len(files) // 20 or (code == 1) != bool(problems):
        problems.append(err)
    for path in unread:
        print(f"# not looked at: {path}")
    result(f"silent on {name}", problems)


# Whose programs are wrong on purpose, and all of whose mistakes are told by their tests.
WRONG = ("tests/death/", "tests/leaks/", "tests/races/")


def repository():
    system = ["-D_GNU_SOURCE", "-I/usr/include/postgresql"]
    inside = [*system, "-Isrc", "-Iinclude", f"-I{BUILD}/generated"]
    silent("examples", system, listed("examples/*.c"))
    silent("src", inside,
           [f for f in listed("src/*.c")
            if not f.startswith("src/arch/") or f.split("/")[2] == os.uname().machine])
    silent("tools", [*inside, "-Itools/gort", "-Itools/top"],
           [f for f in listed("tools/*.c") if not f.startswith("tools/vet/")])
    silent("documents and benchmarks", [*inside, "-Ibench/c"],
           listed("docs/examples/*.c", "bench/*.c"))
    silent("tests", [*inside, "-Itests", "-Itests/harness", "-DGORT_TEST"],
           [f for f in listed("tests/*_test.c") if not f.startswith(WRONG)])


# Declared beside one that parks, under one comment; or inside of a macro that prelude.h replaces.
BESIDE = set("ctx_ref once_free http_result_free once_begin once_begin_until once_value_begin "
             "once_value_begin_until once_value_set group_done group_enter group_enter_until "
             "group_try_enter".split())


def contracts():
    """Every function that its header says may park, by the sentence in the comment above it."""
    for path in sorted(glob.glob(os.path.join(ROOT, "include/gort/*.h"))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for comment, code in re.findall(r"/\*(.*?)\*/\n((?:(?!/\*)[^\n]+\n)+)", text, re.S):
            comment = re.sub(r"\s+", " ", comment)
            comment = re.sub(r"[Dd]o(es)? not park|without parking|must not park|"
                             r"park for (longer )?than", "", comment)
            if re.search(r"(^|\. |; |: |[,a-z] )(may |it )?[Pp]arks?\b", comment):
                yield from ((path, n) for n in re.findall(r"\bgoi?_(\w+)\(", code)
                            if "GO_API" in code)


def parks():
    with open(os.path.join(ROOT, "tools/vet/parks.def"), encoding="utf-8") as f:
        table = set(re.findall(r"^\w+\((\w+)\)$", f.read(), re.M))
    headers = "".join(open(h, encoding="utf-8").read() for h in
                      glob.glob(os.path.join(ROOT, "include/gort/*.h")) +
                      [os.path.join(ROOT, "tools/vet/prelude.h")])
    result("every name in parks.def is one of the headers",
           [n for n in sorted(table) if not re.search(rf"\bgoi?_{n}\b", headers)])
    said = {(os.path.basename(p), n) for p, n in contracts()}
    result("every function that its header says may park is in parks.def",
           [f"{p}: {n}" for p, n in sorted(said) if n not in table and n not in BESIDE])


def main():
    if not os.access(os.path.join(BUILD, "libexec/gort/gort-vet"), os.X_OK):
        print("1..0 # SKIP gort-vet was not built: there is no libclang (tools/setup build)")
        return 77
    rules()
    options()
    repository()
    parks()
    print(f"1..{tests}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
