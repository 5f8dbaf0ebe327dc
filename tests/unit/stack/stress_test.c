/* SPDX-License-Identifier: MIT */
/* Several Ps get and put at once, while a trimmer gives memory back and a dumper looks at all
 * windows. No window may be in two hands, and what its user wrote must stay. */
#include "harness.h"
#include "os/os.h"
#include "stack/stack.h"
#include <pthread.h>

#define PS   4
#define HELD 300

static goi_abool stop;
static int64_t clock_ns = 1000000000; /* the trimmer's, then main's */
static goi_a32 cold_seen;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t *mark_high(struct goi_stack *s)
{
    return (uint64_t *)goi_stack_desc(s);
}
static uint64_t *mark_low(struct goi_stack *s)
{
    return (uint64_t *)(void *)(s->top - 64);
}
static uint64_t *mark_deep(struct goi_stack *s)
{
    return (uint64_t *)(void *)s->lo;
}

struct p {
    struct goi_stack_cache cache;
    uint64_t random;
    int id;
};

static size_t width(uint64_t r)
{
    switch (r % 8) {
    case 0:
        return (size_t)1 << 20;
    case 1:
        return r >> 8 & 63 ? 0 : (size_t)128 << 20;
    case 2:
        return (size_t)256 << 10;
    case 3:
        return (size_t)64 << 10;
    default:
        return 0;
    }
}

static struct goi_stack *take(struct p *p, uint64_t mark)
{
    struct goi_stack *s = goi_stack_get(&p->cache, width(next_random(&p->random)));
    struct goi_stack found;
    REQUIRE(s != NULL);
    /* Whoever had it last marked it free, or it is new. */
    REQUIRE_EQ_INT(*mark_high(s), 0);
    if (mark % 64 == 0) {
        REQUIRE_EQ_INT(goi_stack_find(s->top, &found), GOI_STACK_INSIDE);
        REQUIRE(found.top == s->top && found.klass == s->klass);
    }
    *mark_high(s) = *mark_low(s) = mark;
    if (mark % 128 == 0) {
        *mark_deep(s) = mark;
    }
    return s;
}

static void give(struct p *p, struct goi_stack *s, uint64_t mark)
{
    REQUIRE_EQ_INT(*mark_high(s), mark);
    REQUIRE_EQ_INT(*mark_low(s), mark);
    if (mark % 128 == 0) {
        REQUIRE_EQ_INT(*mark_deep(s), mark);
    }
    *mark_high(s) = 0;
    goi_stack_put(&p->cache, s);
}

static void *p_run(void *arg)
{
    struct p *p = arg;
    struct goi_stack *held[HELD] = {0};
    uint64_t marks[HELD], mark = 0;
    /* ends: the trimmer gets a processor, too */
    for (long n = test_iterations(1000000); n > 0 || ld_rlx(&cold_seen) == 0; n--) {
        uint64_t r = next_random(&p->random);
        size_t i = r % HELD;
        if (held[i] != NULL) {
            give(p, held[i], marks[i]);
            held[i] = NULL;
        } else {
            marks[i] = ++mark * PS + (uint64_t)p->id;
            held[i] = take(p, marks[i]);
        }
        if (r >> 53 == 0) {
            goi_stack_cache_flush(&p->cache);
        }
    }
    for (size_t i = 0; i < HELD; i++) {
        if (held[i] != NULL) {
            give(p, held[i], marks[i]);
        }
    }
    goi_stack_cache_flush(&p->cache);
    return NULL;
}

static void *trimmer_run(void *arg)
{
    (void)arg;
    while (!ld_acq(&stop)) {
        clock_ns += 1000000000;
        goi_stack_trim_cached(clock_ns, gop_now);
        struct goi_stack_stats stats;
        goi_stack_stats(&stats);
        if (stats.trimmed > 0) {
            st_rlx(&cold_seen, 1);
        }
    }
    return NULL;
}

static bool count(struct goi_stack *s, void *arg)
{
    (void)s;
    ++*(size_t *)arg;
    return true;
}

static void *dumper_run(void *arg)
{
    (void)arg;
    while (!ld_acq(&stop)) {
        size_t n = 0;
        if (goi_stack_try_hold()) {
            goi_stack_each(count, &n);
            goi_stack_unhold();
        }
        gop_thread_yield();
    }
    return NULL;
}

TEST_LONG(stress, windows_are_in_one_hand_while_memory_comes_and_goes, 120)
{
    static struct p p[PS];
    pthread_t t[PS], trimmer, dumper;
    goi_stack_init();
    for (int i = 0; i < PS; i++) {
        p[i].id = i;
        p[i].random = test_seed() * 2 + 1 + (uint64_t)i * 0x9e3779b97f4a7c15u;
        REQUIRE_EQ_INT(pthread_create(&t[i], NULL, p_run, &p[i]), 0);
    }
    REQUIRE_EQ_INT(pthread_create(&trimmer, NULL, trimmer_run, NULL), 0);
    REQUIRE_EQ_INT(pthread_create(&dumper, NULL, dumper_run, NULL), 0);
    for (int i = 0; i < PS; i++) {
        pthread_join(t[i], NULL);
    }
    st_rel(&stop, true);
    pthread_join(trimmer, NULL);
    pthread_join(dumper, NULL);
    /* All came back: an idle process gives everything back. */
    for (int64_t next = clock_ns + 1000000000; next != GOI_FOREVER;) {
        clock_ns = next;
        next = goi_stack_trim_cached(clock_ns, gop_now);
    }
    struct goi_stack_stats stats;
    goi_stack_stats(&stats);
    for (int k = 0; k < GOI_STACK_CLASSES; k++) {
        EXPECT_EQ_UINT(stats.windows[k], 0);
        EXPECT_EQ_UINT(stats.depot[k], 0);
    }
    EXPECT_EQ_UINT(stats.reserved, 0);
}
