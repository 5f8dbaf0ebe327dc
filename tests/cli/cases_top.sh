# SPDX-License-Identifier: MIT
# gort top. Sourced by run.sh. The programs that are looked at end with the test.

# need_top: the real library and gort-top, on a kernel that lets this user look into a child.
need_top() {
    need_real
    [ -x "$GORT_BUILD/libexec/gort/gort-top" ] || skip "there is no gort-top"
    case $(file -b "$GORT_BUILD/bin/gort" 2>/dev/null) in
    *x86-64*) [ "$(uname -m)" = x86_64 ] || skip "an emulator has its own addresses" ;;
    *aarch64*) [ "$(uname -m)" = aarch64 ] || skip "an emulator has its own addresses" ;;
    esac
}

# parked.c: 20 goroutines that wait for a channel, one that sleeps, main that waits for a mutex.
parked_program() {
    cat >parked.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
static void consumer(chan(int) c)
{
    printf("%d\n", chan_recv(c));
}
static void sleeper(void)
{
    go_sleep(GO_HOUR);
    puts("awake");
}
int main(void)
{
    go_mutex mu = {0};
    chan(int) c = chan_make(int);
    for (int i = 0; i < 20; i++) {
        go(consumer, c);
    }
    go(sleeper);
    go_mutex_lock(&mu);
    go_mutex_lock(&mu);
    puts("free");
}
END
}

# start COMMAND...: in the background, as $pid, until the test ends.
start() {
    "$@" >started.out 2>&1 &
    pid=$!
    trap 'kill -9 "$pid" 2>/dev/null || true' EXIT
    while [ "/proc/$pid/exe" -ef "/proc/$$/exe" ]; do # until it is no longer this shell
        sleep 0.01
    done
}

# top_until PATTERN: pictures of $pid until there is a line like that.
top_until() {
    while in_time; do
        run "$gort" top -n 1 -d 0.02 "$pid"
        if [ "$status" = 0 ] && grep -qE -e "$1" <<<"$out"; then
            return 0
        fi
    done
    complain "wanted a line like: $1"
}

test_top_shows_goroutines_by_state_and_function() {
    need_top
    parked_program
    "$gort" build -o parked parked.c
    start ./parked
    top_until '^ +20  chan receive +consumer +consumer at parked.c:18$'
    top_until '^ +1  sleep +sleeper +sleeper at parked.c:20$'
    top_until '^ +1  sync.Mutex.Lock +main +main$'
    want_out_has "gort top: process $pid (parked): GOMAXPROCS "
    want_out_has "goroutines 22: 0 running, 0 runnable, 22 waiting"
    want_err ""
}

test_top_finds_the_shared_library_and_needs_no_symbols() {
    need_top
    parked_program
    "$gort" build -dynamic -o parked parked.c
    start ./parked
    top_until '^ +20  chan receive +consumer +consumer at parked.c:18$'
    kill -9 "$pid"
    "$gort" build -o parked parked.c
    strip parked
    start ./parked
    top_until '^ +20  chan receive +parked\+0x[0-9a-f]+ +parked\+0x[0-9a-f]+ at parked.c:18$'
}

test_top_in_a_pipe_is_plain_text_and_ends_after_its_count() {
    need_top
    cat >busy.c <<'END'
#include <gort.h>
int main(void)
{
    go_sleep(GO_MS);
    for (;;) {
        go_yield();
    }
}
END
    "$gort" build -o busy busy.c
    start ./busy
    top_until ' goroutine 1 main$'
    "$gort" top -b -n 3 -d 0.05 "$pid" | cat >out.txt
    out=$(cat out.txt)
    [ "$(grep -c '^gort top: process ' out.txt)" = 3 ] || complain "wanted three pictures"
    ! grep -q "$(printf '\033')" out.txt || complain "wanted no escapes"
    # It goes on meanwhile, and shows it: when it was let.
    while in_time && ! grep -qE '^[1-9][0-9]*/s switches, ' out.txt; do
        "$gort" top -b -n 3 -d 0.05 "$pid" >out.txt
    done
    grep -qE '^[1-9][0-9]*/s switches, ' out.txt || complain "wanted switches"
}

test_top_says_when_the_process_has_ended() {
    need_top
    parked_program
    "$gort" build -o parked parked.c
    start ./parked
    top_until 'chan receive'
    "$gort" top -d 0.05 "$pid" >watched.txt 2>err.txt &
    watcher=$!
    while ! grep -qs 'chan receive' watched.txt; do # of its own, not of a picture before
        kill -0 "$watcher"
    done
    kill -9 "$pid"
    wait "$watcher"
    err=$(cat err.txt)
    want_err "gort top: process $pid (parked) has ended"
    wait "$pid" || true
    run "$gort" top "$pid"
    want_status 1
    want_err "gort top: there is no process $pid"
}

test_top_says_why_it_cannot_look() {
    need_top
    start sleep 600
    run "$gort" top "$pid"
    want_status 1
    want_err "gort top: there is no libgort in process $pid (sleep)"
    want_out ""
    kill -9 "$pid"
    cat >idle.c <<'END'
#include <gort.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    (void)argv;
    while (argc == 1) {
        sleep(600);
    }
    go_yield();
}
END
    "$gort" build -o idle idle.c
    start ./idle
    while in_time; do # until the dynamic linker is done
        run "$gort" top "$pid"
        ! grep -q "not called libgort yet" <<<"$err" || break
    done
    want_status 1
    want_err "gort top: process $pid (idle) has not called libgort yet"
    kill -9 "$pid"
    # A child that nobody waits for. (A shell might.)
    cat >careless.c <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void)
{
    int child = fork();
    if (child == 0) {
        _exit(0);
    }
    printf("%d\n", child);
    fflush(stdout);
    sleep(600);
}
END
    $CC -o careless careless.c
    start ./careless
    while in_time; do
        [ ! -s started.out ] || run "$gort" top "$(cat started.out)"
        ! grep -q "has ended" <<<"$err" || break
    done
    want_status 1
    want_err_has "has ended"
}

test_top_refuses_another_version() {
    need_top
    cat >other.c <<'END'
#include <unistd.h>
struct { char magic[16]; unsigned version, rest[200]; } top = {"!gort-top-magic", 4711, {0}};
int main(void)
{
    top.rest[0] = 1;
    for (;;) {
        sleep(600);
    }
}
END
    $CC -o other other.c
    start ./other
    while in_time; do
        run "$gort" top "$pid"
        ! grep -q "another version" <<<"$err" || break
    done
    want_status 1
    want_err_has "process $pid (other) was built with another version of Gort than this gort top"
}

test_top_takes_the_rights_of_a_debugger() {
    need_top
    [ "$(id -u)" = 0 ] || skip "not root"
    need_program setpriv
    start sleep 600
    cp "$GORT_BUILD/libexec/gort/gort-top" "$top/gort-top"
    chmod 755 "$top" "$top/gort-top"
    run setpriv --reuid=65534 --regid=65534 --clear-groups "$top/gort-top" "$pid"
    rm "$top/gort-top"
    want_status 1
    want_err_has "not allowed to look into process $pid (sleep)"
}

test_top_refuses_bad_arguments_with_status_2() {
    need_top
    for arguments in "" "x" "1 2" "0" "-1" "-d" "-d x 1" "-n 0 1" "-l" "--what 1"; do
        # shellcheck disable=SC2086
        run "$gort" top $arguments
        want_status 2
        want_err_has "usage: gort top"
        want_out ""
    done
    run "$gort" top --help
    want_status 0
    want_out_has "usage: gort top"
}
