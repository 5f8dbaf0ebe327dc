/* SPDX-License-Identifier: MIT */
/* outcome.c: how the user's function ended that the library called. Who asks is a cleanup of the
 * frame that called it, and has seen that the function did not return. */
#include "sched/call.h"
#include "sched/panic.h"
#include "sync/internal.h"

enum goi_outcome goi_outcome_of_unwinding(const char **message)
{
    const struct goi_panic *p = goi_call_self()->unwind.panics;
    *message = NULL;
    if (p == NULL) {
        return GOI_THREW;
    }
    if (p->goexit) {
        return GOI_EXITED;
    }
    *message = p->message;
    return GOI_PANICKED;
}
