# SPDX-License-Identifier: MIT
# The command in the build tree, with the real library. Sourced by run.sh.

# goroutines.c: squares, by goroutines over a channel.
goroutine_program() {
    cat >goroutines.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
static void square(chan(int) out, int n)
{
    chan_send(out, n * n);
}
int main(void)
{
    int sum = 0;
    chan(int) c = chan_make(int);
    for (int i = 1; i <= 10; i++) {
        go(square, c, i);
    }
    for (int i = 1; i <= 10; i++) {
        sum += chan_recv(c);
    }
    printf("%d\n", sum);
    return 0;
}
END
}

test_real_program_with_goroutines_runs_from_the_build_tree() {
    need_real
    goroutine_program
    for again in 1 2; do
        run "$gort" run goroutines.c
        want_status 0
        want_err ""
        want_out 385
    done
    run "$gort" run -dynamic goroutines.c
    want_out 385
    $CC $("$gort" env --cflags) goroutines.c $("$gort" env --libs) -o by-hand
    [ "$(./by-hand)" = 385 ]
}

test_real_version_is_that_of_base_h() {
    need_real
    want=$(sed -n 's/^#define GO_VERSION "\(.*\)"/\1/p' "$GORT_SOURCE/include/gort/base.h")
    run "$gort" version
    want_out "gort version $want linux/$(uname -m)"
}

test_real_program_runs_with_clang_and_anonymous_goroutines() {
    need_real
    need_program clang
    cat >anonymous.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
int main(void)
{
    chan(int) c = chan_make(int, 1);
    int n = 20;
    go_do(c, n) {
        chan_send(c, n + 1);
    };
    printf("%d\n", chan_recv(c));
    return 0;
}
END
    run env CC=clang "$gort" run anonymous.c
    want_status 0
    want_out 21
    run env CC=gcc "$gort" run anonymous.c
    want_status 0
    want_out 21
}

test_real_cxx_program_runs() {
    need_real
    cat >squares.cc <<'END'
#include <gort.h>
#include <gort/short.h>
#include <iostream>
static void square(chan(int) out, int n)
{
    chan_send(out, n * n);
}
int main()
{
    chan(int) c = chan_make(int);
    go(square, c, 9);
    std::cout << chan_recv(c) << std::endl;
}
END
    run "$gort" run squares.cc
    want_status 0
    want_out 81
}

test_real_deadlock_has_status_2() {
    need_real
    cat >deadlock.c <<'END'
#include <gort.h>
#include <gort/short.h>
int main(void)
{
    chan(int) c = chan_make(int);
    return chan_recv(c);
}
END
    run "$gort" run deadlock.c
    want_status 2
    want_err_has "fatal error: all goroutines are asleep - deadlock!"
}

test_real_programs_run_under_the_sanitizers() {
    need_real
    need_flag -fsanitize=thread
    goroutine_program
    run "$gort" run -race goroutines.c
    want_status 0
    want_out 385
    want_err ""
    run "$gort" run -asan goroutines.c
    want_status 0
    want_out 385
    want_err ""
}

test_real_program_runs_under_valgrind() {
    need_real
    need_program valgrind
    goroutine_program
    run "$gort" run -valgrind goroutines.c
    want_status 0
    want_out 385
    want_err ""
}

test_real_doctor_finds_nothing_required_missing() {
    need_real
    run "$gort" doctor
    want_status 0
    want_out_has "ok       trial"
}
