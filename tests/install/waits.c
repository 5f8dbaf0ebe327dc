/* SPDX-License-Identifier: MIT */
/* Four goroutines that wait, for a debugger to look at: alive, or in the core file they left. */
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <string.h>

__attribute__((noinline)) static void consumes(chan(int) jobs, int depth)
{
    volatile int here = depth * 7;
    if (depth > 0) {
        consumes(jobs, depth - 1);
    } else {
        (void)chan_recv(jobs);
    }
    here++;
}

int main(int argc, char **argv)
{
    chan(int) jobs = chan_make(int);
    go_maxprocs(1);
    for (int i = 0; i < 3; i++) {
        go(consumes, jobs, i);
    }
    go_with(GO_OPTS(.name = "the deep one"), consumes, jobs, 5);
    go_sleep(20 * GO_MS);
    raise(argc > 1 && strcmp(argv[1], "core") == 0 ? SIGABRT : SIGTRAP);
}
