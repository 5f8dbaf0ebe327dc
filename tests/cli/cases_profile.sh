# SPDX-License-Identifier: MIT
# gort profile. Sourced by run.sh. Proportions are those of work that is counted, not of time, so
# that they hold on a busy machine.

need_profile() {
    need_real
    [ -x "$GORT_BUILD/libexec/gort/gort-profile" ] || skip "there is no gort-profile"
    case $(file -b "$GORT_BUILD/bin/gort" 2>/dev/null) in
    *x86-64*) [ "$(uname -m)" = x86_64 ] || skip "an emulator has its own addresses" ;;
    *aarch64*) [ "$(uname -m)" = aarch64 ] || skip "an emulator has its own addresses" ;;
    esac
    [ "$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo 9)" -le 2 ] ||
        [ "$(id -u)" = 0 ] || skip "this user may not sample"
}

# sampled: after a run, when the kernel refused: a container may, whatever the file says.
sampled() {
    if grep -qE 'does not let this user sample|has no perf events' <<<"$err"; then
        skip "$err"
    fi
}

# busy.c: two goroutines that compute, one four times as much, each with a label; they start many
# that end at once.
busy_program() {
    cat >busy.c <<'END'
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>
__attribute__((noinline)) unsigned long spin(unsigned long n)
{
    for (int i = 0; i < 1000000; i++) {
        n = n * 6364136223846793005 + 1;
    }
    __asm__ volatile("" ::: "memory");
    return n;
}
static unsigned long sum;
static void brief(void)
{
    sum += spin(sum);
}
static void worker(const char *kind, int rounds, go_waitgroup *wg)
{
    go_set_name(kind);
    go_set_label("kind", kind);
    for (int i = 0; i < rounds; i++) {
        sum += spin((unsigned long)i);
    }
    for (int i = 0; i < 10; i++) {
        go(brief);
    }
    go_yield();
    wg_done(wg);
}
int main(int argc, char **argv)
{
    go_waitgroup wg = {0};
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    wg_add(&wg, 2);
    go(worker, "heavy", 4 * rounds, &wg);
    go(worker, "light", rounds, &wg);
    wg_wait(&wg);
    return 5;
}
END
    "$GORT_BUILD/bin/gort" build -o busy busy.c || skip "nothing can be linked here"
}

# count TITLE: samples in busy.txt of goroutines of that name.
count() { grep -c "^$1 [0-9]* [0-9.]*: [0-9]* cpu-clock:\$" busy.txt || true; }

test_real_profile_of_a_program_has_goroutines_and_labels() {
    need_profile
    busy_program
    run "$gort" profile -F 997 -o busy.pb.gz -s busy.txt ./busy
    sampled
    want_status 5
    want_err_has " samples in "
    gzip -t busy.pb.gz
    gzip -dc busy.pb.gz >busy.pb
    for word in goroutine kind heavy light created_by created_at busy.c: worker spin nanoseconds; do
        grep -q -a "$word" busy.pb || complain "no $word in the profile"
    done
    heavy=$(count heavy)
    light=$(count light)
    [ "$light" -ge 5 ] || complain "$light samples of light, $heavy of heavy"
    [ "$heavy" -gt $((2 * light)) ] && [ "$heavy" -lt $((8 * light)) ] ||
        complain "$light samples of light, $heavy of heavy"
    # The outermost function of each of their stacks is the goroutine's.
    awk '/^(heavy|light) / { inside = 1; next }
         inside && $2 != "" { last = $2 }
         inside && /^$/ { if (last != "worker") { exit 1 } inside = 0 }' busy.txt ||
        complain "a stack does not begin with worker"
}

test_real_profile_of_a_process_and_its_end() {
    need_profile
    busy_program
    GOMAXPROCS=1 ./busy 100000 &
    pid=$!
    trap 'kill -9 "$pid" 2>/dev/null || true' EXIT
    run true
    while in_time; do
        run "$gort" profile -d 0.3 -F 500 -o busy.pb.gz -s busy.txt "$pid"
        sampled
        [ "$status" != 1 ] || continue # it has only begun
        [ "$status" != 0 ] || [ "$(count heavy)$(count light)" != 00 ] || continue # it did not run
        break
    done
    want_status 0
    kill -0 "$pid" || complain "the program has ended"
    [ "$(count heavy)" -ge 1 ] || [ "$(count light)" -ge 1 ] || complain "$(head busy.txt)"
}

test_real_profile_says_what_it_cannot_do() {
    need_profile
    run "$gort" profile
    want_status 2
    run "$gort" profile -d x 1
    want_status 2
    run "$gort" profile 4194303
    want_status 1
    want_err_has "there is no process 4194303"
    run "$gort" profile /nonexistent/program
    want_status 127
    run "$gort" profile true
    want_status 0
    want_err_has "true ended before it called libgort"
    busy_program
    run "$gort" profile -o /nonexistent/file ./busy 1
    sampled
    want_status 1
    want_err_has "/nonexistent/file: No such file or directory"
}

# taken: how many samples the last run has had.
taken() { sed -n 's/^gort profile: \([0-9]*\) samples in .*/\1/p' <<<"$err" | grep . || echo 0; }

# On a machine that is busy with other things samples may be lost at any rate: once, none is.
test_real_profile_loses_nothing_at_its_highest_rate() {
    need_profile
    [ "$(cat /proc/sys/kernel/perf_event_max_sample_rate)" -ge 10000 ] ||
        skip "the kernel has no such rate"
    busy_program
    GOMAXPROCS=1 ./busy 100000 &
    pid=$!
    trap 'kill -9 "$pid" 2>/dev/null || true' EXIT
    many=no
    for _ in $(seq 20); do
        run "$gort" profile -d 0.3 -F 10000 -o busy.pb.gz "$pid"
        sampled
        if [ "$(taken)" -ge 1000 ]; then
            many=yes
            grep -q ' samples were lost' <<<"$err" || return 0
        fi
    done
    [ "$many" = yes ] || skip "the machine is too busy"
    complain "$err"
}

# The clock that says what time it is may be set meanwhile.
test_real_profile_takes_as_long_as_it_is_told_to() {
    need_profile
    cat >jumps.c <<'END'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t which, struct timespec *t)
{
    static int n;
    long r = syscall(SYS_clock_gettime, which, t);
    if (which == CLOCK_REALTIME) {
        t->tv_sec += 3600 * n++;
    }
    return (int)r;
}
END
    $CC -shared -fPIC -o jumps.so jumps.c || skip "nothing can be linked here"
    busy_program
    GOMAXPROCS=1 ./busy 100000 &
    pid=$!
    trap 'kill -9 "$pid" 2>/dev/null || true' EXIT
    for _ in $(seq 100); do
        run env LD_PRELOAD="$PWD/jumps.so" "$gort" profile -d 0.3 -o busy.pb.gz "$pid"
        [ "$status" = 1 ] || break # it has only begun
    done
    sampled
    want_status 0
    grep -qE ' samples in [0-9]?[0-9]\.[0-9] s' <<<"$err" || complain "$err"
}
