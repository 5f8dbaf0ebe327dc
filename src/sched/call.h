/* SPDX-License-Identifier: MIT */
/* call.h: recorded calls, for the scheduler and for who starts goroutines on its own (timers). */
#ifndef GOI_SCHED_CALL_H
#define GOI_SCHED_CALL_H
#include "sched/sched.h"
#include "sched/types.h"
#include <gort/go.h>

/* record.kind */
enum {
    GOI_REC_GO,                 /* owner: struct g, PENDING; the record is on its stack */
    GOI_REC_DEFER,              /* owner: struct goi_deferred in the caller's frame */
    GOI_REC_CALL,               /* owner: struct goi_call */
    GOI_REC_TRY,                /* owner: struct goi_try in the caller's frame; runs at once */
};

/* Makes a call from registers and stack arguments (record.S). vec may be NULL. */
long goi_replay(goi_fn fn, const uint64_t *regs, const void *vec, const void *stack,
                size_t stack_bytes) GOI_HIDDEN;
long goi_replay_record(const struct goi_record *r);

/* The current goroutine, inside or outside the runtime; adopts a foreign thread. */
GOI_INLINE struct g *goi_call_self(void)
{
    struct m *m = goi_m();
    return GOI_LIKELY(m != NULL) ? m->g : goi_self_g();
}

/* Where the stack of a goroutine that shall be started begins: below its record. 16-aligned. */
GOI_INLINE void *goi_call_stack_top(const struct g *g) { return g->unwind.record; }

/* Makes the call that g, the current goroutine, was started for, and tells g->done. Outside the
 * runtime; afterwards goi_g_exit() is due. Does not return when the call ended by go_exit. */
void goi_call_run_entry(struct g *g);

/* Starts a goroutine that runs a call kept for later; the goroutine holds a reference. Inside the
 * runtime; does not park, does not run it. */
void goi_call_spawn(struct m *m, struct goi_call *c);
void goi_call_ref(struct goi_call *c);
/* As goi_call_spawn, but the caller's reference goes to the goroutine. */
void goi_call_spawn_last(struct m *m, struct goi_call *c);

#endif
