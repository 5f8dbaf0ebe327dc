/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_once: it runs once, and nobody comes back before it has ended. The mutex
 * is a spin lock here. */
#include "model/sync.h"
#include "model/spin_mutex.h"

static void model_panic(const char *format, ...) { ex_fail("panic: %s", format); }
#define go_panic model_panic

void goi_cleanup_push(struct goi_cleanup *c, void (*run)(struct goi_cleanup *), void *frame)
{
    c->run = run;
    c->frame = frame;
}

enum goi_outcome goi_outcome_of_unwinding(const char **message)
{
    *message = NULL;
    return GOI_EXITED;
}

#include "sync/once.c"

static go_once once;
static goi_a32 built; /* what the one run makes: two words, written one after the other */
static goi_a32 used;
static int runs;

static void setup(void)
{
    model_reset();
    memset(&once, 0, sizeof(once));
    built.v = used.v = 0;
    runs = 0;
}

static void use(void)
{
    struct goi_guard g = {.object = NULL};
    if (goi_once_begin(&g, &once, NULL) != NULL) {
        runs++;
        st_rlx(&built, 1);
        st_rlx(&used, 1);
        g.cleanup.run(&g.cleanup);
    }
    EX_CHECK(ld_rlx(&used) == 1);
    EX_CHECK(ld_rlx(&built) == 1);
}

static void use_twice(void)
{
    use();
    use();
}

static void check(void)
{
    EX_CHECK(runs == 1);
    EX_CHECK(once.state == DONE);
    EX_CHECK(once.mu.state == 0);
}

TEST_LONG(model_once, runs_once_and_is_over_for_everybody, 120)
{
    const struct ex_program p = {.name = "three, one of them twice",
                                 .setup = setup,
                                 .threads = {use_twice, use, use},
                                 .check = check,
                                 .preemptions = 4,
                                 .store_buffers = true};
    EXPECT(ex_explore(&p));
}
