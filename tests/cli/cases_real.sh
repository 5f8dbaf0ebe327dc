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

# unlisted.c: `secret` is not listed.
unlisted_program() {
    cat >unlisted.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    chan(int) c = chan_make(int, 1);
    int secret = argc + 41;
    (void)argv;
    go_do(c) { chan_send(c, secret); };
    printf("%d\n", chan_recv(c));
}
END
    sed 's/go_do(c)/go_do(c, secret)/' unlisted.c >listed.c
}

test_real_variable_that_a_go_do_does_not_list_does_not_compile_at_any_level() {
    need_real
    unlisted_program
    for compiler in gcc clang; do
        command -v $compiler >/dev/null || continue
        for level in 0 1 2 g; do
            run env CC=$compiler "$gort" run -O $level unlisted.c
            want_status 1
            want_out ""
            want_err_has "go_do_uses_a_variable_that_it_does_not_list"
            run env CC=$compiler "$gort" run -O $level listed.c
            want_status 0
            want_out 42
            want_err ""
        done
    done
    want_no_builds_left
}

test_real_plain_gcc_without_optimisation_names_the_fault_when_it_happens() {
    need_real
    need_program gcc
    [ "$(uname -m)" = x86_64 ] || skip "only x86-64 has a register for it"
    unlisted_program
    gcc -O0 $("$gort" env --cflags) unlisted.c $("$gort" env --libs) -o unlisted
    run ./unlisted
    want_err_has "fatal error: a go_do uses a variable that it does not list"
    want_err_has "go_do(...)"
    [ "$status" -gt 128 ] || complain "wanted a signal"
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

# Many goroutines, one after the other on the same stacks, ordered by a mutex and a channel alone.
test_real_race_detector_is_silent_about_correct_programs() {
    need_real
    need_flag -fsanitize=thread
    cat >ordered.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
static go_mutex mu;
static int sum;
static void add(chan(int) c, int n)
{
    for (int i = 0; i < 100; i++) {
        with_lock(&mu) { sum++; }
    }
    chan_send(c, n);
}
int main(void)
{
    chan(int) c = chan_make(int, 10);
    int got = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++) {
            go(add, c, 1);
        }
        for (int i = 0; i < 20; i++) {
            got += chan_recv(c);
        }
    }
    guard(&mu);
    printf("%d %d\n", got, sum);
}
END
    run "$gort" run -race ordered.c
    want_err ""
    want_status 0
    want_out "200 20000"
}

# errno and the tables of <ctype.h> are thread-local, and goroutines share threads.
test_real_race_detector_knows_that_threads_are_shared() {
    need_real
    need_flag -fsanitize=thread
    cat >shared.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
static void work(const char *s, send_chan(int) out)
{
    int letters = 0;
    errno = 0;
    for (const char *p = s; *p != '\0'; p++) {
        letters += isupper(toupper((unsigned char)*p)) != 0;
    }
    int fd = open("/nowhere/at/all", O_RDONLY);
    chan_send(out, fd < 0 && errno == ENOENT ? letters : 0);
    errno = 0;
}
int main(void)
{
    chan(int) out = chan_make(int);
    int sum = 0;
    for (int i = 0; i < 200; i++) {
        go(work, "hello", out);
    }
    for (int i = 0; i < 200; i++) {
        sum += chan_recv(out);
    }
    printf("%d\n", sum);
}
END
    run "$gort" run -race shared.c
    want_err ""
    want_status 0
    want_out 1000
}

test_real_race_detector_is_silent_about_maps() {
    need_real
    need_flag -fsanitize=thread
    cat >maps.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
static go_map words, numbers;
static int values[50];
static void work(unsigned seed)
{
    char key[20];
    for (int i = 0; i < 1000; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned k = (seed >> 16) % 500;
        void *v = NULL;
        snprintf(key, sizeof key, "key %u", k);
        switch ((seed >> 8) % 4) {
        case 0:
            map_store(&words, key, &values[k % 50]);
            map_store(&numbers, k, &values[k % 50]);
            break;
        case 1:
            map_delete(&words, key);
            map_delete(&numbers, k);
            break;
        case 2:
            map_load_or_store(&words, key, &values[1], &v);
            break;
        default:
            map_load(&words, key, &v);
            map_load(&numbers, k, &v);
            break;
        }
    }
}
int main(void)
{
    go_waitgroup wg = {0};
    map_init(&words, GO_MAP_STRING);
    for (unsigned i = 0; i < 20; i++) {
        wg_go(&wg, work, i);
    }
    wg_wait(&wg);
    map_free(&words);
    map_free(&numbers);
}
END
    run "$gort" run -race maps.c
    want_err ""
    want_status 0
}

test_real_leaks_are_what_nobody_holds() {
    need_real
    need_flag -fsanitize=address
    cat >kept.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void waits(chan(int) c, char *text)
{
    chan_send(c, text[0]);
    chan_send(c, text[1]);
    free(text);
}
static void reads(int fd, chan(int) c)
{
    char *buf = malloc(50);
    chan_send(c, 1);
    if (read(fd, buf, 50) > 0) {
        chan_send(c, 2);
    }
    free(buf);
}
static void lose(int n)
{
    volatile char *lost = malloc((size_t)n);
    lost[0] = 1;
}
int main(int argc, char **argv)
{
    int fd[2];
    chan(int) c = chan_make(int);
    go_waitgroup wg = {0};
    if (pipe(fd) != 0) {
        return 1;
    }
    go(waits, c, strdup("text"));
    chan_recv(c);
    go(reads, fd[0], c);
    chan_recv(c);
    if (argc > 1) {
        wg_go(&wg, lose, atoi(argv[1]));
        wg_wait(&wg);
    }
    go(free, malloc(33)); /* never runs, as main returns */
}
END
    run "$gort" run -asan kept.c
    want_err ""
    want_status 0
    run "$gort" run -asan kept.c -- 777
    want_status 66
    want_err_has "777 byte(s) leaked in 1 allocation(s)"
    need_program valgrind
    run "$gort" run -valgrind kept.c
    want_err ""
    want_status 0
    run "$gort" run -valgrind kept.c -- 777
    want_status 66
    want_err_has "777 bytes in 1 blocks are definitely lost"
}

test_real_mistakes_are_found_with_status_66() {
    need_real
    cat >race.c <<'END'
#include <gort.h>
#include <gort/short.h>
static int counter;
static void add(void)
{
    counter++;
}
int main(void)
{
    go_waitgroup wg = {0};
    wg_go(&wg, add);
    wg_go(&wg, add);
    wg_wait(&wg);
}
END
    cat >past.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>
static void past(int *p, chan(int) out)
{
    chan_send(out, p[10]);
}
int main(void)
{
    int *p = calloc(10, sizeof *p);
    chan(int) c = chan_make(int);
    go(past, p, c);
    volatile int kept = chan_recv(c);
    (void)kept;
    chan_free(c);
    free(p);
}
END
    need_flag -fsanitize=thread
    # On one thread: two accesses at the very same moment may miss each other (docs/RACES.md).
    run env GOMAXPROCS=1 "$gort" run -race race.c
    want_status 66
    want_err_has "data race"
    want_err_has "race.c:6"
    want_err_has "created at race.c:11"
    run "$gort" run -asan past.c
    want_status 66
    want_err_has "heap-buffer-overflow"
    want_err_has "past.c:6"
    need_program valgrind
    run "$gort" run -valgrind past.c
    want_status 66
    want_err_has "Invalid read of size 4"
    want_err_has "past.c:6"
}

test_real_quit_is_answered_also_where_it_was_ignored_at_the_start() {
    need_real
    cat >waits.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    if (argc > 1) {
        signal(SIGQUIT, SIG_IGN); /* its own wish */
    }
    go_yield();
    puts(argv[0]);
    fflush(stdout);
    go_sleep(GO_HOUR);
}
END
    "$gort" build waits.c
    mkfifo ready
    for how in inherited wished; do
        if [ $how = inherited ]; then
            (trap '' QUIT && exec ./waits) >ready 2>err.txt &
        else
            (trap - QUIT && exec ./waits x) >ready 2>err.txt &
        fi
        pid=$!
        read -r line <ready
        kill -QUIT $pid
        [ $how = inherited ] || kill -TERM $pid
        status=0
        wait $pid || status=$?
        err=$(cat err.txt)
        if [ $how = inherited ]; then
            want_status 2
            want_err_has "SIGQUIT: quit"
            want_err_has "goroutine 1 [" # asleep, or on its way
        else
            want_status 143
            want_err ""
        fi
    done
}

test_real_end_of_the_program_is_passed_on() {
    need_real
    cat >end.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
static void leave(const char *how)
{
    struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    if (strcmp(how, "panic") == 0) {
        go_panic("too bad");
    }
    if (strcmp(how, "abort") == 0) {
        abort();
    }
    if (strcmp(how, "exit") == 0) {
        exit(7);
    }
    puts("waiting");
    fflush(stdout);
}
int main(int argc, char **argv)
{
    go(leave, argv[argc - 1]);
    for (;;) {
        go_sleep(GO_HOUR);
    }
}
END
    run "$gort" run end.c -- exit
    want_status 7
    run "$gort" run end.c -- panic
    want_status 2
    want_err_has "panic: too bad"
    run "$gort" run end.c -- abort
    want_status $((128 + $(kill -l ABRT)))
    mkfifo words
    for sig in TERM HUP USR1 KILL; do
        "$gort" run end.c -- wait >words &
        child=$!
        read -r word <words
        kill -$sig $child
        status=0
        wait $child || status=$?
        want_status $((128 + $(kill -l $sig)))
    done
}

test_real_compile_errors_are_the_compilers() {
    need_real
    cat >wrong.c <<'END'
#include <gort.h>
#include <gort/short.h>
static void square(int n)
{
    (void)n;
}
int main(void)
{
    go(square, 1, 2);
    return undeclared;
}
END
    run "$gort" run wrong.c
    want_status 1
    want_out ""
    want_err_has "wrong.c:9:"
    want_err_has "wrong.c:10:"
    want_err_has "undeclared"
    want_err_lacks "gort run:"
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
