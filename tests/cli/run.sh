#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests of the command `gort`. TAP on stdout, then one line `N passed, N failed, N skipped`.
#
#   tests/cli/run.sh [PATTERN]      only the tests whose name matches
#
# Most tests run the command in a tree of their own with a library of a few lines (fake.sh), so that
# they say something about the command alone; the `real_` ones use the build in GORT_BUILD (default
# build/). CC and CXX choose the compilers. Each test is a function whose name is its sentence, runs
# in a directory and with a cache of its own, and fails at the first command that does. It ends
# with `skip WHY` where this machine cannot run it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
GORT_SOURCE=${GORT_SOURCE:-$(cd "$here/../.." && pwd)}
GORT_BUILD=${GORT_BUILD:-$GORT_SOURCE/build}
CC=${CC:-cc}
CXX=${CXX:-c++}
export GORT_SOURCE GORT_BUILD CC CXX
seconds=${GORT_TEST_SECONDS:-120}

if [ ! -x "$GORT_BUILD/bin/gort" ]; then
    echo "Bail out! there is no $GORT_BUILD/bin/gort"
    exit 1
fi

# What the user has set must not decide a test.
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH
unset GOMAXPROCS GORTDEBUG TSAN_OPTIONS ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS VALGRIND_OPTS
export LC_ALL=C

. "$here/lib.sh"
. "$here/fake.sh"
for cases in "$here"/cases_*.sh; do
    . "$cases"
done

# One test, in a process of its own that the loop below starts.
if [ "${1:-}" = --one ]; then
    set -e
    cd "$top/$2"
    export XDG_CACHE_HOME=$PWD/cache
    "test_$2"
    exit 0
fi

pattern=${1:-}
top=$(mktemp -d "${TMPDIR:-/tmp}/gort-cli.XXXXXX") || exit 1
export top
trap 'rm -rf "$top"' EXIT
trap 'exit 129' HUP INT TERM
make_fake "$top/fake" || { echo "Bail out! the small library does not build"; exit 1; }

number=0 passed=0 failed=0 skipped=0
for name in $(declare -F | sed -n 's/^declare -f test_//p'); do
    case $name in
    *$pattern*) ;;
    *) continue ;;
    esac
    number=$((number + 1))
    mkdir "$top/$name"
    status=0
    timeout -k 5 "$seconds" "$here/run.sh" --one "$name" >"$top/log" 2>&1 </dev/null || status=$?
    case $status in
    0)
        passed=$((passed + 1))
        echo "ok $number - $name"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "ok $number - $name # SKIP $(tail -n 1 "$top/log")"
        ;;
    *)
        failed=$((failed + 1))
        echo "not ok $number - $name (status $status)"
        sed 's/^/#   /' "$top/log"
        ;;
    esac
    rm -rf "${top:?}/$name"
done
echo "1..$number"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$number" -gt 0 ]
