/* SPDX-License-Identifier: MIT */
/* go_blocking gives its P away itself; nobody has to find out that it sits in the kernel. */
#include "harness.h"
#include "sched/sched.h"
#include <gort.h>
#include <gort/short.h>
#include <unistd.h>

/* How often a P had to be taken from a goroutine that did not give it. */
static uint64_t taken(void)
{
    uint64_t n = 0;
    for (int i = 0; i < goi_procs_made(); i++) {
        n += ld_rlx(&goi_sched.procs[i]->handoffs);
    }
    return n;
}

static void block(int fd, bool hint)
{
    char b;
    if (hint) {
        go_blocking { (void)!read(fd, &b, 1); }
    } else {
        (void)!read(fd, &b, 1);
    }
}

/* How many Ps were taken until we ran again beside one that blocks. */
static uint64_t taken_beside(bool hint)
{
    int fd[2];
    REQUIRE(pipe(fd) == 0);
    uint64_t before = taken();
    go(block, fd[0], hint);
    go_yield();
    uint64_t n = taken() - before;
    REQUIRE(write(fd[1], "x", 1) == 1);
    while (go_count() > 1) {
        go_yield();
    }
    close(fd[0]);
    close(fd[1]);
    return n;
}

TEST(block, hint_gives_the_p_away_at_once)
{
    uint64_t least = UINT64_MAX;
    go_maxprocs(1);
    for (int i = 0; i < 10; i++) { /* a thread that stands still loses its P as well */
        uint64_t n = taken_beside(true);
        least = n < least ? n : least;
    }
    EXPECT_EQ_UINT(least, 0);
    EXPECT(taken_beside(false) > 0);
}
