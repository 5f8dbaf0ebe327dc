/* SPDX-License-Identifier: MIT */
/* os.c (Linux): threads, clock, futex, membarrier. Contracts: os/os.h. */
#include "os/os.h"
#include "base/assert.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t ns_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

int64_t gop_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return ns_of(&t);
}

int gop_thread_clock(void)
{
    clockid_t id;
    if (pthread_getcpuclockid(pthread_self(), &id) != 0) {
        return 0;
    }
    return (int)id;
}

int64_t gop_thread_cpu(int clock)
{
    struct timespec t;
    if (clock == 0 || clock_gettime((clockid_t)clock, &t) != 0) {
        return -1;
    }
    return ns_of(&t);
}

bool gop_thread_blocked(int tid)
{
    char path[48];
    char text[64]; /* "tid (name, at most 15 bytes) S ..." */
    int saved = errno;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
    text[n > 0 ? n : 0] = '\0';
    const char *state = strrchr(text, ')');
    return state == NULL || state[1] == '\0' || state[2] != 'R'; /* no /proc: the clock decides */
}

static bool deaf; /* constant once there are threads */

void gop_sleepers_deaf(void) { deaf = true; }

void gop_sleep_begin(uint64_t *mask)
{
    /* All but faults, abort(), and the two that are libc's own. */
    static const int left[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, 32, 33};
    uint64_t all = ~UINT64_C(0);
    if (GOI_LIKELY(!deaf)) {
        return;
    }
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        all &= ~(UINT64_C(1) << (left[i] - 1));
    }
    int saved = errno;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, mask, sizeof all);
    errno = saved;
    /* What has come until now the tool holds back until a call that it knows. */
    gop_sleep_ns(0);
}

void gop_sleep_end(const uint64_t *mask)
{
    if (GOI_UNLIKELY(deaf)) {
        int saved = errno;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, sizeof *mask);
        errno = saved;
    }
}

int gop_futex_wait(goi_a32 *word, uint32_t expected, int64_t deadline)
{
    struct timespec t;
    uint64_t mask;
    struct timespec *timeout = NULL;
    int saved = errno;
    if (deadline != GOI_FOREVER) {
        t.tv_sec = deadline > 0 ? deadline / 1000000000 : 0;
        t.tv_nsec = deadline > 0 ? deadline % 1000000000 : 0;
        timeout = &t;
    }
    gop_sleep_begin(&mask);
    /* FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, FUTEX_WAIT a relative one. */
    long r = syscall(SYS_futex, &word->v, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, timeout,
                     NULL, FUTEX_BITSET_MATCH_ANY);
    int e = r < 0 ? errno : 0;
    gop_sleep_end(&mask);
    errno = saved;
    return e == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void gop_futex_wake(goi_a32 *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, &word->v, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = saved;
}

int gop_thread_id(void) { return (int)syscall(SYS_gettid); }

void gop_thread_stack(char **lo, char **hi)
{
    pthread_attr_t attr;
    void *base = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &base, &size);
        pthread_attr_destroy(&attr);
    }
    *lo = base;
    *hi = (char *)base + size;
}

void gop_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

void gop_thread_yield(void) { sched_yield(); }

void gop_sleep_ns(int64_t ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    int saved = errno;
    nanosleep(&t, NULL);
    errno = saved;
}

int gop_thread_count(void)
{
    DIR *d = opendir("/proc/self/task");
    int n = 0;
    if (d == NULL) {
        return -errno;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

void gop_timer_slack_small(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0); }

/* The kernel's struct sched_attr, which glibc 2.36 does not declare. */
struct slice_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

bool gop_thread_slice(int tid, int64_t ns)
{
    struct slice_attr a = {.size = sizeof a};
    int saved = errno;
    bool ok = syscall(SYS_sched_getattr, tid, &a, sizeof a, 0) == 0 && a.policy == SCHED_OTHER;
    if (ok) {
        a.size = sizeof a;
        a.runtime = (uint64_t)ns;
        ok = syscall(SYS_sched_setattr, tid, &a, 0) == 0;
    }
    errno = saved;
    return ok;
}

void gop_block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    /* Faults must keep reaching the handler that reports them. */
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

bool gop_membarrier_init(void)
{
    int saved = errno;
    bool ok = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    errno = saved;
    return ok;
}

void gop_membarrier(void)
{
    int saved = errno;
    long r = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    goi_must(r == 0);
    errno = saved;
}

int gop_cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        return n > 0 ? (int)n : 1;
    }
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

uint64_t gop_random_seed(void)
{
    uint64_t seed = 0;
    int saved = errno;
    if (syscall(SYS_getrandom, &seed, sizeof seed, 1 /* GRND_NONBLOCK */) != sizeof seed) {
        seed = (uint64_t)gop_now() * 0x9e3779b97f4a7c15u ^ (uint64_t)getpid();
    }
    errno = saved;
    return seed;
}

bool gop_debugger_attached(void)
{
    char text[512]; /* TracerPid is near the top */
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *line = strstr(text, "\nTracerPid:");
    return line != NULL && atoi(line + 11) != 0;
}
