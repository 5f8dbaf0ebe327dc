/* SPDX-License-Identifier: MIT */
/* fmt.h: text for dumps and fatal errors without stdio: no allocation, no locks, signal-safe.
 *
 * A goi_out collects bytes in a fixed buffer and writes them to a descriptor when full and at
 * goi_out_flush(). Verbs of goi_outf: %s %d %u %ld %lu %lld %llu %zu %x %lx %p %c %% only.
 */
#ifndef GOI_FMT_H
#define GOI_FMT_H
#include "base/base.h"
#include <stdarg.h>

struct goi_out {
    int fd;             /* -1: keep in the buffer, drop what does not fit */
    size_t len;
    size_t dropped;     /* bytes that did not fit (fd -1) or could not be written */
    char buf[768];
};

void goi_out_init(struct goi_out *o, int fd);
void goi_out_bytes(struct goi_out *o, const char *s, size_t n);
void goi_out_str(struct goi_out *o, const char *s);
void goi_outf(struct goi_out *o, const char *format, ...) GOI_PRINTF(2, 3);
void goi_voutf(struct goi_out *o, const char *format, va_list ap);
void goi_out_flush(struct goi_out *o);

#endif
