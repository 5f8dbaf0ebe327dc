/* SPDX-License-Identifier: MIT */
/* symbol_dladdr.c: functions by the dynamic symbol tables, for builds without libbacktrace. Static
 * functions have no name there, and there are no lines; `addr2line -e OBJECT OFFSET` finds them. */
#include "debug/internal.h"
#include <dlfcn.h>

void goi_symbolize(uintptr_t pc, void (*fn)(const struct goi_symbol *s, void *arg), void *arg)
{
    struct goi_symbol s = {0};
    Dl_info info;
    if (dladdr((void *)pc, &info) != 0) {
        s.function = info.dli_sname;
        s.object = info.dli_fname;
        s.offset = pc - (uintptr_t)info.dli_fbase;
    }
    fn(&s, arg);
}
