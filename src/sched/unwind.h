/* SPDX-License-Identifier: MIT */
/* unwind.h: what a goroutine carries for recorded calls, deferred calls and panics. The protocols
 * are in call.c (recording), defer.c (the list) and panic.c (unwinding). Zero is valid. */
#ifndef GOI_SCHED_UNWIND_H
#define GOI_SCHED_UNWIND_H
#include "base/base.h"
#include <gort/detail/call.h>

struct goi_try_frame; /* sched/panic.h */
struct goi_panic;

/* Touched only by the goroutine itself, but for `record`, which its starter writes before the
 * goroutine can run. */
struct goi_unwind {
    struct goi_record *pending;     /* [o] calls being recorded, the innermost first */
    struct goi_cleanup *cleanups;   /* [o] deferred calls and guards, the newest first */
    struct goi_try_frame *tries;    /* [o] enclosing go_try, the innermost first */
    struct goi_panic *panics;       /* [o] panics and go_exits under way, the newest first */
    struct goi_record *record;      /* [c] the call it was started with, at the top of its stack */
};

#endif
