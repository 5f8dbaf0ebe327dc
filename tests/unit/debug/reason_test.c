/* SPDX-License-Identifier: MIT */
/* What a goroutine waits for, in Go's words. */
#include "harness.h"
#include "sched/gstate.h"
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* go1.27 runtime2.go, waitReasonStrings: those that are no business of a collector, a tracer or a
 * debugger. */
static const char *const go_words[] = {
    "IO wait",
    "chan receive (nil chan)",
    "chan send (nil chan)",
    "panicwait",
    "select",
    "select (no cases)",
    "chan receive",
    "chan send",
    "semacquire",
    "sleep",
    "sync.Cond.Wait",
    "sync.Mutex.Lock",
    "sync.RWMutex.RLock",
    "sync.RWMutex.Lock",
    "sync.WaitGroup.Wait",
    "coroutine",
    "synctest.Run",
    "synctest.Wait",
    "chan receive (durable)",
    "chan send (durable)",
    "select (durable)",
    "sync.WaitGroup.Wait (durable)",
};

static bool is_word_of_go(const char *s)
{
    for (size_t i = 0; i < sizeof go_words / sizeof *go_words; i++) {
        if (strcmp(go_words[i], s) == 0) {
            return true;
        }
    }
    return false;
}

TEST(reason, all_are_gos_words)
{
    EXPECT_EQ_STR(goi_reason_name(GOI_WAIT_NONE), "waiting"); /* what Go prints without a reason */
    for (int r = GOI_WAIT_NONE + 1; r < GOI_WAIT_REASONS; r++) {
        const char *name = goi_reason_name((enum wait_reason)r);
        if (!is_word_of_go(name)) {
            FAIL("\"%s\" is not in Go's list", name);
        }
        for (int other = GOI_WAIT_NONE + 1; other < r; other++) {
            EXPECT(strcmp(goi_reason_name((enum wait_reason)other), name) != 0);
        }
    }
}

/* --- and each is the one that is shown (channels and locks: death/deadlock_test.c, sleep:
 * death/signal_test.c) */

static void yield_until_dump_contains(const char *part)
{
    for (bool found = false; !found;) {
        char text[8192];
        int fd = memfd_create("dump", MFD_CLOEXEC);
        REQUIRE(fd >= 0);
        go_dump(fd);
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        close(fd);
        found = strstr(text, part) != NULL;
        go_yield();
    }
}

static void acquires(go_sem *s, go_waitgroup *wg)
{
    EXPECT_EQ_INT(go_sem_acquire(ctx_background(), s, 1), 0);
    go_sem_release(s, 1);
    wg_done(wg);
}
static void waits_for_input(int fd, go_waitgroup *wg)
{
    EXPECT_EQ_INT(go_fd_wait(fd, GO_READ, GO_FOREVER), GO_READ);
    wg_done(wg);
}
TEST(reason, of_semaphores_and_descriptors)
{
    go_sem s = {.size = 1};
    go_waitgroup wg = {0};
    int fd[2];
    REQUIRE(pipe(fd) == 0);
    REQUIRE(go_sem_try_acquire(&s, 1));
    wg_add(&wg, 2);
    go(acquires, &s, &wg);
    go(waits_for_input, fd[0], &wg);
    yield_until_dump_contains("[semacquire]:");
    yield_until_dump_contains("[IO wait]:");
    go_sem_release(&s, 1);
    REQUIRE(write(fd[1], "x", 1) == 1);
    wg_wait(&wg);
    close(fd[0]);
    close(fd[1]);
}
