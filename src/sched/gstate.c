/* SPDX-License-Identifier: MIT */
/* gstate.c: tables from gstate.def and reason.def. */
#include "sched/gstate.h"
#include "base/assert.h"

static const char *const state_names[] = {
#define GSTATE(name, text, from) text,
#include "sched/gstate.def"
#undef GSTATE
};

static const unsigned legal_from[] = {
#define GSTATE(name, text, from) from,
#include "sched/gstate.def"
#undef GSTATE
};

const char *const goi_reason_names[] = {
#define REASON(name, text) text,
#include "sched/reason.def"
#undef REASON
};

const char *goi_gstate_name(enum gstate s)
{
    return (unsigned)s < GOI_G_STATES ? state_names[s] : "unknown";
}

const char *goi_reason_name(enum wait_reason r)
{
    return (unsigned)r < GOI_WAIT_REASONS ? goi_reason_names[r] : "unknown";
}

bool goi_gstate_legal(enum gstate from, enum gstate to)
{
    goi_assert((unsigned)from < GOI_G_STATES);
    goi_assert((unsigned)to < GOI_G_STATES);
    return (legal_from[to] >> from & 1) != 0;
}
