/* SPDX-License-Identifier: MIT */
/* leak.c: what a test left behind.
 *
 * Descriptors: a set of numbers before and after. The runtime opens its own as it needs them, all
 * of them anonymous inodes (epoll, eventfd, userfaultfd), and those do not count. Its threads read
 * files (names for a report, what threads there are) and close them: so each has two seconds.
 *
 * Goroutines: go_count() must come down to the caller alone. A goroutine that has done its last
 * visible act still needs a moment to be gone, so the count may take up to two seconds to settle;
 * this waits for an end that is certain, and does not order anything. The function is referenced
 * weakly: a test of one structure links no scheduler. A process of one thread never started one.
 *
 * Threads: only where asked, and only those that neither stood there before nor carry the
 * runtime's name.
 */
#include "internal.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 1024 };

extern int go_count(void) __attribute__((weak));

static int checks = TEST_LEAK_FDS | TEST_LEAK_GOROUTINES;
static bool open_before[FDS_MAX];

void test_allow_leaks(int what)
{
    checks &= ~what;
    test_shared->leaves |= (what & TEST_LEAK_GOROUTINES) != 0;
}

void test_forbid_leaks(int what)
{
    checks |= what;
}

/* Calls fn with every entry of a directory of numbers. */
static void for_each_number(const char *path, void (*fn)(int n, void *arg), void *arg)
{
    DIR *d = opendir(path);
    if (d == NULL) {
        return;
    }
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9') {
            int n = atoi(e->d_name);
            if (n != dirfd(d)) {
                fn(n, arg);
            }
        }
    }
    closedir(d);
}

static void remember_fd(int fd, void *arg)
{
    (void)arg;
    if (fd < FDS_MAX) {
        open_before[fd] = true;
    }
}

static bool is_leaked(int fd, char *target, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, room - 1);
    if (n < 0) {
        return false;
    }
    target[n] = '\0';
    return strncmp(target, "anon_inode:", 11) != 0;
}

static void check_fd(int fd, void *arg)
{
    const struct timespec pause = {0, 1000000};
    char target[256];
    (void)arg;
    bool leaked = fd < FDS_MAX && !open_before[fd];
    for (int i = 0; i < 2000 * test_options.scale && leaked; i++) {
        leaked = is_leaked(fd, target, sizeof target);
        if (leaked) {
            nanosleep(&pause, NULL);
        }
    }
    if (leaked) {
        FAIL("leaked descriptor %d: %s", fd, target);
    }
}

static void count_number(int n, void *arg)
{
    (void)n;
    ++*(int *)arg;
}

static int thread_count(void)
{
    int count = 0;
    for_each_number("/proc/self/task", count_number, &count);
    return count;
}

static void check_thread(int tid, void *arg)
{
    char path[64];
    char name[64] = "";
    (void)arg;
    if (tid == getpid()) {
        return;
    }
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    name[n > 0 ? n - 1 : 0] = '\0';
    if (strncmp(name, "gort", 4) != 0) {
        FAIL("leaked thread %d (%s)", tid, name);
    }
}

static void check_goroutines(void)
{
    const struct timespec pause = {0, 1000000};
    if (go_count == NULL || thread_count() < 2) {
        return;
    }
    int count = go_count();
    for (int i = 0; i < 2000 * test_options.scale && count > 1; i++) {
        nanosleep(&pause, NULL);
        count = go_count();
    }
    if (count > 1) {
        FAIL("leaked goroutines: %d more than the test itself", count - 1);
    }
}

void test_leak_begin(void)
{
    for_each_number("/proc/self/fd", remember_fd, NULL);
}

void test_leak_end(void)
{
    if ((checks & TEST_LEAK_GOROUTINES) != 0) {
        check_goroutines();
    }
    if ((checks & TEST_LEAK_THREADS) != 0) {
        for_each_number("/proc/self/task", check_thread, NULL);
    }
    if ((checks & TEST_LEAK_FDS) != 0) {
        for_each_number("/proc/self/fd", check_fd, NULL);
    }
}
