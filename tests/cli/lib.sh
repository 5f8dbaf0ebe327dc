# SPDX-License-Identifier: MIT
# What the tests of the command say things with. Sourced by run.sh.

skip() {
    echo "$1"
    exit 77
}

# run COMMAND...: leaves its output in $out, its messages in $err and its status in $status.
run() {
    status=0
    "$@" >out.txt 2>err.txt || status=$?
    out=$(cat out.txt)
    err=$(cat err.txt)
}

# in_time: true for a minute from the first time that a test asks. For loops that wait.
in_time() {
    : "${asked_first:=$SECONDS}"
    [ $((SECONDS - asked_first)) -lt 60 ]
}

complain() {
    echo "$1"
    echo "status: ${status-}"
    echo "stdout: ${out-}"
    echo "stderr: ${err-}"
    return 1
}

# Each prints what it saw and fails when the last `run` was not as wanted.
want_status() {
    [ "$status" = "$1" ] || complain "wanted status $1"
}
want_out() {
    [ "$out" = "$1" ] || complain "wanted stdout: $1"
}
want_out_has() {
    grep -qF -e "$1" <<<"$out" || complain "wanted in stdout: $1"
}
want_out_lacks() {
    ! grep -qF -e "$1" <<<"$out" || complain "not wanted in stdout: $1"
}
want_err() {
    [ "$err" = "$1" ] || complain "wanted stderr: $1"
}
want_err_has() {
    grep -qF -e "$1" <<<"$err" || complain "wanted in stderr: $1"
}
want_err_lacks() {
    ! grep -qF -e "$1" <<<"$err" || complain "not wanted in stderr: $1"
}

# A compiler that counts how often it compiles, in $PWD/calls.
counting_compiler() {
    cat >count-cc <<END
#!/bin/sh
case " \$* " in *" -c "*) echo call >>"$PWD/calls" ;; esac
exec $CC "\$@"
END
    chmod +x count-cc
    : >calls
    export CC=$PWD/count-cc
}
want_calls() {
    n=$(wc -l <calls)
    [ "$n" -eq "$1" ] || complain "wanted $1 compilations, saw $n"
}

want_no_builds_left() {
    left=$(find cache -name 't.*' | head -n 1)
    [ -z "$left" ] || complain "left behind: $left"
}

# need_program NAME...: skips the test where one is missing.
need_program() {
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "there is no $program"
    done
}

# need_flag FLAG: skips the test where CC cannot link and run a program with it.
need_flag() {
    echo 'int main(void) { return 0; }' >need.c
    $CC "$1" need.c -o need >/dev/null 2>&1 && ./need >/dev/null 2>&1 ||
        skip "$CC cannot build and run with $1"
}

# The real library, unless this build of it carries a sanitizer, which only programs with the
# same one can link.
need_real() {
    gort=$GORT_BUILD/bin/gort
    lib=$GORT_BUILD/lib/libgort.a
    [ -f "$lib" ] || skip "there is no $lib"
    if nm "$lib" 2>/dev/null | grep -qE ' U __(asan_init|tsan_init|ubsan_handle)'; then
        skip "this libgort carries a sanitizer"
    fi
}
