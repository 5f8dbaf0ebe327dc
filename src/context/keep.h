/* SPDX-License-Identifier: MIT */
/* keep.h: for calls of the library that are given a context and look at it after they have waited.
 *
 * Whoever has called may give the context's last reference back meanwhile: that ends it, and wakes
 * the call. What the call still reads must be there. So it keeps the context from before its first
 * wait to its last look; that does not make it a user, whose going would be waited for. */
#ifndef GOI_CONTEXT_KEEP_H
#define GOI_CONTEXT_KEEP_H
struct go_ctx;

/* NULL and the roots are allowed. The caller's context is alive. */
void goi_ctx_keep(struct go_ctx *ctx);
/* Outside the runtime. */
void goi_ctx_unkeep(struct go_ctx *ctx);

#endif
