/* SPDX-License-Identifier: MIT */
/* Four goroutines that wait, for a debugger to look at: alive, or in the core file they left. */
#define _GNU_SOURCE /* memfd_create */
#include <gort.h>
#include <gort/short.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* How many wait, as the program's own metrics say. */
static int waiting(void)
{
    static char text[1 << 16];
    static const char name[] = "\ngo_sched_goroutines_waiting_goroutines ";
    int fd = memfd_create("metrics", MFD_CLOEXEC);
    ssize_t n = -1;
    if (go_metrics_write(fd, GO_METRICS_PROMETHEUS) == 0) {
        n = pread(fd, text, sizeof text - 1, 0);
    }
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, name);
    return at != NULL ? atoi(at + strlen(name)) : -1;
}

int main(int argc, char **argv)
{
    chan(int) jobs = chan_make(int);
    go_maxprocs(1);
    for (int i = 0; i < 3; i++) {
        go(consumes, jobs, i);
    }
    go_with(GO_OPTS(.name = "the deep one"), consumes, jobs, 5);
    while (waiting() != 4) {
        go_sleep(GO_MS);
    }
    raise(argc > 1 && strcmp(argv[1], "core") == 0 ? SIGABRT : SIGTRAP);
}
