/* SPDX-License-Identifier: MIT */
/* wait.c: the benchmarks of sync.WaitGroup. */
#include "gobench.h"

static void alone_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    struct {
        go_waitgroup wg;
        char pad[128];
    } s = { 0 };
    GOBENCH_EACH(pb) {
        go_wg_add(&s.wg, 1);
        go_wg_done(&s.wg);
        go_wg_wait(&s.wg);
    }
}

static void uncontended(struct gobench *b)
{
    gobench_parallel(b, alone_body, NULL);
}

struct shared {
    go_waitgroup wg;
    long work;
};

static void add_done_body(struct gobench_pb *pb, void *arg)
{
    struct shared *s = arg;
    uint64_t foo = 1;
    GOBENCH_EACH(pb) {
        go_wg_add(&s->wg, 1);
        foo = s->work > 0 ? gobench_work(foo, s->work) : foo;
        go_wg_done(&s->wg);
    }
    if (foo == 0) {
        gobench_fail("waitgroup: work undone");
    }
}

static void add_done(struct gobench *b)
{
    struct shared s = { .work = b->arg[0] };
    gobench_parallel(b, add_done_body, &s);
}

static void wait_body(struct gobench_pb *pb, void *arg)
{
    struct shared *s = arg;
    uint64_t foo = 1;
    GOBENCH_EACH(pb) {
        go_wg_wait(&s->wg);
        foo = s->work > 0 ? gobench_work(foo, s->work) : foo;
    }
    if (foo == 0) {
        gobench_fail("waitgroup: work undone");
    }
}

static void wait(struct gobench *b)
{
    struct shared s = { .work = b->arg[0] };
    gobench_parallel(b, wait_body, &s);
}

static void end(go_waitgroup *wg)
{
    go_wg_done(wg);
}

static void actually_wait_body(struct gobench_pb *pb, void *arg)
{
    (void)arg;
    GOBENCH_EACH(pb) {
        go_waitgroup wg = { 0 };
        go_wg_add(&wg, 1);
        go_spawn(end, &wg);
        go_wg_wait(&wg);
    }
}

static void actually_wait(struct gobench *b)
{
    gobench_parallel(b, actually_wait_body, NULL);
}

const struct gobench_row gobench_wait[] = {
    { "WaitGroupUncontended", uncontended, { 0 } },
    { "WaitGroupAddDone", add_done, { 0 } },
    { "WaitGroupAddDoneWork", add_done, { 100 } },
    { "WaitGroupWait", wait, { 0 } },
    { "WaitGroupWaitWork", wait, { 100 } },
    { "WaitGroupActuallyWait", actually_wait, { 0 } },
    { NULL, NULL, { 0 } },
};
