#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: libraries that know nothing of goroutines, inside of hundreds of them, blocking as they
# do.
#
# Usage: run.sh [curl | sqlite | redis | postgres]...    (default: all)
# Environment
#   GORT         the gort command (default ./build/bin/gort)
#   GORT_BUILD   a build with tests, for the harness (default: that of the gort command)
#   LIBS_PROCS   values of GOMAXPROCS to run with (default 1,4)
#
# A library or server that is not there is skipped, with the reason.
set -u
here=$(cd "$(dirname "$0")" && pwd)
gort=${GORT:-./build/bin/gort}
build=${GORT_BUILD:-$(dirname "$(dirname "$gort")")}
work=$(mktemp -d)
. "$here/servers.sh"
trap 'stop_servers; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

skip()
{
    skipped=$((skipped + 1))
    echo "ok - $1 # SKIP $2"
}
fail()
{
    failed=$((failed + 1))
    echo "not ok - $1: $2"
}

# has HEADER OPTIONS: whether the compiler finds the library.
has()
{
    echo "#include <$1>
        int main(void) { return 0; }" >"$work/has.c"
    # shellcheck disable=SC2086
    ${CC:-cc} $2 -o "$work/has" "$work/has.c" $3 >/dev/null 2>&1
}

# try NAME HEADER CFLAGS LIBS: builds NAME_test.c, runs it, and adds what it says.
try()
{
    if ! has "$2" "$3" "$4"; then
        skip "$1" "no <$2>"
        return
    fi
    # shellcheck disable=SC2086
    if ! "$gort" build -o "$work/$1" "$here/$1_test.c" "$build/lib/libgort_harness.a" \
        -I "$here/../harness" -D_GNU_SOURCE $3 $4 >"$work/err" 2>&1; then
        fail "$1" "does not build"
        sed 's/^/# /' "$work/err"
        return
    fi
    LIBS_DIR=$work timeout 250 "$work/$1" --procs="${LIBS_PROCS:-1,4}" >"$work/out" 2>&1
    status=$?
    cat "$work/out"
    not_ok=$(grep -c '^not ok' "$work/out")
    skips=$(grep -c '^ok.*# SKIP' "$work/out")
    [ "$not_ok" = 0 ] && [ "$status" != 0 ] && fail "$1" "exit status $status"
    failed=$((failed + not_ok))
    skipped=$((skipped + skips))
    passed=$((passed + $(grep -c '^ok' "$work/out") - skips))
}

redis()
{
    why=$(why_no_redis)
    if [ -n "$why" ]; then
        skip redis "$why"
    elif ! start_redis "$work/redis.d"; then
        fail redis "the server does not start"
    else
        export LIBS_REDIS="$redis_socket" LIBS_SERVER_PID="$redis_pid"
        try redis hiredis/hiredis.h "" -lhiredis
        stop_servers
    fi
}

postgres()
{
    why=$(why_no_postgres)
    if [ -n "$why" ]; then
        skip postgres "$why"
    elif ! start_postgres "$work/postgres.d"; then
        fail postgres "the server does not start"
    else
        export LIBS_POSTGRES="$postgres_at" LIBS_SERVER_PID="$postgres_pid"
        include=$(pkg-config --cflags libpq 2>/dev/null || echo -I/usr/include/postgresql)
        try postgres libpq-fe.h "$include" -lpq
        stop_servers
    fi
}

[ $# -gt 0 ] || set -- curl sqlite redis postgres
for name; do
    unset LIBS_SERVER_PID
    case $name in
    curl) try curl curl/curl.h "" -lcurl ;;
    sqlite) try sqlite sqlite3.h "" -lsqlite3 ;;
    redis) redis ;;
    postgres) postgres ;;
    *) fail "$name" "no such library" ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
