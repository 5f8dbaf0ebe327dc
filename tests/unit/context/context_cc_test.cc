/* SPDX-License-Identifier: MIT */
/* Contexts from C++: typed values, functions with closures at the end. */
#include "harness.h"
#include <gort.h>
#include <memory>

static int alive;

struct counted {
    counted() { alive++; }
    counted(const counted &) { alive++; }
    ~counted() { alive--; }
};

struct point { int x, y; };

static const go_ctx_key(point) where = nullptr;
static const go_ctx_key(int) id = nullptr;

TEST(context_cc, values_keep_their_types)
{
    go_ctx *a = go_ctx_with_value(go_ctx_background(), where, {1, 2});
    go_ctx *b = go_ctx_with_value(a, id, 7);
    const point *p = go_ctx_value(b, where);
    EXPECT(p != nullptr && p->x == 1 && p->y == 2);
    EXPECT_EQ_INT(*go_ctx_value(b, id), 7);
    EXPECT(go_ctx_value(a, id) == nullptr);
    go_ctx_free(a);
    go_ctx_free(b);
}

TEST(context_cc, function_at_the_end_is_destroyed_also_when_stopped)
{
    go_ctx *c = go_ctx_with_cancel(go_ctx_background());
    go_chan(int) got = go_chan_make(int);
    auto arg = std::make_shared<counted>();
    go_ctx_after *a = go_ctx_after_func(c, [arg, got] { go_chan_send(got, alive); });
    go_ctx_after *b = go_ctx_after_func(c, [arg, got](int) { go_chan_close(got); }, 1);
    EXPECT_EQ_INT(arg.use_count(), 3);
    EXPECT(go_ctx_after_stop(b));
    EXPECT_EQ_INT(arg.use_count(), 2);
    go_ctx_cancel(c);
    EXPECT_EQ_INT(go_chan_recv(got), 1);
    EXPECT(!go_ctx_after_stop(a));
    while (go_count() > 1) {
        go_yield();
    }
    EXPECT_EQ_INT(arg.use_count(), 1);
    go_ctx_free(c);
    go_chan_free(got);
}
