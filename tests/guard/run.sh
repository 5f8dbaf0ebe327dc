#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: the instructions that the eight hottest paths take, by callgrind, against counts.tsv.
#
#   tests/guard/run.sh            compares; within 5 % either way is right
#   tests/guard/run.sh --record   writes what is counted now into counts.tsv
#
# Counted is what runs in the library and guard.c, not in libc: how malloc fares differs from
# machine to machine. Calls into libc are counted instead. A count depends on the compiler, so
# counts.tsv has them by compiler, its major version, and processor; for another there is nothing
# to compare with, and it is skipped. A path that has become cheaper is to be recorded too, or the
# next change could take it back unseen.
#
# Environment: GORT_BUILD (default ./build), CC.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${GORT_BUILD:-$root/build}" && pwd) || exit 1
CC=${CC:-cc}
counts=$here/counts.tsv
tab=$(printf '\t')

skip()
{
    echo "ok 1 - guard # SKIP $*"
    exit 77
}

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }

command -v valgrind >/dev/null || skip "no valgrind (tools/setup test)"
macros=$($CC -dM -E - </dev/null) || exit 1
case $macros in
*__clang__*) skip "counts are kept for gcc" ;;
esac
key=gcc-$($CC -dumpversion | cut -d. -f1)-$($CC -dumpmachine | cut -d- -f1)
[ "$(cached CMAKE_BUILD_TYPE)" = RelWithDebInfo ] && [ -z "$(cached CMAKE_C_FLAGS)" ] &&
    [ -z "$(cached GORT_SANITIZE)" ] && [ "$(cached GORT_PARANOID)" != ON ] &&
    [ "$(cached GORT_HOT_ASSERTS)" != ON ] ||
    skip "the library was built in another way than RelWithDebInfo"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
echo '#include <valgrind/callgrind.h>' | $CC -E - >"$work/log" 2>&1 ||
    skip "no valgrind/callgrind.h"

# What is counted, as "path instructions calls", the least of the repetitions.
measure()
{
    # shellcheck disable=SC2046
    $CC -std=gnu11 -O2 -g -Wall -Werror -I"$root/include" -o "$work/guard" "$here/guard.c" \
        "$build/lib/libgort.a" $(sed -n 's/^static_libs=//p' "$build/lib/pkgconfig/gort.pc") ||
        return 1
    GOMAXPROCS=1 GORTDEBUG='' timeout 200 valgrind -q --tool=callgrind \
        "--callgrind-out-file=$work/out" "$work/guard" >"$work/ops" || return 1
    for f in "$work"/out.*; do
        awk -v ops="$(sed -n 's/^ops //p' "$work/ops")" '
            # A name stands once as "(3) name", from then on as "(3)".
            function named(s) {
                sub(/^c?ob=/, "", s)
                if (match(s, /\) /)) {
                    name[substr(s, 1, RSTART)] = substr(s, RSTART + 2)
                    s = substr(s, 1, RSTART)
                }
                return name[s]
            }
            /^desc: Trigger: Client Request: guard / { path = $NF }
            /^ob=/ { own = named($0) ~ /\/guard$/; next }
            /^cob=/ { away = named($0) !~ /\/guard$/; next }
            # The line after it is what the callee took, counted where the callee is.
            /^calls=/ {
                if (own && away) {
                    calls += substr($1, 7)
                }
                away = 0
                getline
                next
            }
            /^[-+*0-9]+ [0-9]+$/ && own { sum += $2 }
            END {
                if (path != "") {
                    printf("%s %.2f %.2f\n", path, sum / ops, calls / ops)
                }
            }' "$f"
    done | awk '{
        if (!($1 in least) || $2 < least[$1]) { least[$1] = $2 }
        if (!($1 in calls) || $3 < calls[$1]) { calls[$1] = $3 }
    } END { for (p in least) { print p, least[p], calls[p] } }' | sort
}

measure >"$work/now"
if [ "$(wc -l <"$work/now")" != 8 ]; then
    echo "not ok 1 - guard: eight paths are counted"
    sed 's/^/#   /' "$work/now"
    exit 1
fi
if [ "${1:-}" = --record ]; then
    {
        sed -n '/^#/p' "$counts"
        grep -v -e '^#' -e "^$key$tab" "$counts"
        awk -v key="$key" -v OFS='\t' '{ print key, $1, $2, $3 }' "$work/now"
    } >"$work/counts"
    cp "$work/counts" "$counts"
    cat "$work/now"
    exit 0
fi
grep -q "^$key$tab" "$counts" ||
    skip "no counts of $key are recorded (tests/guard/run.sh --record)"
grep "^$key$tab" "$counts" | awk '
    NR == FNR { now[$1] = $2; calls[$1] = $3; next }
    {
        n++
        off = now[$2] - $3
        more = calls[$2] - $4
        text = sprintf("%s: %.1f instructions and %.2f calls of libc, %.1f and %.2f are recorded",
                       $2, now[$2], calls[$2], $3, $4)
        if (off > 0.05 * $3 || more > 0.05 * $4 + 0.25) {
            verdict = "not ok"
            text = text ": dearer. If it has to be: tests/guard/run.sh --record"
        } else if (off < -0.05 * $3 || more < -0.05 * $4 - 0.25) {
            verdict = "not ok"
            text = text ": cheaper. Keep it so: tests/guard/run.sh --record"
        } else {
            verdict = "ok"
        }
        bad += verdict != "ok"
        printf("%s %d - guard: %s\n", verdict, n, text)
    }
    END { exit bad != 0 }' "$work/now" -
