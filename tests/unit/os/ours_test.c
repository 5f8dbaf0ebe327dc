/* SPDX-License-Identifier: MIT */
/* Which threads the runtime has started is known by their numbers, with where their stacks lie. */
#include "base/atomic.h"
#include "harness.h"
#include "os/inspect.h"
#include "os/os.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>

enum { STACK = 128 << 10, MANY = 8, ROUNDS = 20 };

static goi_a32 began, may_end;
static goi_a32 tid_of[MANY], right;

/* A thread's own: it is on the list, and its stack is the one it stands on. */
static void *looks_at_itself(void *arg)
{
    uintptr_t lo = 0;
    uintptr_t hi = 0;
    uintptr_t here = (uintptr_t)&lo;
    goi_a32 *place = arg;
    st_rlx(place, (uint32_t)gop_thread_id());
    bool ok = gop_thread_is_ours(gop_thread_id()) &&
              gop_thread_stack_ours(gop_thread_id(), &lo, &hi) && here > lo && here < hi &&
              hi - lo <= 2 * STACK;
    add_rlx(&right, ok);
    add_acqrel(&began, 1); /* the test's own */
    gop_futex_wake(&began, 1);
    while (ld_acq(&may_end) == 0) { /* the test's own */
        gop_futex_wait(&may_end, 0, GOI_FOREVER);
    }
    return NULL;
}

static void await_end(int tid)
{
    while (gop_thread_is_ours(tid)) { /* ends: it has been let go */
        gop_thread_yield();
    }
}

TEST(ours, a_thread_is_while_its_entry_runs)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        st_rlx(&began, 0);
        st_rlx(&may_end, 0);
        st_rlx(&right, 0);
        for (int i = 0; i < MANY; i++) {
            REQUIRE(gop_thread_start(looks_at_itself, &tid_of[i], STACK) == 0);
        }
        for (uint32_t n = ld_acq(&began); n < MANY; n = ld_acq(&began)) { /* the test's own */
            gop_futex_wait(&began, n, GOI_FOREVER);
        }
        EXPECT_EQ_UINT(ld_rlx(&right), MANY);
        uintptr_t lo[MANY];
        uintptr_t hi[MANY];
        for (int i = 0; i < MANY; i++) {
            REQUIRE(gop_thread_stack_ours((int)ld_rlx(&tid_of[i]), &lo[i], &hi[i]));
            for (int k = 0; k < i; k++) {
                EXPECT(hi[k] <= lo[i] || hi[i] <= lo[k]);
            }
        }
        st_rel(&may_end, 1); /* the test's own */
        gop_futex_wake(&may_end, INT32_MAX);
        for (int i = 0; i < MANY; i++) {
            await_end((int)ld_rlx(&tid_of[i]));
        }
    }
}

static void *named(void *is)
{
    prctl(PR_SET_NAME, "gort-sysmon");
    *(bool *)is = gop_thread_is_ours(gop_thread_id());
    return NULL;
}

TEST(ours, a_thread_of_the_program_is_not_by_its_name)
{
    pthread_t thread;
    bool is = true;
    uintptr_t lo;
    uintptr_t hi;
    REQUIRE(pthread_create(&thread, NULL, named, &is) == 0);
    pthread_join(thread, NULL);
    EXPECT(!is);
    EXPECT(!gop_thread_is_ours(gop_thread_id()));
    EXPECT(!gop_thread_is_ours(0) && !gop_thread_stack_ours(0, &lo, &hi));
}
