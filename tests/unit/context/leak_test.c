/* SPDX-License-Identifier: MIT */
/* After the last reference nothing is left: no memory (also counted by AddressSanitizer), no timer,
 * no goroutine, no entry in a parent that lives on. */
#include "context/internal.h"
#include "harness.h"
#include "unit/time/pending.h"
#include <gort.h>
#include <gort/short.h>
#include <malloc.h>
#include <stdlib.h>

/* Bytes that malloc has given out, where malloc says so. */
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static bool counts_memory(void)
{
    return !test_under("address") && !test_under("thread") && !test_under("valgrind");
}

static int entries(go_ctx *ctx)
{
    int n = 0;
    for (struct goi_link *l = goi_end_of(ctx)->children; l != NULL; l = l->next) {
        n++;
    }
    return n;
}

/* Go's TestCancelRemoves and TestParentFinishesChild, and issue-free growth of a server's root. */
TEST(leak, ended_children_leave_their_parents_list)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *a = ctx_with_cancel(parent);
    go_ctx *b = ctx_with_timeout(parent, GO_HOUR);
    go_ctx *over = ctx_with_timeout(parent, 0);
    EXPECT_EQ_INT(entries(parent), 2);
    ctx_cancel(a);
    EXPECT_EQ_INT(entries(parent), 1);
    go_ctx *c = ctx_with_timeout(parent, GO_MS); /* who knows when it is left */
    chan_recv(ctx_done(c));
    ctx_free(b);
    while (entries(parent) != 0) { /* the deadline's thread may be on its way out of c */
        go_yield();
    }
    ctx_free(a);
    ctx_free(c);
    ctx_free(over);
    ctx_free(parent);
}

static void nothing(void) {}

static void request(go_ctx *server, int i)
{
    static const go_ctx_key(int) key = 0;
    go_ctx *c = ctx_with_timeout(server, GO_HOUR);
    go_ctx *v = ctx_with_value(c, key, i);
    go_ctx *d = ctx_with_cancel(v);
    go_ctx *w = ctx_without_cancel(d);
    go_ctx *t = ctx_with_timeout_cause(w, GO_HOUR, -1, "never");
    go_ctx_after *a = ctx_after_func(t, nothing);
    if (i % 2 == 0) {
        ctx_cancel_cause(c, -1, "some text that is copied");
        EXPECT(ctx_after_stop(a));
    }
    ctx_free(c);
    ctx_free(t);
    ctx_free(w);
    ctx_free(d);
    ctx_free(v);
}

static void requests(go_ctx *server, int n)
{
    for (int i = 0; i < n; i++) {
        request(server, i);
    }
    while (go_count() > 1) {
        go_yield();
    }
}

TEST(leak, long_lived_parent_stays_as_it_was)
{
    go_ctx *server = ctx_with_cancel(ctx_background());
    requests(server, 100);
    size_t before = in_use();
    uint32_t refs = ld_rlx(&server->refs);
    requests(server, 1000);
    EXPECT_EQ_INT(entries(server), 0);
    EXPECT_EQ_UINT(ld_rlx(&server->refs), refs);
    EXPECT_EQ_UINT(refs, 1);
    EXPECT_EQ_UINT(goi_timers_pending(), 0);
    EXPECT_EQ_INT(go_count(), 1);
    if (counts_memory()) {
        /* What threads keep for themselves counts as given out; a leak would be 300 KB and more. */
        EXPECT_INT((long long)in_use() - (long long)before, <, 64 * 1024);
    }
    ctx_free(server);
}

TEST(leak, function_that_waits_for_what_never_ends_is_not_kept)
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    size_t before = in_use();
    for (int i = 0; i < 3000; i++) {
        go_ctx *c = ctx_without_cancel(parent);
        EXPECT(ctx_after_func(c, nothing) != NULL);
        EXPECT(ctx_after_func(ctx_background(), nothing) != NULL);
        ctx_free(c);
    }
    if (counts_memory()) { /* a leak would be a megabyte */
        EXPECT_INT((long long)in_use() - (long long)before, <, 64 * 1024);
    }
    ctx_free(parent);
}

TEST(leak, deadline_takes_no_goroutine)
{
    enum { N = 100 };
    go_ctx *c[N];
    for (int i = 0; i < N; i++) {
        c[i] = ctx_with_timeout(ctx_background(), GO_HOUR);
    }
    EXPECT_EQ_INT(go_count(), 1);
    for (int i = 0; i < N; i++) {
        ctx_free(c[i]);
    }
}

/* Go's TestSimultaneousCancels and TestInterlockedCancels: everybody at once, in every order. */
static void churn(go_ctx *ctx, unsigned seed, go_waitgroup *wg)
{
    for (int i = 0; i < 60; i++) {
        go_ctx *kid = rand_r(&seed) % 2 == 0 ? ctx_with_cancel(ctx)
                                             : ctx_with_timeout(ctx, rand_r(&seed) % 50 * GO_US);
        go_ctx *grandkid = ctx_with_cancel(kid);
        switch (rand_r(&seed) % 4) {
        case 0:
            go_yield();
            break;
        case 1:
            ctx_cancel(kid);
            break;
        case 2:
            ctx_cancel(grandkid);
            break;
        default:
            break;
        }
        ctx_free(kid);
        ctx_free(grandkid);
    }
    ctx_free(ctx);
    wg_done(wg);
}

TEST(leak, everybody_at_once)
{
    unsigned seed = (unsigned)test_seed();
    long rounds = test_iterations(20);
    for (long r = 0; r < rounds; r++) {
        go_ctx *root = ctx_with_timeout(ctx_background(), rand_r(&seed) % 500 * GO_US);
        go_waitgroup wg = {0};
        for (int i = 0; i < 8; i++) {
            wg_add(&wg, 1);
            go(churn, i % 2 == 0 ? ctx_ref(root) : ctx_with_cancel(root), (unsigned)rand_r(&seed),
               &wg);
        }
        if (r % 3 == 0) {
            ctx_cancel(root);
        }
        ctx_free(root);
        wg_wait(&wg);
    }
    pending_none();
}
