# SPDX-License-Identifier: MIT
# -race, -asan, -valgrind, and gort doctor. Sourced by run.sh.

test_race_ends_with_status_66_after_a_report() {
    use_fake
    need_flag -fsanitize=thread
    cat >race.c <<'END'
#include <pthread.h>
static int shared;
static void *add(void *p)
{
    for (int i = 0; i < 1000; i++) shared++;
    return p;
}
int main(int argc, char **argv)
{
    pthread_t a, b;
    (void)argv;
    pthread_create(&a, 0, add, 0);
    if (argc > 1) {
        pthread_join(a, 0);
    }
    pthread_create(&b, 0, add, 0);
    if (argc == 1) {
        pthread_join(a, 0);
    }
    pthread_join(b, 0);
    return 0;
}
END
    run "$gort" run -race race.c
    want_status 66
    want_err_has "WARNING: ThreadSanitizer: data race"
    want_err_has "race.c:5"
    run "$gort" run -race race.c -- joined
    want_status 0
    want_err ""
    # The user's options count more, and keep the others.
    run env TSAN_OPTIONS=exitcode=5 "$gort" run -race race.c
    want_status 5
    run env TSAN_OPTIONS=report_bugs=0 "$gort" run -race race.c
    want_status 0
    run "$gort" run race.c
    want_status 0
}

test_asan_ends_with_status_66_after_a_report() {
    use_fake
    need_flag -fsanitize=address,undefined
    cat >memory.c <<'END'
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    char *volatile p = malloc(16);
    if (argc > 1 && strcmp(argv[1], "heap") == 0) {
        p[16] = 1;
    }
    if (argc > 1 && strcmp(argv[1], "overflow") == 0) {
        volatile int n = 0x7fffffff;
        n = n + argc;
    }
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        p = 0;
    }
    free(p);
    return 0;
}
END
    run "$gort" run -asan memory.c
    want_status 0
    want_err ""
    run "$gort" run -asan memory.c -- heap
    want_status 66
    want_err_has "heap-buffer-overflow"
    want_err_has "memory.c:7"
    run "$gort" run -asan memory.c -- overflow
    want_status 66
    want_err_has "runtime error: signed integer overflow"
    run "$gort" run -asan memory.c -- leak
    want_status 66
    want_err_has "LeakSanitizer"
    run env ASAN_OPTIONS=detect_leaks=0 "$gort" run -asan memory.c -- leak
    want_status 0
}

test_valgrind_ends_with_status_66_after_a_report() {
    use_fake
    need_program valgrind
    cat >memory.c <<'END'
#include <stdlib.h>
int main(int argc, char **argv)
{
    volatile char *p = malloc(16);
    (void)argv;
    p[argc > 1 ? 16 : 0] = 1;
    free((void *)p);
    return 3;
}
END
    valgrind -q $CC --version >/dev/null 2>&1 || skip "valgrind does not work here"
    run "$gort" run -valgrind memory.c
    want_status 3
    want_err ""
    run "$gort" run -valgrind memory.c -- bad
    want_status 66
    want_err_has "Invalid write of size 1"
    want_err_has "memory.c:6"
    run env VALGRIND_OPTS=--error-exitcode=9 "$gort" run -valgrind memory.c -- bad
    want_status 9
}

test_missing_valgrind_is_named() {
    use_fake
    answer_program
    mkdir empty
    run env PATH="$PWD/empty" "$gort" run -valgrind answer.c
    want_status 1
    want_err_has "apt-get install valgrind"
}

test_build_makes_checking_programs_too() {
    use_fake
    need_flag -fsanitize=thread
    need_program nm
    answer_program
    "$gort" build -race -o checked answer.c
    nm -D checked | grep -q __tsan_func_entry || nm checked | grep -q __tsan_func_entry
    "$gort" build -o plain answer.c
    if nm plain | grep -q __tsan; then
        complain "the plain program is checked"
    fi
    flags=$("$gort" env -race --cflags --libs --static)
    $CC answer.c $flags -o by-hand
    [ "$(./by-hand)" = 42 ]
}

test_doctor_finds_nothing_required_missing() {
    use_fake
    run "$gort" doctor
    want_status 0
    want_err ""
    for line in "C compiler" membarrier "guard pages" userfaultfd "time slices" epoll_pwait2 \
        pidfd "cgroup limit" GOMAXPROCS vm.max_map_count "open files" libbacktrace c-ares \
        libcurl OpenSSL wslay gdb perf valgrind -race -asan; do
        want_out_has " $line "
    done
    want_out_has "ok       GOMAXPROCS        3"
    want_out_has "ok       version           9.8.7"
    want_out_has "Nothing that Gort needs is missing."
    if grep -vE '^  (ok|note|missing) |^[a-z]+$|^Nothing' out.txt; then
        complain "a line of another form"
    fi
    want_no_builds_left
    run env GOMAXPROCS=7 "$gort" doctor
    want_out_has "the environment says 7"
}

test_doctor_fails_without_what_gort_needs() {
    use_fake
    rm fake/lib/libgort.a fake/lib/libgort.so
    run "$gort" doctor
    want_status 1
    want_out_has "FAILED   library"
    want_out_has "Gort cannot work here"
    mkdir empty
    use_fake_again
    run env -u CC -u CXX PATH="$PWD/empty" "$gort" doctor
    want_status 1
    want_out_has "FAILED   C compiler        apt-get install gcc"
    want_out_has "missing  C++ compiler"
    echo '#error broken' >>fake/include/gort.h
    run "$gort" doctor
    want_status 1
    want_out_has "FAILED   trial"
    want_out_has "#error broken"
}

use_fake_again() {
    rm -rf fake
    use_fake
}

test_doctor_knows_compilers_that_are_too_old() {
    use_fake
    printf '#!/bin/sh\necho "gcc (Old) 9.4.0"\n' >old-cc
    chmod +x old-cc
    run env CC="$PWD/old-cc" "$gort" doctor
    want_status 1
    want_out_has "FAILED   C compiler        gcc (Old) 9.4.0 is too old: gcc from 12, clang from"
}
