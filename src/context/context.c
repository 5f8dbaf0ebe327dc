/* SPDX-License-Identifier: MIT */
/* context.c: the root contexts only; the tree is the next piece of work (docs/HACKING.md). */
#include <gort/context.h>

struct go_ctx { int unused; };
static struct go_ctx background, todo;
go_ctx *go_ctx_background(void) { return &background; }
go_ctx *go_ctx_todo(void) { return &todo; }
go_recv_chan(char) go_ctx_done(go_ctx *ctx) { (void)ctx; return NULL; }
int go_ctx_err(go_ctx *ctx) { (void)ctx; return 0; }
