/* SPDX-License-Identifier: MIT */
/* format.c: a context as text, as Go's String methods make it: the way from the root.
 *
 * The way is known from its end, so the pieces are written from the back: first all lengths are
 * added up, then each piece goes to where it belongs, as far as there is room. */
#include "context/internal.h"
#include <stdio.h>
#include <string.h>

enum { PIECE = 96 };

static size_t piece_of(go_ctx *ctx, int64_t now, char text[PIECE])
{
    int n = 0;
    switch ((enum goi_ctx_kind)ctx->kind) {
    case GOI_CTX_ROOT:
        n = snprintf(text, PIECE, "context.%s",
                     ctx == go_ctx_background() ? "Background" : "TODO");
        break;
    case GOI_CTX_PLAIN:
        n = snprintf(text, PIECE, ".WithoutCancel");
        break;
    case GOI_CTX_VALUE:
        n = snprintf(text, PIECE, ".WithValue(%p)",
                     goi_container_of(ctx, struct goi_value, ctx)->key);
        break;
    case GOI_CTX_END:
        n = snprintf(text, PIECE, ".WithCancel");
        break;
    case GOI_CTX_TIMED: {
        int64_t when = goi_end_of(ctx)->deadline;
        double at = (double)when / 1e9;
        n = snprintf(text, PIECE, ".WithDeadline(%.6fs [%.6fs])", at, at - (double)now / 1e9);
        break;
    }
    }
    return n > 0 ? (size_t)n : 0;
}

size_t go_ctx_format(go_ctx *ctx, char *buf, size_t n)
{
    char text[PIECE];
    int64_t now = goi_now();
    size_t total = 0;
    for (go_ctx *c = ctx; c != NULL; c = c->parent) { /* ends: at the root */
        total += piece_of(c, now, text);
    }
    size_t at = total;
    for (go_ctx *c = ctx; c != NULL && n > 0; c = c->parent) { /* ends: at the root */
        size_t len = piece_of(c, now, text);
        at -= len;
        if (at < n - 1) {
            memcpy(buf + at, text, len < n - 1 - at ? len : n - 1 - at);
        }
    }
    if (n > 0) {
        buf[total < n - 1 ? total : n - 1] = '\0';
    }
    return total;
}
