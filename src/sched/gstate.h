/* SPDX-License-Identifier: MIT */
/* gstate.h: states of a goroutine and reasons to wait, made from gstate.def and reason.def. */
#ifndef GOI_SCHED_GSTATE_H
#define GOI_SCHED_GSTATE_H
#include "base/base.h"

enum gstate {
#define GSTATE(name, text, from) GOI_G_##name,
#include "sched/gstate.def"
#undef GSTATE
    GOI_G_STATES
};

enum wait_reason {
#define REASON(name, text) GOI_WAIT_##name,
#include "sched/reason.def"
#undef REASON
    GOI_WAIT_REASONS
};

const char *goi_gstate_name(enum gstate s);
/* The texts by number; a table that compilers leave alone, for debuggers (tools/gdb). */
extern const char *const goi_reason_names[];
const char *goi_reason_name(enum wait_reason r);
/* May a goroutine go from `from` to `to`? */
bool goi_gstate_legal(enum gstate from, enum gstate to);

#endif
