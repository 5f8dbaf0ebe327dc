/* SPDX-License-Identifier: MIT */
/* timer_chan.h: go_timer and go_ticker: a channel with a clock, or a function that is called. */
#ifndef GOI_CHAN_TIMER_CHAN_H
#define GOI_CHAN_TIMER_CHAN_H
#include "chan/chan.h"
#include "time/timer.h"
#include <gort/time.h>

enum goi_timer_kind { GOI_TIMER_CHAN, GOI_TIMER_FUNC };

/* A timer with a function uses of `chan` the lock and the count of references only. */
struct go_timer {
    struct go_chan chan;        /* first: goi_chan_free() frees all of it */
    go_time slot;               /* [l:chan] the channel's buffer */
    enum goi_timer_kind kind;   /* [c] */
    bool queued;                /* [l:chan] node is in a heap, or its late work is to come */
    goi_ai64 when;              /* [w:chan] when it is due; GOI_FOREVER: stopped, or taken */
    int64_t period;             /* [l:chan] of a ticker, else 0 */
    struct goi_timer node;
    struct goi_call *call;      /* [c] GOI_TIMER_FUNC */
};

/* A ticker is the same thing under another name. */
struct go_ticker { struct go_timer timer; };

#endif
