#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: builds every program in examples/ and compares what it does with what its Go twin did.
#
# Usage: run.sh [NAME...]    (default: all of them)
# Environment
#   GORT              the gort command (default ./build/bin/gort)
#   EXAMPLES_PROCS    values of GOMAXPROCS to run with (default "1 4")
#   EXAMPLES_TIMEOUT  seconds that one program may take (default 60)
#
# examples/audit is a larger program with a test of its own, audit.sh.
# Expected output is in examples/expected: NAME.txt is the standard output; where NAME.err exists,
# its line must be the first on standard error and the exit status 2. record.sh makes these files.
set -u
here=$(cd "$(dirname "$0")" && pwd)
examples=$here/../../examples
gort=${GORT:-./build/bin/gort}
procs=${EXAMPLES_PROCS:-1 4}
limit=${EXAMPLES_TIMEOUT:-60}
work=$(mktemp -d)
. "$here/tree.sh"
. "$here/session.sh"
. "$here/audit.sh"
. "$here/../libs/servers.sh"
trap 'stop_servers; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

pass() { passed=$((passed + 1)); echo "ok    $1"; }
skip() { echo "SKIP  $1: $2"; }
fail()
{
    failed=$((failed + 1))
    echo "FAIL  $1: $2"
    for part in "$work/diff" "$work/err"; do
        [ -s "$part" ] && sed 's/^/      /' "$part" | head -n 40
    done
}

# build NAME [OPTION...]
build()
{
    : >"$work/diff"
    program=$1
    shift
    if ! "$gort" build -o "$work/$program" "$examples/$program.c" "$@" 2>"$work/err"; then
        fail "$program" "does not build"
        return 1
    fi
    if [ -s "$work/err" ]; then
        fail "$program" "the compiler has something to say"
        return 1
    fi
}

# only_late EXPECTED OUTPUT: all that is wrong is that something came too late. That is the doing of
# a machine that stands still for half a second, so the best of three rounds counts.
only_late()
{
    wrong=$(diff "$1" "$2" | grep '^>')
    [ -n "$wrong" ] && ! printf '%s\n' "$wrong" | grep -Eqv 'less than.*false$|late$|are up$'
}

# try NAME GOMAXPROCS [ARGUMENT]: runs it and compares everything.
try()
{
    want=0
    : >"$work/diff"
    for _ in 1 2 3; do
        status=0
        GOMAXPROCS=$2 timeout "$limit" "$work/$1" ${3+"$3"} >"$work/out" 2>"$work/err" ||
            status=$?
        only_late "$examples/expected/$1.txt" "$work/out" || break
    done
    [ -e "$examples/expected/$1.err" ] && want=2
    if ! diff "$examples/expected/$1.txt" "$work/out" >"$work/diff"; then
        fail "$1" "GOMAXPROCS=$2: unexpected output, exit status $status"
    elif [ "$status" != "$want" ]; then
        fail "$1" "GOMAXPROCS=$2: exit status $status instead of $want"
    elif [ "$want" = 2 ] && ! head -n 1 "$work/err" | cmp -s - "$examples/expected/$1.err"; then
        fail "$1" "GOMAXPROCS=$2: the first line on standard error is another one"
    elif [ "$want" = 0 ] && [ -s "$work/err" ]; then
        fail "$1" "GOMAXPROCS=$2: output on standard error"
    else
        pass "$1, GOMAXPROCS=$2"
    fi
}

has_http()
{
    for lib in "$(dirname "$gort")"/../lib/libgort-http.*; do
        [ -e "$lib" ] && return 0
    done
    return 1
}

# million.c needs about 4.7 GB: a page or a little more for each goroutine.
too_small()
{
    [ "$1" = million ] && awk '/MemAvailable/ { exit !($2 < 6000000) }' /proc/meminfo
}

# findex and findex_seq on one tree: the same counts, and those of the Go twin where recorded.
compare_findex()
{
    : >"$work/diff"
    timeout "$limit" "$work/findex_seq" "$1" >"$work/seq" 2>"$work/err" ||
        { fail "findex_seq $2" "exit status $?"; return; }
    for p in $procs; do
        status=0
        GOMAXPROCS=$p timeout "$limit" "$work/findex" "$1" >"$work/out" 2>"$work/err" || status=$?
        if [ "$status" = 0 ] && diff "$work/seq" "$work/out" >"$work/diff" &&
            { [ -z "$3" ] || diff "$examples/expected/$3" "$work/out" >"$work/diff"; }; then
            pass "findex $2, GOMAXPROCS=$p"
        else
            fail "findex $2" "GOMAXPROCS=$p: exit status $status, or counts that differ"
        fi
    done
}

# On a terminal the progress line moves; script(1) lends one.
progress_line()
{
    command -v script >/dev/null || { skip "findex progress line" "no script(1)"; return; }
    : >"$work/err"
    script -qec "$work/findex $work/tree" "$work/typescript" >/dev/null </dev/null
    if grep -q "$(printf '\r')[0-9]* files" "$work/typescript"; then
        pass "findex moves a progress line on a terminal"
    else
        fail "findex" "no progress line on a terminal"
    fi
}

no_directory()
{
    status=0
    timeout "$limit" "$work/$1" "$work/not there" >"$work/out" 2>"$work/err" || status=$?
    if [ "$status" = 1 ] && grep -q "^$1: cannot read" "$work/err"; then
        pass "$1 of no directory"
    else
        fail "$1 of no directory" "exit status $status"
    fi
}

findex()
{
    build findex && build findex_seq || return
    make_tree "$work/tree"
    compare_findex "$work/tree" "a made-up tree" findex.txt
    if [ -d /usr/include ]; then
        compare_findex /usr/include "/usr/include" ""
    fi
    progress_line
    no_directory findex
    no_directory findex_seq
}

# serve NAME GOMAXPROCS [SCRIPT EXPECTED]: a server is started, talked to, and told to end.
serve()
{
    : >"$work/diff"
    for _ in 1 2 3; do
        status=0
        (export GOMAXPROCS="$2" && session "$1" "$work/$1" "$work/$1.d" ${3+"$3"}) || status=$?
        only_late "${4:-$examples/expected/$1.txt}" "$work/$1.d/out" || break
    done
    cp "$work/$1.d/err" "$work/err"
    if ! diff "${4:-$examples/expected/$1.txt}" "$work/$1.d/out" >"$work/diff"; then
        fail "$1" "GOMAXPROCS=$2: unexpected output, exit status $status"
    elif [ "$status" != 0 ] || [ -s "$work/err" ]; then
        fail "$1" "GOMAXPROCS=$2: exit status $status, or output on standard error"
    else
        pass "$1, GOMAXPROCS=$2${3+, in a browser}"
    fi
}

served()
{
    if ! command -v curl >/dev/null; then
        skip "$1" "no curl to talk to it"
    elif build "$1"; then
        for p in $procs; do
            serve "$1" "$p"
        done
        [ "$1" != chat ] || in_browser
    fi
}

# The chat's page, by two who sit at a real browser.
in_browser()
{
    browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
    if [ -z "$browser" ]; then
        skip "chat in a browser" "no Chromium"
    else
        serve chat 4 "$here/sessions/chat_browser.in" "$here/sessions/chat_browser.txt"
    fi
}

# has HEADER [OPTION...]: whether the compiler finds a library's header.
has()
{
    header=$1
    shift
    echo "#include <$header>" | ${CC:-cc} -E -xc "$@" - >/dev/null 2>&1
}

# parked NAME LIBRARY HEADER SERVER: an example of a library whose waiting is replaced.
parked()
{
    why= argument=
    include=-I/usr/include/postgresql
    has "$3" $include || why="no <$3>"
    [ -n "$why" ] || [ -z "$4" ] || why=$("why_no_$4")
    if [ -n "$why" ]; then
        skip "$1" "$why"
        return
    fi
    build "$1" $include "-l$2" || return
    case $4 in
    redis) start_redis "$work/redis" && argument=$redis_socket ;;
    postgres) start_postgres "$work/postgres" && argument=$postgres_at ;;
    esac >"$work/err" 2>&1 || { fail "$1" "no server"; return; }
    for p in $procs; do
        try "$1" "$p" ${argument:+"$argument"}
    done
    stop_servers
}

[ $# -gt 0 ] || set -- $(cd "$examples" && for f in *.c; do echo "${f%.c}"; done) audit
for name; do
    case $name in
    audit) audit ;; # a folder of its own
    findex) findex ;;
    findex_seq) ;; # with findex
    curl_park) parked curl_park curl curl/curl.h "" ;;
    redis_park) parked redis_park hiredis hiredis/hiredis.h redis ;;
    postgres_park) parked postgres_park pq libpq-fe.h postgres ;;
    *)
        if grep -q '<gort/http.h>' "$examples/$name.c" && ! has_http; then
            skip "$name" "no libgort-http"
        elif [ -e "$here/sessions/$name.sh" ]; then
            served "$name"
        elif too_small "$name"; then
            skip "$name" "less than 6 GB of memory available"
        elif build "$name"; then
            # Once is enough for what touches so much memory: tests/stress/million has the others.
            for p in $([ "$name" = million ] && echo "${procs##* }" || echo "$procs"); do
                try "$name" "$p"
            done
        fi
        ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
