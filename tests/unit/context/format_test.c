/* SPDX-License-Identifier: MIT */
/* A context as text (Go's TestStringRepresentation, String of each kind). */
#include "harness.h"
#include <gort.h>
#include <gort/short.h>
#include <stdlib.h>

static const char *text_of(go_ctx *ctx)
{
    static char text[300];
    size_t n = ctx_format(ctx, text, sizeof text);
    EXPECT_EQ_UINT(n, strlen(text));
    return text;
}

TEST(format, shows_the_way_from_the_root)
{
    static const go_ctx_key(int) key = 0;
    EXPECT_EQ_STR(text_of(ctx_background()), "context.Background");
    EXPECT_EQ_STR(text_of(ctx_todo()), "context.TODO");
    go_ctx *a = ctx_with_cancel(ctx_background());
    EXPECT_EQ_STR(text_of(a), "context.Background.WithCancel");
    go_ctx *b = ctx_without_cancel(a);
    EXPECT_EQ_STR(text_of(b), "context.Background.WithCancel.WithoutCancel");
    go_ctx *c = ctx_with_value(ctx_todo(), key, 1);
    EXPECT_MATCH(text_of(c), "^context\\.TODO\\.WithValue\\(0x[0-9a-f]+\\)$");
    go_ctx *d = ctx_with_timeout(b, GO_HOUR);
    EXPECT_MATCH(text_of(d), "WithoutCancel\\.WithDeadline\\([0-9.]+s \\[3[56][0-9.]+s\\]\\)$");
    go_ctx *e = ctx_with_timeout(d, 2 * GO_HOUR); /* the parent's comes first */
    EXPECT_MATCH(text_of(e), "s\\]\\)\\.WithCancel$");
    ctx_free(a);
    ctx_free(b);
    ctx_free(d);
    EXPECT_MATCH(text_of(e), "^context\\.Background\\.WithCancel\\.WithoutCancel\\.WithDeadline");
    ctx_free(e);
    ctx_free(c);
}

TEST(format, is_cut_where_the_room_ends)
{
    static const char whole[] = "context.Background.WithCancel";
    go_ctx *a = ctx_with_cancel(ctx_background());
    EXPECT_EQ_UINT(ctx_format(a, NULL, 0), sizeof whole - 1);
    for (size_t n = 1; n <= sizeof whole + 3; n++) {
        char text[64];
        memset(text, '#', sizeof text);
        EXPECT_EQ_UINT(ctx_format(a, text, n), sizeof whole - 1);
        size_t len = n - 1 < sizeof whole - 1 ? n - 1 : sizeof whole - 1;
        EXPECT_EQ_UINT(strlen(text), len);
        EXPECT_EQ_INT(strncmp(text, whole, len), 0);
        EXPECT_EQ_INT(text[len + 1], '#');
    }
    ctx_free(a);
}
