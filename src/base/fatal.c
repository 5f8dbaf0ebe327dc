/* SPDX-License-Identifier: MIT */
/* fatal.c: the last words of a runtime bug. The user's own errors go through debug/crash.c. */
#include "base/assert.h"
#include "base/fmt.h"
#include <stdlib.h>

void goi_bug(const char *why, const char *file, int line)
{
    struct goi_out o;
    goi_out_init(&o, 2);
    goi_outf(&o, "fatal error: gort: %s\n\t%s:%d\n", why, file, line);
    goi_outf(&o, "this is a bug in Gort, not in your program\n");
    goi_out_flush(&o);
    abort();
}
