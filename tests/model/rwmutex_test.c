/* SPDX-License-Identifier: MIT */
/* Every interleaving of go_rwmutex with a few readers and writers: exclusion, no lost wake-up,
 * deadlines on either side, and a last user that frees it. The writers' mutex is a spin lock here;
 * mutex_test.c is about the real one. */
#include "model/sync.h"
#include "model/spin_mutex.h"

#include "sync/rwmutex.c"

/* The header's inline paths with the explorer's atomics. */
static void model_lock(go_rwmutex *m)
{
    uint64_t s = 0;
    if (!cas_acq(goi_word64(&m->state), &s, WRITER)) {
        goi_rwmutex_lock_slow(m);
    }
}

static void model_unlock(go_rwmutex *m)
{
    uint64_t s = WRITER;
    if (!cas_rel(goi_word64(&m->state), &s, 0)) {
        goi_rwmutex_unlock_slow(m);
    }
}

static void model_rlock(go_rwmutex *m)
{
    uint64_t s = 0;
    if (!cas_acq(goi_word64(&m->state), &s, READER) &&
        ((s & 6) != 0 || !cas_acq(goi_word64(&m->state), &s, s + READER))) {
        goi_rwmutex_rlock_slow(m);
    }
}

static void model_runlock(go_rwmutex *m)
{
    uint64_t s = sub_acqrel(goi_word64(&m->state), READER);
    if (s < READER || (s & 4) != 0) {
        goi_rwmutex_runlocked(m, s);
    }
}
#define go_rwmutex_lock model_lock
#define go_rwmutex_unlock model_unlock
#define go_rwmutex_rlock model_rlock
#define go_rwmutex_runlock model_runlock

static go_rwmutex rw;
static int reading, writing, entered, timeouts, refs;
static goi_a32 scratch;

static void setup(void)
{
    model_reset();
    memset(&rw, 0, sizeof(rw));
    reading = writing = entered = timeouts = 0;
    refs = 3;
}

static void idle(void)
{
    EX_CHECK(rw.state == 0);
    EX_CHECK(rw.w.state == 0);
    EX_CHECK(rw.readers == NULL);
    EX_CHECK(rw.writer == NULL);
}

static void all_3(void)
{
    idle();
    EX_CHECK(entered + timeouts == 3);
}

static void inside_reader(void)
{
    EX_CHECK(writing == 0);
    reading++;
    entered++;
    st_rlx(&scratch, 1);
    EX_CHECK(writing == 0);
    reading--;
}

static void inside_writer(void)
{
    EX_CHECK(writing == 0);
    EX_CHECK(reading == 0);
    writing++;
    entered++;
    st_rlx(&scratch, 1);
    EX_CHECK(reading == 0);
    writing--;
}

static void reader(void)
{
    go_rwmutex_rlock(&rw);
    inside_reader();
    go_rwmutex_runlock(&rw);
}

static void writer(void)
{
    go_rwmutex_lock(&rw);
    inside_writer();
    go_rwmutex_unlock(&rw);
}

static void late_reader(void)
{
    if (go_rwmutex_rlock_until(&rw, 1000) == 0) {
        inside_reader();
        go_rwmutex_runlock(&rw);
    } else {
        timeouts++;
    }
}

static void late_writer(void)
{
    if (go_rwmutex_lock_until(&rw, 1000) == 0) {
        inside_writer();
        go_rwmutex_unlock(&rw);
    } else {
        timeouts++;
    }
}

static void trier(void)
{
    if (go_rwmutex_tryrlock(&rw)) {
        inside_reader();
        go_rwmutex_runlock(&rw);
    }
    if (go_rwmutex_trylock(&rw)) {
        inside_writer();
        go_rwmutex_unlock(&rw);
    }
}

static void timer_of_0(void) { model_timer(0); }
static void timer_of_1(void) { model_timer(1); }

TEST_LONG(model_rwmutex, readers_and_writers_exclude_each_other, 120)
{
    const struct ex_program p = {.name = "two readers, a writer",
                                 .setup = setup,
                                 .threads = {reader, reader, writer},
                                 .check = all_3,
                                 .preemptions = 4};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "a reader, two writers",
                                 .setup = setup,
                                 .threads = {reader, writer, writer},
                                 .check = all_3,
                                 .preemptions = 3};
    EXPECT(ex_explore(&q));
    model_spins = true;
    const struct ex_program r = {.name = "a reader, two writers, spinning",
                                 .setup = setup,
                                 .threads = {reader, writer, writer},
                                 .check = all_3,
                                 .preemptions = 1};
    EXPECT(ex_explore(&r));
}

TEST_LONG(model_rwmutex, deadlines_leave_no_trace, 120)
{
    const struct ex_program p = {.name = "a writer with a deadline",
                                 .setup = setup,
                                 .threads = {late_writer, reader, reader, timer_of_0},
                                 .daemons = 1 << 3,
                                 .check = all_3,
                                 .preemptions = 2};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "a writer and a reader with deadlines",
                                 .setup = setup,
                                 .threads = {late_writer, late_reader, reader, timer_of_0,
                                             timer_of_1},
                                 .daemons = 3 << 3,
                                 .check = all_3,
                                 .preemptions = 1};
    EXPECT(ex_explore(&q));
    const struct ex_program r = {.name = "a reader with a deadline between writers",
                                 .setup = setup,
                                 .threads = {late_reader, writer, writer, timer_of_0},
                                 .daemons = 1 << 3,
                                 .check = all_3,
                                 .preemptions = 2};
    EXPECT(ex_explore(&r));
    const struct ex_program t = {.name = "a writer with a deadline between a writer and a reader",
                                 .setup = setup,
                                 .threads = {late_writer, writer, reader, timer_of_0},
                                 .daemons = 1 << 3,
                                 .check = all_3,
                                 .preemptions = 2};
    EXPECT(ex_explore(&t));
}

TEST_LONG(model_rwmutex, tries_never_wait_nor_break_in, 120)
{
    const struct ex_program p = {.name = "tries beside a reader and a writer",
                                 .setup = setup,
                                 .threads = {trier, reader, writer},
                                 .check = idle,
                                 .preemptions = 3};
    EXPECT(ex_explore(&p));
}

/* R2, R3, R5: each user drops its reference with the lock held; a writer that finds itself the last
 * frees. (A reader cannot know that no other is still on its way out.) */
static void drop_reading(void)
{
    go_rwmutex_rlock(&rw);
    refs--;
    go_rwmutex_runlock(&rw);
}

static void drop_writing(void)
{
    go_rwmutex_lock(&rw);
    bool last = --refs == 0;
    go_rwmutex_unlock(&rw);
    if (last) {
        ex_freed(&rw, sizeof(rw));
    }
}

static void drop_late(void)
{
    if (go_rwmutex_lock_until(&rw, 1000) != 0) {
        go_rwmutex_lock(&rw);
    }
    bool last = --refs == 0;
    go_rwmutex_unlock(&rw);
    if (last) {
        ex_freed(&rw, sizeof(rw));
    }
}

TEST_LONG(model_rwmutex, last_user_may_free_it, 120)
{
    const struct ex_program p = {.name = "two readers and a writer drop it",
                                 .setup = setup,
                                 .threads = {drop_reading, drop_reading, drop_writing},
                                 .preemptions = 4};
    EXPECT(ex_explore(&p));
    const struct ex_program q = {.name = "a reader and two writers drop it",
                                 .setup = setup,
                                 .threads = {drop_reading, drop_writing, drop_writing},
                                 .preemptions = 3};
    EXPECT(ex_explore(&q));
    const struct ex_program r = {.name = "readers and a late writer drop it",
                                 .setup = setup,
                                 .threads = {drop_late, drop_reading, drop_reading, timer_of_0},
                                 .daemons = 1 << 3,
                                 .preemptions = 3};
    EXPECT(ex_explore(&r));
}
