/* SPDX-License-Identifier: MIT */
/* Contexts: the tree, its ends, their causes, values, functions called at the end. */
#include "conform.h"

#define CANCELED "context canceled"
#define EXCEEDED "context deadline exceeded"
#define FOR_EVER (1000000 * GO_SEC)

static bool has_ended(go_ctx *ctx)
{
    bool ended = false;
    if (ctx_done(ctx) != NULL) {
        switch (chan_select(recv(end, ctx_done(ctx)), default)) {
        case end: ended = true; break;
        default: break;
        }
    }
    EXPECT_EQ_INT(ctx_err(ctx) != 0, ended);
    return ended;
}
static void check_alive(go_ctx *ctx)
{
    EXPECT(!has_ended(ctx));
    EXPECT_EQ_INT(ctx_err(ctx), 0);
    EXPECT_EQ_PTR(ctx_cause(ctx), NULL);
    EXPECT_EQ_INT(ctx_cause_err(ctx), 0);
}
static void check_cause(go_ctx *ctx, int err, int cause_err, const char *why)
{
    EXPECT(has_ended(ctx));
    EXPECT_EQ_INT(ctx_err(ctx), err);
    EXPECT_EQ_INT(ctx_cause_err(ctx), cause_err);
    EXPECT_EQ_STR(ctx_cause(ctx), why);
}
static void check_canceled(go_ctx *ctx) { check_cause(ctx, -ECANCELED, -ECANCELED, CANCELED); }
static void check_exceeded(go_ctx *ctx) { check_cause(ctx, -ETIMEDOUT, -ETIMEDOUT, EXCEEDED); }
static void await_end(go_ctx *ctx) { (void)chan_recv(ctx_done(ctx)); }

static const go_ctx_key(int) number_key = 0;
static const go_ctx_key(int) other_key = 0;
static const go_ctx_key(const char *) text_key = 0;

/* ---- context/x_test.go ---- */

CASE(context, background_never_ends, "context/x_test.go TestBackground")
{
    check_alive(ctx_background());
    EXPECT_EQ_PTR(ctx_done(ctx_background()), NULL);
    EXPECT(!ctx_deadline(ctx_background(), NULL));
    ctx_cancel(ctx_background());
    check_alive(ctx_background());
}

CASE(context, todo_never_ends, "context/x_test.go TestTODO")
{
    check_alive(ctx_todo());
    EXPECT_EQ_PTR(ctx_done(ctx_todo()), NULL);
    EXPECT(ctx_todo() != ctx_background());
}

CASE(context, cancel, "context/x_test.go TestWithCancel")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    EXPECT_EQ_PTR(ctx_done(ctx), ctx_done(ctx));
    check_alive(ctx);
    ctx_cancel(ctx);
    check_canceled(ctx);
    ctx_cancel(ctx);
    check_canceled(ctx);
    ctx_free(ctx);
}

static bool contains_child(go_ctx *parent, go_ctx *child)
{
    ctx_cancel(parent);
    return has_ended(child);
}

CASE(context, parent_ends_its_children, "context/x_test.go TestParentFinishesChild")
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *cancel_child = ctx_with_cancel(parent);
    go_ctx *value_child = ctx_with_value(parent, number_key, 1);
    go_ctx *timer_child = ctx_with_timeout(value_child, FOR_EVER);
    go_ctx *after_child = ctx_with_cancel(timer_child);
    check_alive(cancel_child);
    check_alive(value_child);
    check_alive(timer_child);
    check_alive(after_child);
    EXPECT(contains_child(parent, cancel_child));
    check_canceled(parent);
    check_canceled(value_child);
    check_canceled(timer_child);
    check_canceled(after_child);
    /* A child of an ended parent has ended. */
    go_ctx *late = ctx_with_cancel(parent);
    check_canceled(late);
    ctx_free(late);
    ctx_free(after_child);
    ctx_free(timer_child);
    ctx_free(value_child);
    ctx_free(cancel_child);
    ctx_free(parent);
}

CASE(context, child_does_not_end_its_parent, "context/x_test.go TestChildFinishesFirst")
{
    go_ctx *roots[] = {ctx_background(), ctx_with_cancel(ctx_background())};
    for (int i = 0; i < 2; i++) {
        go_ctx *child = ctx_with_cancel(roots[i]);
        check_alive(roots[i]);
        ctx_cancel(child);
        check_canceled(child);
        check_alive(roots[i]);
        ctx_free(child);
    }
    ctx_free(roots[1]);
}

CASE_DIFFERS(context, ended_children_leave_their_parent, "context/x_test.go TestCancelRemoves",
             "Go counts the parent's children; here ASan and the leak checks do, after many came "
             "and went")
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    for (int i = 0; i < 1000; i++) {
        go_ctx *child = i % 2 ? ctx_with_timeout(parent, FOR_EVER) : ctx_with_cancel(parent);
        if (i % 3) {
            ctx_cancel(child);
        }
        ctx_free(child);
    }
    check_alive(parent);
    ctx_free(parent);
}

CASE_DIFFERS(context, takes_no_goroutine, "context/x_test.go TestCustomContextGoroutines",
             "there are no contexts of the user's own making: the struct is opaque")
{
    go_ctx *a = ctx_with_cancel(ctx_background());
    go_ctx *b = ctx_with_timeout(a, FOR_EVER);
    go_ctx *c = ctx_with_value(b, number_key, 1);
    go_ctx *d = ctx_with_cancel(c);
    EXPECT_EQ_INT(go_count(), 1);
    ctx_free(a);
    ctx_free(b);
    ctx_free(c);
    check_canceled(d);
    ctx_free(d);
    EXPECT_EQ_INT(go_count(), 1);
}

static void check_deadline(go_ctx *ctx)
{
    EXPECT(ctx_deadline(ctx, NULL));
    await_end(ctx);
    check_exceeded(ctx);
    ctx_free(ctx);
}

CASE(context, deadline, "context/x_test.go TestDeadline")
{
    check_deadline(ctx_with_deadline(ctx_background(), go_now() + 5 * GO_MS));
    go_ctx *far_off = ctx_with_deadline(ctx_background(), go_now() + GO_HOUR);
    check_alive(far_off);
    check_deadline(ctx_with_deadline(far_off, go_now() + 5 * GO_MS));
    check_alive(far_off);
    ctx_free(far_off);
}

CASE(context, deadline_in_the_past, "context/x_test.go TestDeadline")
{
    go_ctx *now = ctx_with_deadline(ctx_background(), go_now());
    go_ctx *past = ctx_with_deadline(ctx_background(), go_now() - GO_SEC);
    check_exceeded(past);
    check_deadline(now);
    ctx_free(past);
}

CASE(context, later_deadline_is_the_parents, "context/x_test.go TestDeadline")
{
    go_time early = go_now() + GO_HOUR;
    go_time t = 0;
    go_ctx *parent = ctx_with_deadline(ctx_background(), early);
    go_ctx *child = ctx_with_deadline(parent, early + GO_HOUR);
    EXPECT(ctx_deadline(child, &t));
    EXPECT_EQ_INT(t, early);
    ctx_cancel(parent);
    check_canceled(child);
    ctx_free(child);
    ctx_free(parent);
}

CASE(context, timeout, "context/x_test.go TestTimeout")
{
    check_deadline(ctx_with_timeout(ctx_background(), 5 * GO_MS));
    go_ctx *far_off = ctx_with_timeout(ctx_background(), GO_HOUR);
    check_deadline(ctx_with_timeout(far_off, 5 * GO_MS));
    go_ctx *parent = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    go_ctx *child = ctx_with_timeout(parent, GO_HOUR);
    await_end(child);
    check_exceeded(child);
    ctx_free(child);
    ctx_free(parent);
    ctx_free(far_off);
}

CASE(context, canceled_before_its_timeout, "context/x_test.go TestCanceledTimeout")
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), FOR_EVER);
    go_ctx *child = ctx_with_cancel(ctx);
    ctx_cancel(ctx);
    check_canceled(ctx);
    check_canceled(child);
    ctx_free(child);
    ctx_free(ctx);
}

static void check_values(go_ctx *ctx, int number, int other, const char *text)
{
    const int *n = ctx_value(ctx, number_key);
    const int *o = ctx_value(ctx, other_key);
    const char *const *t = ctx_value(ctx, text_key);
    EXPECT_EQ_INT(n != NULL ? *n : 0, number);
    EXPECT_EQ_INT(o != NULL ? *o : 0, other);
    EXPECT_EQ_STR(t != NULL ? *t : "", text);
}

CASE(context, values, "context/x_test.go TestValues")
{
    check_values(ctx_background(), 0, 0, "");
    go_ctx *a = ctx_with_value(ctx_background(), number_key, 1);
    check_values(a, 1, 0, "");
    go_ctx *b = ctx_with_value(a, other_key, 2);
    check_values(b, 1, 2, "");
    go_ctx *c = ctx_with_value(b, text_key, "c3");
    check_values(c, 1, 2, "c3");
    go_ctx *d = ctx_with_value(c, number_key, 9);
    check_values(d, 9, 2, "c3");
    check_values(c, 1, 2, "c3");
    go_ctx *e = ctx_with_cancel(d);
    ctx_free(a);
    ctx_free(b);
    ctx_free(c);
    ctx_free(d);
    check_values(e, 9, 2, "c3");
    ctx_free(e);
}

CASE(context, values_go_through_every_kind, "context/x_test.go TestValues")
{
    go_ctx *a = ctx_with_value(ctx_background(), number_key, 5);
    go_ctx *b = ctx_with_timeout(a, GO_HOUR);
    go_ctx *c = ctx_without_cancel(b);
    check_values(c, 5, 0, "");
    ctx_free(a);
    ctx_free(b);
    check_values(c, 5, 0, "");
    ctx_free(c);
}

static void wait_for_end(go_ctx *ctx, int *woken)
{
    await_end(ctx);
    add(woken, 1);
}

CASE(context, many_ended_at_once, "context/x_test.go TestSimultaneousCancels")
{
    enum { N = 100 };
    go_ctx *root = ctx_with_cancel(ctx_background());
    go_ctx *all[N];
    int woken = 0;
    for (int i = 0; i < N; i++) {
        all[i] = ctx_with_cancel(i == 0 ? root : all[(i - 1) / 2]);
        go(wait_for_end, all[i], &woken);
    }
    go_waitgroup wg = {0};
    for (int i = 0; i < N; i++) {
        wg_go(&wg, go_ctx_cancel, all[i]);
    }
    wg_wait(&wg);
    await_count(1);
    EXPECT_EQ_INT(woken, N);
    for (int i = 0; i < N; i++) {
        check_canceled(all[i]);
        ctx_free(all[i]);
    }
    ctx_free(root);
}

static void end_other(go_ctx *ended, go_ctx *other)
{
    await_end(ended);
    ctx_cancel(other);
}

CASE(context, one_ends_another, "context/x_test.go TestInterlockedCancels")
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *child = ctx_with_cancel(parent);
    go(end_other, parent, child);
    ctx_cancel(parent);
    await_end(child);
    await_count(1);
    ctx_free(child);
    ctx_free(parent);
}

/* Layers of values, cancels and timeouts at random, at least one of each; the end of one of them,
 * or the timeouts, end all above it, which keep their values. */
enum { LAYERS = 30, LAYERS_MAX = 200 };
static const go_ctx_key(int) layer_keys[LAYERS_MAX];

struct layers {
    go_ctx *all[LAYERS_MAX + 1];
    int n, kinds[3];
    int kind[LAYERS_MAX + 1];
};
enum { VALUE, CANCEL, TIMEOUT };

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void make_layers(struct layers *l, uint64_t *seed, go_duration d)
{
    l->all[0] = ctx_background();
    while (l->n < LAYERS || l->kinds[VALUE] == 0 || l->kinds[CANCEL] == 0 ||
           l->kinds[TIMEOUT] == 0) {
        REQUIRE(l->n < LAYERS_MAX);
        go_ctx *below = l->all[l->n];
        int kind = (int)(draw(seed) % 3);
        int i = ++l->n;
        l->kinds[kind]++;
        l->kind[i] = kind;
        switch (kind) {
        case VALUE: l->all[i] = ctx_with_value(below, layer_keys[i - 1], i); break;
        case CANCEL: l->all[i] = ctx_with_cancel(below); break;
        default: l->all[i] = ctx_with_timeout(below, d); break;
        }
    }
}

static void check_layers(const struct layers *l)
{
    go_ctx *top = l->all[l->n];
    for (int i = 1; i <= l->n; i++) {
        const int *v = ctx_value(top, layer_keys[i - 1]);
        EXPECT_EQ_INT(v != NULL ? *v : 0, l->kind[i] == VALUE ? i : 0);
    }
    char text[64];
    EXPECT(go_ctx_format(top, text, sizeof text) > sizeof text);
    EXPECT_EQ_INT(strncmp(text, "context.Background.", 19), 0);
}

static void layers(uint64_t seed, bool by_timeout)
{
    struct layers l = {.n = 0};
    make_layers(&l, &seed, by_timeout ? 5 * GO_MS : FOR_EVER);
    go_ctx *top = l.all[l.n];
    if (by_timeout) {
        check_layers(&l);
        await_end(top);
        EXPECT_EQ_INT(ctx_err(top), -ETIMEDOUT);
    } else {
        check_alive(top);
        check_layers(&l);
        int i = (int)(draw(&seed) % (uint64_t)l.n) + 1;
        while (l.kind[i] == VALUE) {
            i = i % l.n + 1;
        }
        ctx_cancel(l.all[i]);
        check_canceled(top);
        EXPECT(i == 1 || !has_ended(l.all[i - 1]));
    }
    check_layers(&l);
    for (int i = 1; i <= l.n; i++) {
        ctx_free(l.all[i]);
    }
}

CASE(context, layers_ended_by_cancel, "context/x_test.go TestLayersCancel")
{
    for (uint64_t i = 0; i < 20; i++) {
        layers(test_seed() + i, false);
    }
}

CASE(context, layers_ended_by_timeout, "context/x_test.go TestLayersTimeout")
{
    layers(test_seed(), true);
    layers(test_seed() + 1, true);
}

CASE(context, child_of_an_ended_parent, "context/x_test.go TestWithCancelCanceledParent")
{
    go_ctx *parent = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(parent, -EIO, "because");
    go_ctx *child = ctx_with_cancel(parent);
    check_cause(child, -ECANCELED, -EIO, "because");
    ctx_free(child);
    ctx_free(parent);
}

CASE(context, child_of_a_parent_that_ends_now,
     "context/x_test.go TestWithCancelSimultaneouslyCanceledParent")
{
    for (long i = test_iterations(500); i > 0; i--) {
        go_ctx *parent = ctx_with_cancel(ctx_background());
        go(go_ctx_cancel, parent);
        go_ctx *child = ctx_with_cancel(parent);
        await_end(child);
        check_canceled(child);
        await_count(1);
        ctx_free(child);
        ctx_free(parent);
    }
}

static void value_without_key(void)
{
    int v = 1;
    ctx_free(goi_ctx_with_value(ctx_background(), NULL, &v, sizeof v));
}

CASE_DIFFERS(context, value_needs_a_key, "context/x_test.go TestWithValueChecksKey",
             "keys are addresses of typed objects, so that they are comparable by construction and "
             "the type of a value is checked by the compiler; only nil is left to check")
{
    EXPECT_EQ_STR(PANIC_OF(value_without_key), "nil key");
}

static void cancel_of_nil(void) { ctx_free(ctx_with_cancel(NULL)); }
static void deadline_of_nil(void) { ctx_free(ctx_with_deadline(NULL, 1)); }
static void timeout_of_nil(void) { ctx_free(ctx_with_timeout(NULL, 1)); }
static void value_of_nil(void) { ctx_free(ctx_with_value(NULL, number_key, 1)); }
static void without_of_nil(void) { ctx_free(ctx_without_cancel(NULL)); }

CASE(context, parent_must_not_be_nil, "context/x_test.go TestInvalidDerivedFail")
{
    static void (*const derive[])(void) = {cancel_of_nil, deadline_of_nil, timeout_of_nil,
                                           value_of_nil, without_of_nil};
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ_STR(PANIC_OF(derive[i]), "cannot create context from nil parent");
    }
}

CASE_DIFFERS(context, deadline_is_told_from_cancel,
             "context/x_test.go TestDeadlineExceededSupportsTimeout, "
             "context/net_test.go TestDeadlineExceededIsNetError",
             "the error of a deadline is -ETIMEDOUT, as everywhere, so there is nothing to ask it")
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 0);
    EXPECT_EQ_INT(ctx_err(ctx), -ETIMEDOUT);
    ctx_cancel(ctx);
    EXPECT_EQ_INT(ctx_err(ctx), -ETIMEDOUT);
    ctx_free(ctx);
}

/* ---- TestCause: the table ---- */

static go_ctx *first, *second;
static void tree(bool deadline_below)
{
    first = ctx_with_cancel(ctx_background());
    second = deadline_below ? ctx_with_timeout(first, FOR_EVER) : ctx_with_cancel(first);
}
static void discard(void)
{
    ctx_free(second);
    ctx_free(first);
}

CASE(cause, of_a_plain_cancel, "context/x_test.go TestCause: WithCancel")
{
    first = ctx_with_cancel(ctx_background());
    ctx_cancel(first);
    check_canceled(first);
    ctx_free(first);
}

CASE(cause, given, "context/x_test.go TestCause: WithCancelCause")
{
    first = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(first, -EIO, "parentCause");
    check_cause(first, -ECANCELED, -EIO, "parentCause");
    ctx_free(first);
}

CASE(cause, text_is_copied, "context/x_test.go TestCause: WithCancelCause")
{
    char why[] = "why";
    first = ctx_with_cancel(ctx_background());
    ctx_cancel_cause(first, -EIO, why);
    memset(why, 'x', 3);
    check_cause(first, -ECANCELED, -EIO, "why");
    ctx_free(first);
}

CASE(cause, of_the_parent_before_the_child,
     "context/x_test.go TestCause: WithCancelCause: parent cause before child")
{
    tree(false);
    ctx_cancel_cause(first, -EIO, "parentCause");
    ctx_cancel_cause(second, -EPIPE, "childCause");
    check_cause(second, -ECANCELED, -EIO, "parentCause");
    discard();
}

CASE(cause, of_the_parent_after_the_child,
     "context/x_test.go TestCause: WithCancelCause: parent cause after child")
{
    tree(false);
    ctx_cancel_cause(second, -EPIPE, "childCause");
    ctx_cancel_cause(first, -EIO, "parentCause");
    check_cause(second, -ECANCELED, -EPIPE, "childCause");
    check_cause(first, -ECANCELED, -EIO, "parentCause");
    discard();
}

CASE(cause, of_the_parent_before_a_plain_cancel,
     "context/x_test.go TestCause: WithCancelCause: parent cause before nil")
{
    tree(false);
    ctx_cancel_cause(first, -EIO, "parentCause");
    ctx_cancel(second);
    check_cause(second, -ECANCELED, -EIO, "parentCause");
    discard();
}

CASE(cause, of_the_parent_after_a_plain_cancel,
     "context/x_test.go TestCause: WithCancelCause: parent cause after nil")
{
    tree(false);
    ctx_cancel(second);
    ctx_cancel_cause(first, -EIO, "parentCause");
    check_canceled(second);
    discard();
}

CASE(cause, of_the_child_after_a_plain_cancel,
     "context/x_test.go TestCause: WithCancelCause: child cause after nil")
{
    tree(false);
    ctx_cancel(first);
    ctx_cancel_cause(second, -EPIPE, "childCause");
    check_canceled(second);
    discard();
}

CASE(cause, of_the_child_before_a_plain_cancel,
     "context/x_test.go TestCause: WithCancelCause: child cause before nil")
{
    tree(false);
    ctx_cancel_cause(second, -EPIPE, "childCause");
    ctx_cancel(first);
    check_cause(second, -ECANCELED, -EPIPE, "childCause");
    check_canceled(first);
    discard();
}

CASE(cause, of_a_timeout, "context/x_test.go TestCause: WithTimeout")
{
    first = ctx_with_timeout(ctx_background(), 0);
    ctx_cancel(first);
    check_exceeded(first);
    ctx_free(first);
}

CASE(cause, of_a_timeout_canceled, "context/x_test.go TestCause: WithTimeout canceled")
{
    first = ctx_with_timeout(ctx_background(), FOR_EVER);
    ctx_cancel(first);
    check_canceled(first);
    ctx_free(first);
}

CASE(cause, given_with_the_timeout, "context/x_test.go TestCause: WithTimeoutCause")
{
    first = go_ctx_with_timeout_cause(ctx_background(), 0, -EBUSY, "tooSlow");
    ctx_cancel(first);
    check_cause(first, -ETIMEDOUT, -EBUSY, "tooSlow");
    ctx_free(first);
}

CASE(cause, given_with_the_timeout_canceled,
     "context/x_test.go TestCause: WithTimeoutCause canceled")
{
    first = go_ctx_with_timeout_cause(ctx_background(), FOR_EVER, -EBUSY, "tooSlow");
    ctx_cancel(first);
    check_canceled(first);
    ctx_free(first);
}

CASE(cause, of_stacked_timeouts, "context/x_test.go TestCause: WithTimeoutCause stacked")
{
    first = ctx_with_cancel(ctx_background());
    second = go_ctx_with_timeout_cause(first, 0, -EBUSY, "tooSlow");
    ctx_cancel_cause(first, -EIO, "finishedEarly");
    check_cause(second, -ETIMEDOUT, -EBUSY, "tooSlow");
    discard();
}

CASE(cause, of_stacked_timeouts_canceled,
     "context/x_test.go TestCause: WithTimeoutCause stacked canceled")
{
    first = ctx_with_cancel(ctx_background());
    second = go_ctx_with_timeout_cause(first, FOR_EVER, -EBUSY, "tooSlow");
    ctx_cancel_cause(first, -EIO, "finishedEarly");
    check_cause(second, -ECANCELED, -EIO, "finishedEarly");
    discard();
}

CASE(cause, without_cancel_has_none, "context/x_test.go TestCause: WithoutCancel")
{
    first = ctx_without_cancel(ctx_background());
    check_alive(first);
    ctx_free(first);
}

CASE(cause, without_cancel_does_not_take_that_of_a_cancel,
     "context/x_test.go TestCause: WithoutCancel canceled")
{
    first = ctx_with_cancel(ctx_background());
    second = ctx_without_cancel(first);
    ctx_cancel_cause(first, -EIO, "finishedEarly");
    check_alive(second);
    discard();
}

CASE(cause, without_cancel_does_not_take_that_of_a_timeout,
     "context/x_test.go TestCause: WithoutCancel timeout")
{
    first = go_ctx_with_timeout_cause(ctx_background(), 0, -EBUSY, "tooSlow");
    second = ctx_without_cancel(first);
    ctx_cancel(first);
    check_cause(first, -ETIMEDOUT, -EBUSY, "tooSlow");
    check_alive(second);
    discard();
}

CASE_DIFFERS(cause, goes_through_timeouts_and_values, "context/x_test.go TestCustomContextCause",
             "there are no contexts of the user's own making; what is checked is that the cause "
             "passes through derived ones of all kinds")
{
    tree(true);
    go_ctx *third = ctx_with_value(second, number_key, 1);
    go_ctx *fourth = ctx_with_cancel(third);
    ctx_cancel_cause(first, -EIO, "parentCause");
    check_cause(third, -ECANCELED, -EIO, "parentCause");
    check_cause(fourth, -ECANCELED, -EIO, "parentCause");
    ctx_free(fourth);
    ctx_free(third);
    discard();
}

static void check_first_cause(go_ctx *ctx)
{
    await_end(ctx);
    EXPECT(ctx_cause(ctx) != NULL);
}

CASE(cause, is_there_when_done_is_closed, "context/x_test.go TestCauseRace")
{
    for (long i = test_iterations(300); i > 0; i--) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go(check_first_cause, ctx);
        go(go_ctx_cancel_cause, ctx, -EIO, "err");
        await_count(1);
        check_cause(ctx, -ECANCELED, -EIO, "err");
        ctx_free(ctx);
    }
}

static void check_err_when_done(go_ctx *ctx)
{
    await_end(ctx);
    EXPECT_EQ_INT(ctx_err(ctx), -ECANCELED);
}
static void watch_err(go_ctx *ctx)
{
    while (ctx_err(ctx) == 0) {
        go_yield();
    }
    EXPECT(has_ended(ctx));
}

CASE(context, err_and_done_agree, "context/x_test.go TestContextErrDoneRace")
{
    for (long i = test_iterations(300); i > 0; i--) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        go(check_err_when_done, ctx);
        go(watch_err, ctx);
        ctx_cancel(ctx);
        await_count(1);
        ctx_free(ctx);
    }
}

CASE(context, without_cancel_keeps_values_only, "context/x_test.go TestWithoutCancel")
{
    go_ctx *a = ctx_with_value(ctx_background(), number_key, 1);
    go_ctx *b = ctx_with_timeout(a, GO_HOUR);
    go_ctx *c = ctx_without_cancel(b);
    go_ctx *d = ctx_with_cancel(c);
    EXPECT_EQ_PTR(ctx_done(c), NULL);
    EXPECT(!ctx_deadline(c, NULL));
    EXPECT(!ctx_deadline(d, NULL));
    ctx_cancel(b);
    check_canceled(b);
    check_alive(c);
    check_alive(d);
    check_values(d, 1, 0, "");
    ctx_cancel(d);
    check_canceled(d);
    ctx_free(a);
    ctx_free(b);
    ctx_free(c);
    ctx_free(d);
}

/* ---- context.AfterFunc ---- */

static void count_one(int *n) { add(n, 1); }
static void await_calls(const int *n, int wanted)
{
    while (get(n) < wanted) {
        go_yield();
    }
}

CASE(context_after, called_after_a_cancel,
     "context/x_test.go TestAfterFuncCalledAfterCancel")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    int calls = 0;
    go_ctx_after *a = ctx_after_func(ctx, count_one, &calls);
    for (int i = 0; i < 100; i++) {
        go_yield();
    }
    EXPECT_EQ_INT(get(&calls), 0);
    ctx_cancel(ctx);
    await_calls(&calls, 1);
    EXPECT(!ctx_after_stop(a));
    await_count(1);
    ctx_free(ctx);
}

CASE(context_after, called_after_a_timeout,
     "context/x_test.go TestAfterFuncCalledAfterTimeout")
{
    go_ctx *ctx = ctx_with_timeout(ctx_background(), 5 * GO_MS);
    int calls = 0;
    (void)ctx_after_func(ctx, count_one, &calls);
    await_calls(&calls, 1);
    check_exceeded(ctx);
    await_count(1);
    ctx_free(ctx);
}

CASE(context_after, called_at_once_when_ended,
     "context/x_test.go TestAfterFuncCalledImmediately")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    int calls = 0;
    ctx_cancel(ctx);
    go_ctx_after *a = ctx_after_func(ctx, count_one, &calls);
    await_calls(&calls, 1);
    EXPECT(!ctx_after_stop(a));
    await_count(1);
    ctx_free(ctx);
}

CASE(context_after, stop_prevents_it,
     "context/x_test.go TestAfterFuncNotCalledAfterStop")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    int calls = 0;
    go_ctx_after *a = ctx_after_func(ctx, count_one, &calls);
    EXPECT(ctx_after_stop(a));
    ctx_cancel(ctx);
    EXPECT_EQ_INT(go_count(), 1);
    EXPECT_EQ_INT(get(&calls), 0);
    ctx_free(ctx);
}

static void block_until(chan(bool) go_on, int *calls)
{
    (void)chan_recv(go_on);
    add(calls, 1);
}

CASE(context_after, runs_beside_the_canceller,
     "context/x_test.go TestAfterFuncCalledAsynchronously")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(bool) go_on = chan_make(bool);
    int calls = 0;
    (void)ctx_after_func(ctx, block_until, go_on, &calls);
    ctx_cancel(ctx);
    EXPECT_EQ_INT(get(&calls), 0);
    chan_send(go_on, true);
    await_calls(&calls, 1);
    await_count(1);
    ctx_free(ctx);
    chan_free(go_on);
}

#define NO_CUSTOM                                                                                  \
    "there are no contexts of the user's own making, with an AfterFunc of their own; what is "     \
    "checked is the same of derived ones"

CASE_DIFFERS(context_after, derived_one_ends_with_what_is_above,
             "context/afterfunc_test.go TestCustomContextAfterFuncCancel, "
             "TestCustomContextAfterFuncTimeout, TestCustomContextAfterFuncUnregisterCancel",
             NO_CUSTOM)
{
    go_ctx *above = ctx_with_cancel(ctx_background());
    go_ctx *value = ctx_with_value(above, number_key, 1);
    go_ctx *left = ctx_with_cancel(value); /* leaves before what is above ends */
    go_ctx *plain = ctx_with_cancel(value);
    go_ctx *timed = ctx_with_timeout(value, FOR_EVER);
    ctx_cancel(left);
    check_alive(above);
    check_alive(plain);
    ctx_cancel(above);
    check_canceled(plain);
    check_canceled(timed);
    ctx_free(left);
    ctx_free(plain);
    ctx_free(timed);
    ctx_free(value);
    ctx_free(above);
}

CASE_DIFFERS(context_after, several_of_one_context,
             "context/afterfunc_test.go TestCustomContextAfterFuncAfterFunc", NO_CUSTOM)
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    go_ctx *child = ctx_with_cancel(ctx);
    int calls = 0;
    go_ctx_after *a[10];
    for (int i = 0; i < 10; i++) {
        a[i] = ctx_after_func(i % 2 ? ctx : child, count_one, &calls);
    }
    for (int i = 0; i < 10; i += 3) {
        EXPECT(ctx_after_stop(a[i]));
    }
    ctx_cancel(ctx);
    await_count(1);
    EXPECT_EQ_INT(calls, 6);
    ctx_free(child);
    ctx_free(ctx);
}

CASE_DIFFERS(context_after, stop_races_with_the_end,
             "context/afterfunc_test.go TestCustomContextAfterFuncUnregisterAfterFunc, "
             "TestCustomContextAfterFuncUnregisterTimeout", NO_CUSTOM)
{
    for (long i = test_iterations(300); i > 0; i--) {
        go_ctx *ctx = ctx_with_cancel(ctx_background());
        int calls = 0;
        go_ctx_after *a = ctx_after_func(ctx, count_one, &calls);
        go(go_ctx_cancel, ctx);
        bool prevented = ctx_after_stop(a);
        await_count(1);
        REQUIRE_EQ_INT(get(&calls), prevented ? 0 : 1);
        ctx_free(ctx);
    }
}

CASE_DIFFERS(context, derived_ones_of_one_parent_in_many_goroutines,
             "context/x_test.go TestCustomContextPropagation",
             "there are no contexts of the user's own making; what is checked is that all derived "
             "ones end with the parent")
{
    enum { N = 50 };
    go_ctx *parent = ctx_with_cancel(ctx_background());
    go_ctx *children[N];
    int woken = 0;
    for (int i = 0; i < N; i++) {
        children[i] = ctx_with_cancel(parent);
        go(wait_for_end, children[i], &woken);
    }
    await_parked(N, "chan receive");
    ctx_cancel(parent);
    await_count(1);
    EXPECT_EQ_INT(woken, N);
    for (int i = 0; i < N; i++) {
        ctx_free(children[i]);
    }
    ctx_free(parent);
}

static int numbers(go_ctx *ctx, chan(int) out)
{
    for (int n = 1;; n++) {
        switch (chan_select(recv(end, ctx_done(ctx)), send(put, out, n))) {
        case end: return 0;
        case put: break;
        }
    }
}

OUTPUT(context, ends_a_generator, "context/example_test.go ExampleWithCancel")
{
    go_ctx *ctx = ctx_with_cancel(ctx_background());
    chan(int) out = chan_make(int);
    go(numbers, ctx, out);
    chan_for(n, out)
    {
        say("%d\n", n);
        if (n == 5) {
            break;
        }
    }
    ctx_cancel(ctx);
    await_count(1);
    say("%s\n", ctx_cause(ctx));
}

OUTPUT(context, with_timeout_in_a_select, "context/example_test.go ExampleWithTimeout")
{
    chan(int) never = chan_make(int);
    go_ctx *ctx = ctx_with_timeout(ctx_background(), GO_MS);
    switch (chan_select(recv(ready, never), recv(end, ctx_done(ctx)))) {
    case ready: say("ready\n"); break;
    case end: say("%s\n", ctx_cause(ctx)); break;
    }
    ctx_free(ctx);
    chan_free(never);
}

OUTPUT(context, values_by_key, "context/example_test.go ExampleWithValue")
{
    go_ctx *ctx = ctx_with_value(ctx_background(), text_key, "Go");
    const char *const *found = ctx_value(ctx, text_key);
    say("found value: %s\n", *found);
    say("key not found: %d\n", ctx_value(ctx, number_key) == NULL);
}

OUTPUT(context, uncaught_nil_parent, "context/x_test.go TestInvalidDerivedFail")
{
    cancel_of_nil();
}
