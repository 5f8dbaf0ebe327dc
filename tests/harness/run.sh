#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: the harness is tested by a program whose tests have every fate there is (self/sample.c);
# each must get the verdict that its name begins with.
set -u
here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

# check NAME COMMAND...
check()
{
    name=$1
    shift
    if "$@" >/dev/null; then
        passed=$((passed + 1))
        echo "ok $((passed + failed)) - harness: $name"
    else
        failed=$((failed + 1))
        echo "not ok $((passed + failed)) - harness: $name"
    fi
}

# One line of output that matches.
has() { grep -Eq -e "$1" "$work/out"; }
hasnt() { ! grep -Eq -e "$1" "$work/out"; }

sample=$here/self/sample.c
"$CC" -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror "-I$here" "$here"/*.c "$sample" \
    -o "$work/sample" -pthread || exit 1
planned=$(grep -Ec '(TEST|TEXT|LONG)\(self, ' "$sample")
unset GOMAXPROCS GORTDEBUG GORT_TEST_SCALE GORT_TEST_SEED GORT_TEST_SEEDS GORT_TEST_PROCS
"$work/sample" --filter=self. >"$work/out" 2>&1
status=$?
check "a failing test makes the program fail" test $status = 1
check "the plan counts the tests" has "^1\.\.$planned$"
for verdict in ok not_ok skip; do
    for name in $(sed -n "s/^[A-Z_]*(self, \(${verdict}_[a-z_]*\).*/\1/p" "$sample"); do
        case $verdict in
        ok) check "$name" has "^ok [0-9]+ - self\.$name \(" ;;
        not_ok) check "$name" has "^not ok [0-9]+ - self\.$name \(" ;;
        skip) check "$name" has "^ok [0-9]+ - self\.$name # SKIP no luck here$" ;;
        esac
    done
done
check "every failed expectation is counted" has '7 of seven'
check "values are printed" has 'does not hold: 3 < 2 \(3 < 2\)'
check "a message is printed" has 'sample\.c:[0-9]+: the number is 42'
check "REQUIRE ends the test" hasnt 'never printed'
check "the leaked descriptor is named" has 'leaked descriptor [0-9]+: pipe:'
check "the signal is named" has 'it died by signal 11'
check "a hang is called one" has 'it did not end within 1 seconds'
if command -v gdb >/dev/null; then
    check "gdb shows where it hangs" has 'gdb: #.*wait_for_ever'
fi
check "what it should have written is said" has 'standard error \(no match\): \^panic: y\$'
check "the wrong status is said" has 'it exited with status 3, expected: exited with status 2'
check "the closing line counts" has '^# sample: [0-9]+ passed, [0-9]+ failed, 1 skipped$'
nobody_left() { ! readlink /proc/[0-9]*/exe 2>/dev/null | grep -qF "$work/sample"; }
check "nobody is left" nobody_left

GORTDEBUG=a=b "$work/sample" --filter=matrix. --procs=1,16 --seeds=2 --seed=5 >"$work/out" 2>&1
check "the matrix is walked" has '^1\.\.4$'
check "the environment is set" has '\| 16 a=b,seed=6$'
check "the line names it" has '^not ok 4 - matrix\.environment GOMAXPROCS=16 seed=6'
check "the seed is printed first" has '^# seed 5$'
"$work/sample" --filter=seeds. >"$work/out" 2>&1
check "a test may ask for several seeds" has '^1\.\.3$'
first=$(sed -n 's/^# seed //p' "$work/out")
check "and gets different ones" has "\| $((first + 2)) seed=$((first + 2))\$"
GORT_TEST_SEEDS=1 "$work/sample" --filter=seeds. >"$work/out" 2>&1
check "also where the matrix has fewer" has '^1\.\.3$'
"$work/sample" --filter=seeds. --seed=9 >"$work/out" 2>&1
check "a seed that is given is the only one" has '^1\.\.1$'

GORT_TEST_GDB=0 GORT_TEST_SCALE=100 "$work/sample" --filter=hang. --timeout=1 >"$work/out" 2>&1
check "a limit that is given is the limit" has 'it did not end within 1 seconds'
check "after three that hang the rest is not run" \
    has '^not ok 4 - hang\.fourth was not run: 3 tests before it did not end$'
"$work/sample" --filter=none_such >"$work/out" 2>&1
check "a filter that matches nothing is an error" test $? = 64
"$work/sample" --filter=self.ok_exp --no-fork >"$work/out" 2>&1
check "without fork" test $? = 0
echo "# harness: $passed passed, $failed failed"
[ "$failed" = 0 ]
