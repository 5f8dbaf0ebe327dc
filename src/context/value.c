/* SPDX-License-Identifier: MIT */
/* value.c: values that travel with a context. The essay is in context.c.
 *
 * A value is copied into its context, which points at the next value above: looking for a key
 * passes by all contexts that carry none. */
#include "context/internal.h"
#include <stdlib.h>
#include <string.h>

/* An object's size is a multiple of its alignment, so this is enough for any type of that size. */
static size_t alignment_for(size_t size)
{
    size_t align = size & (~size + 1);
    return align < 16 ? 16 : align > GOI_CACHE_LINE ? GOI_CACHE_LINE : align;
}

go_ctx *goi_ctx_with_value(go_ctx *parent, const void *key, const void *value, size_t size)
{
    goi_ctx_parent_check(parent);
    if (key == NULL) {
        goi_panic_text("nil key");
    }
    size_t align = alignment_for(size);
    size_t head = goi_round_up(sizeof(struct goi_value), align);
    struct goi_value *v = aligned_alloc(align, goi_round_up(head + size, align));
    if (v == NULL) {
        return NULL;
    }
    goi_ctx_init(&v->ctx, parent, GOI_CTX_VALUE);
    v->key = key;
    v->above = parent->values;
    v->data = memcpy((char *)v + head, value, size);
    v->ctx.values = v;
    return &v->ctx;
}

const void *goi_ctx_value(go_ctx *ctx, const void *key)
{
    const struct goi_value *v = ctx->values;
    while (v != NULL && v->key != key) { /* ends: towards the root */
        v = v->above;
    }
    return v != NULL ? v->data : NULL;
}
