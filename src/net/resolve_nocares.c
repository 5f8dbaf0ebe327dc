/* SPDX-License-Identifier: MIT */
/* resolve_nocares.c: in place of resolve_cares.c where c-ares was not found. */
#include "net/resolve.h"
#include <errno.h>

const bool goi_have_cares = false;

int goi_resolve_cares(go_ctx *ctx, const struct goi_dns *dns, const char *name, go_addrs *out)
{
    (void)ctx;
    (void)dns;
    (void)name;
    (void)out;
    return -ENOSYS;
}
