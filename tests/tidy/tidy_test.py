#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of tools/tidy.

Each case is a small tree, written into an empty directory, with the findings that tidy must print
for it, as `path:line: rule`. A tree that breaks one rule must give that finding and no other, so
the cases also show what a rule leaves alone. Every rule must have a case that breaks it.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TIDY = os.path.join(HERE, "..", "..", "tools", "tidy")
SPDX = "/* SPDX-License-Identifier: MIT */\n"


def c(*lines):
    return SPDX + "\n".join(lines) + "\n"


def header(guard, *lines):
    return c(f"#ifndef {guard}", f"#define {guard}", *lines, "#endif")


def function(name, lines):
    return [f"int {name}(void)", "{"] + ["    work();"] * lines + ["}"]


README = {"src/sched/README.md": "# src/sched\n", "src/base/README.md": "# src/base\n",
          "src/chan/README.md": "# src/chan\n", "src/sync/README.md": "# src/sync\n",
          "src/net/README.md": "# src/net\n", "src/debug/README.md": "# src/debug\n",
          "src/os/README.md": "# src/os\n"}
A = "src/sched/a.c"

# name: (files, findings)
CASES = {
    "a clean file": ({A: c("int x;", *function("f", 3))}, []),
    "100 columns are allowed": ({A: c("/* " + "x" * 94 + " */")}, []),
    "101 columns are not": ({A: c("/* " + "x" * 95 + " */")}, [A + ":2: line-length"]),
    "long lines in documents": ({"docs/a.md": "x" * 300 + "\n"}, []),
    "tab in Go code": ({"README.md": "```go\n\tx := 1\n```\n\ttext\n"}, ["README.md:4: tab"]),
    "tab": ({A: c("\tint x;")}, [A + ":2: tab"]),
    "tabs in a Makefile": ({"Makefile": "# SPDX-License-Identifier: MIT\nall:\n\ttrue\n"}, []),
    "trailing space": ({A: c("int x; ")}, [A + ":2: trailing-space"]),
    "1001 lines": ({A: c(*["int x;"] * 1000)}, [A + ":1: file-length"]),
    "1000 lines": ({A: c(*["int x;"] * 999)}, []),
    "no licence": ({A: "int x;\n"}, [A + ":1: spdx"]),
    "no licence in a script": ({"tools/x": "#!/bin/sh\ntrue\n"}, ["tools/x:1: spdx"]),
    "70 lines": ({A: c(*function("f", 67))}, []),
    "a catalogue": ({"tests/compile/bad/go.c": c(*function("f", 68))}, []),
    "71 lines": ({A: c(*function("f", 68))}, [A + ":2: function-length"]),
    "two functions are not one": ({A: c(*function("f", 50), "", *function("g", 50))}, []),
    "branches with a brace each": (
        {A: c("#ifdef NDEBUG", "int f(void) {", "#else", "int f(int a) {", "#endif",
              *["    work();"] * 40, "}", *function("g", 50))}, []),
    "a table is no function": ({A: c("int x[] = {", *["    1,"] * 90, "};")}, []),
    "recursion": ({A: c("int f(int n)", "{", "    return f(n - 1);", "}")}, [A + ":4: recursion"]),
    "a member of the same name": ({A: c("int f(int n)", "{", "    return a->f(n);", "}")}, []),
    "#if on the compiler": ({A: c("#if defined(__clang__)", "#endif")}, [A + ":2: preproc-place"]),
    "#elif is reported at its #if": (
        {A: c("#if X", "#elif __x86_64__", "#endif")}, [A + ":2: preproc-place"]),
    "#if on the compiler in base": ({"src/base/a.c": c("#ifdef __linux__", "#endif")}, []),
    "#if on an option": ({A: c("#ifdef NDEBUG", "#endif")}, []),
    "attribute": ({A: c("int x __attribute__((unused));")}, [A + ":2: attribute-place"]),
    "attribute in a comment": ({A: c("/* __attribute__ */")}, []),
    "include to the right": (
        {A: c('#include "chan/b.h"'), "src/chan/b.h": header("B_H")}, [A + ":2: layer"]),
    "include to the left": ({A: c('#include "base/b.h"'), "src/base/b.h": header("B_H")}, []),
    "debug is not for others": (
        {A: c('#include "debug/b.h"'), "src/debug/b.h": header("B_H")}, [A + ":2: layer"]),
    "net knows public headers only": (
        {"src/net/a.c": c('#include "base/b.h"', "#include <gort/net.h>"),
         "src/base/b.h": header("B_H")}, ["src/net/a.c:2: layer"]),
    "what is pure includes base only": (
        {"src/sched/runq.c": c('#include "sched/runq.h"', '#include "sched/types.h"'),
         "src/sched/runq.h": header("R_H"), "src/sched/types.h": header("T_H")},
        ["src/sched/runq.c:3: layer"]),
    "neighbours may lean on each other": (
        {"src/sync/a.c": c('#include "chan/b.h"'), "src/chan/b.h": header("B_H")}, []),
    "but not mutually": (
        {"src/sync/a.c": c('#include "chan/b.h"'), "src/chan/b.h": header("B_H"),
         "src/chan/a.c": c('#include "sync/b.h"'), "src/sync/b.h": header("B_H")},
        ["src/sync/a.c:2: layer", "src/chan/a.c:2: layer"]),
    "public headers include no private ones": (
        {"include/gort/a.h": header("A_H", '#include "base/b.h"'), "src/base/b.h": header("B_H"),
         "tests/a.c": c("#include <gort/a.h>")}, ["include/gort/a.h:4: layer"]),
    "system headers last": (
        {A: c("#include <stdio.h>", '#include "base/b.h"'), "src/base/b.h": header("B_H")},
        [A + ":3: include-order"]),
    "raw atomic": ({A: c("int x = atomic_load_explicit(&y, 0);")}, [A + ":2: raw-atomic"]),
    "raw atomic by header": ({A: c("#include <stdatomic.h>")}, [A + ":2: raw-atomic"]),
    "raw atomic builtin": ({A: c("int x = __atomic_load_n(&y, 0);")}, [A + ":2: raw-atomic"]),
    "atomics in atomic.h": ({"src/base/atomic.h": header("A_H", "#include <stdatomic.h>"),
                             A: c('#include "base/atomic.h"')}, []),
    "volatile": ({A: c("volatile int x;")}, [A + ":2: volatile"]),
    "asm volatile": ({A: c('int f(void) { __asm__ volatile("nop"); }')}, []),
    "ordered and unexplained": (
        {A: c("int f(void)", "{", *["    work();"] * 20, "    return ld_acq(&x);", "}")},
        [A + ":24: order-note"]),
    "ordered with a note": (
        {A: c("/* [IDLE-2] pairs with [IDLE-1] in g */", "int x = ld_acq(&y);",
              "int z = ld_rlx(&y);", "st_rel(&y, 1); /* [IDLE-1] */"),
         "docs/MEMORY_MODEL.md": "IDLE\n"}, []),
    "a note above the function": (
        {A: c("/* Contract. [IDLE] */", "int f(void)", "{", *["    work();"] * 20,
              "    return ld_acq(&x);", "}", "", "/* [IDLE] */"),
         "docs/MEMORY_MODEL.md": "IDLE\n"}, []),
    "a tag with one site": ({A: c("int x = ld_acq(&y); /* [IDLE-1] */"),
                             "docs/MEMORY_MODEL.md": "IDLE\n"}, [A + ":2: tag-once"]),
    "a tag without description": (
        {A: c("int x = ld_acq(&y); /* [IDLE-1] */", "st_rel(&y, 0); /* [IDLE-2] */")},
        [A + ":2: tag-doc"]),
    "banned call": ({A: c("int f(void) { strcpy(a, b); }")}, [A + ":2: banned-call"]),
    "banned name in a string": ({A: c('const char *s = "strcpy(a, b)";')}, []),
    "allowed outside src": ({"examples/a.c": c('int f(void) { printf("x"); }')}, []),
    "assignment in a condition": (
        {A: c("int f(void)", "{", "    if ((x = g()) != 0) {", "    }", "}")},
        [A + ":4: assign-in-condition"]),
    "comparisons in a condition": (
        {A: c("int f(void)", "{", "    if (x == 1 || y <= 2 || z != 3 || a >= 4) {", "    }",
              "}")}, []),
    "no braces": (
        {A: c("int f(void)", "{", "    if (x)", "        g();", "}")}, [A + ":4: braces"]),
    "else without braces": (
        {A: c("int f(void)", "{", "    if (x) {", "    } else", "        g();", "}")},
        [A + ":5: braces"]),
    "do while and else if": (
        {A: c("int f(void)", "{", "    do {", "    } while (x);", "    if (x) {",
              "    } else if (y) {", "    }", "}")}, []),
    "todo": ({A: c("/* TODO: later */")}, [A + ":2: todo"]),
    "todo with a name": ({A: c("/* TODO(ann): until the kernel has it */")}, []),
    "reserved name": ({A: c("#define _X 1")}, [A + ":2: reserved-name"]),
    "go__ name": ({A: c("int go__x;")}, [A + ":2: reserved-name"]),
    "no guard": ({"src/sched/a.h": c("int x;"), A: c('#include "sched/a.h"')},
                 ["src/sched/a.h:1: header-guard"]),
    "silenced on the line": ({A: c("volatile int x; /* style: volatile because hardware */")}, []),
    "silenced above": ({A: c("/* style: volatile because the device", " * writes it */",
                             "volatile int x;")}, []),
    "silenced for two lines, not three": (
        {A: c("/* style: volatile because of the device */", "volatile int x;", "int z;",
              "volatile int y;")}, [A + ":5: volatile"]),
    "an alias": ({A: c("/* style: #if on the compiler because it has another word */",
                       "#if __clang__", "#endif")}, []),
    "silenced without reason": (
        {A: c("volatile int x; /* style: volatile */")},
        [A + ":2: style-comment", A + ":2: volatile"]),
    "silenced by no rule": ({A: c("/* style: beauty because so */")}, [A + ":2: style-comment"]),
    "path of one machine": (
        {"docs/a.md": "see /ho" + "me/ann/x\nand /usr/include\n"}, ["docs/a.md:1: machine-path"]),
    "number of a ticket": (
        {"docs/a.md": "see is" + "sue 12\n"}, ["docs/a.md:1: foreign-words"]),
    "dead link": ({"docs/a.md": "[x](b.md) [y](a.md) [z](https://example.org)\n"},
                  ["docs/a.md:1: dead-link"]),
    "a stale reference": (
        {"tools/gen/reference": "# SPDX-License-Identifier: MIT\nraise SystemExit(1)\n",
         "docs/REFERENCE.md": "old\n"}, ["docs/REFERENCE.md:1: reference"]),
    "an invariant held by nothing": (
        {A: c("/* essay", " *", " *   P1  Always so.", " */", "int x;")}, [A + ":4: invariant"]),
    "an invariant held by an assert": (
        {A: c("/* essay", " *", " *   P1  Always so.", " */", "int x; /* P1 */")}, []),
    "an invariant held by a function": (
        {A: c("/* essay", " *", " *   P1  Always so, and this", " *       in two lines.  (x_check)",
              " */", "void x_check(void);")}, []),
    "a header that nobody includes": (
        {"src/sched/a.h": header("A_H")}, ["src/sched/a.h:1: orphan-header"]),
    "a directory without README": (
        {"src/time/a.c": c("int x;")}, ["src/time:1: dir-readme"]),
}


def findings(out):
    return sorted(":".join(line.split(":")[:3]) for line in out.split("\n") if line)


def run_case(files, library=None):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**README, **files}.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
        args = [sys.executable, TIDY, "--root", root]
        if library:
            build = os.path.join(root, "out")
            os.makedirs(build + "/lib")
            source = os.path.join(root, "lib.c")
            subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o",
                            build + "/lib/libgort.so", source], check=True)
            os.remove(source)
            args += ["--build", build]
        return subprocess.run(args, capture_output=True, text=True, check=False)


def symbols_case():
    """A library with an unprefixed, an undeclared and an undocumented symbol."""
    files = {"lib.c": "int stray; int go_hidden; int go_plain; int goi_fine;\n",
             "include/gort/a.h": header("A_H", "extern int go_plain, goi_fine;"),
             "tests/a.c": c("#include <gort/a.h>"), "docs/a.md": "go_hidden\n"}
    out = run_case(files, library=True)
    wanted = ["libgort.so:0: export-declared: go_hidden", "libgort.so:0: export-doc: go_plain",
              "libgort.so:0: symbol-prefix: stray"]
    got = [" ".join(line.split()[:3]) for line in sorted(out.stdout.split("\n")) if line]
    return got, wanted


def main():
    failed, number, covered = 0, 0, set()
    print(f"1..{len(CASES) + 3}")

    def report(ok, name, detail=""):
        nonlocal failed, number
        number += 1
        failed += 0 if ok else 1
        print(f"{'ok' if ok else 'not ok'} {number} - tidy: {name}")
        if not ok:
            print("".join(f"#   {line}\n" for line in detail.split("\n")), end="")

    for name, (files, wanted) in CASES.items():
        out = run_case(files)
        got = findings(out.stdout)
        covered |= {w.split()[-1] for w in wanted}
        ok = got == sorted(wanted) and out.returncode == (1 if wanted else 0)
        report(ok, name, f"wanted {sorted(wanted)}\ngot    {got}\n{out.stdout}{out.stderr}")
    got, wanted = symbols_case()
    covered |= {w.split()[1].rstrip(":") for w in wanted}
    report(got == wanted, "symbols of the library", f"wanted {wanted}\ngot    {got}")
    out = run_case({A: c("volatile int x;")})
    report(out.stdout == A + ":2: volatile: volatile orders nothing between threads; use "
           "base/atomic.h\n", "the message says what to do", out.stdout)
    out = subprocess.run([sys.executable, TIDY, "--rules"], capture_output=True, text=True,
                         check=False)
    rules = {line.split()[0] for line in out.stdout.split("\n") if line}
    report(rules == covered, "every rule has a case that breaks it",
           f"without: {sorted(rules - covered)}\nunknown: {sorted(covered - rules)}")
    print(f"{number - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
