/* SPDX-License-Identifier: MIT */
/* trace_region.c: what the program itself puts into a trace: see <gort/debug.h>. */
#include "debug/trace.h"
#include <gort/debug.h>

bool go_trace_enabled(void) { return ld_rlx(&goi_tracer.on); }

void go_region_begin(const char *name) { goi_tracer_say(GOI_TR_BEGIN, name); }

void go_region_end(void) { goi_tracer_say(GOI_TR_END, NULL); }

void go_trace_log(const char *message) { goi_tracer_say(GOI_TR_LOG, message); }

bool goi_region_enter(const char *name)
{
    go_region_begin(name);
    return go_trace_enabled();
}

void goi_region_leave(const bool *inside)
{
    if (*inside) {
        go_region_end();
    }
}
