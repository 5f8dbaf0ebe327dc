/* SPDX-License-Identifier: MIT */
/* time.h: sleeping, timers, tickers. The semantics are those of Go 1.23 and later: a timer's
 * channel is unbuffered as far as anybody can see, and after stop or reset no stale value comes. */
#ifndef GO_TIME_H
#define GO_TIME_H

#include <gort/base.h>
#include <gort/chan.h>
#include <gort/go.h>

GO_BEGIN_DECLS

/* Now, in nanoseconds of the monotonic clock. Only differences mean something. */
GO_API go_time go_now(void);
/* go_now() - t. */
GO_API go_duration go_since(go_time t);

/* Parks for at least d; returns at once when d <= 0. Until the time t; at once when it is past. */
GO_API void go_sleep(go_duration d);
GO_API void go_sleep_until(go_time t);

/* A channel that gets one value, the time, after d. Dropped together with its last reference; free
 * it with go_chan_free when it is no longer wanted. In a select, `after(name, d)` is cheaper.
 * Running out of memory is fatal: `out of memory (go_after)`. */
GO_API go_recv_chan(go_time) go_after(go_duration d);

typedef struct go_timer go_timer;
typedef struct go_ticker go_ticker;

/* A timer that sends the time on its channel once, after d. NULL when out of memory. */
GO_NODISCARD GO_API go_timer *go_timer_make(go_duration d);
/* Its channel, of length and capacity 0; belongs to the timer. NULL for a timer with a function. */
GO_API go_recv_chan(go_time) go_timer_c(go_timer *t);
/* Stops it: true when nobody had the value yet, also if it was due: it will not come any more.
 * False when it had been received or stopped before. Afterwards the channel gives nothing (until a
 * reset). For a timer with a function: true when that has not been started and will not be; false
 * when it has (it is not waited for) or had been stopped. NULL panics, here and in reset: `time:
 * Stop called on uninitialized Timer`, `time: Reset called on uninitialized Timer`. */
GO_API bool go_timer_stop(go_timer *t);
/* Starts it anew with d from now. The result is that of stop: true when it was still running. */
GO_API bool go_timer_reset(go_timer *t, go_duration d);
/* Stops it and releases it. NULL is allowed. A function under way goes on. While a goroutine waits
 * on its channel: `fatal error: free of channel in use`. */
GO_API void go_timer_free(go_timer *t);

/* go_timer *go_after_func(d, fn, args...): runs fn(args...) in a goroutine of its own after d;
 * after a reset again, with the same arguments. Takes the call over. NULL when out of memory for
 * the timer; for what records the call or starts the goroutine it is fatal. */
GO_NODISCARD GO_API go_timer *goi_after_func(go_duration d, struct goi_call *call);

/* A ticker sends the time every d (which must be positive: `non-positive interval for NewTicker`).
 * Ticks that nobody takes are dropped. NULL when out of memory. */
GO_NODISCARD GO_API go_ticker *go_ticker_make(go_duration d);
GO_API go_recv_chan(go_time) go_ticker_c(go_ticker *t);
/* Stop: no more ticks; does not close the channel; NULL is allowed. Reset: starts (again) with this
 * interval; panics with `non-positive interval for Ticker.Reset` when d <= 0, and for NULL with
 * `time: Reset called on uninitialized Ticker`. */
GO_API void go_ticker_stop(go_ticker *t);
GO_API void go_ticker_reset(go_ticker *t, go_duration d);
/* Stops and releases. NULL is allowed. While a goroutine waits on its channel: as for a timer. */
GO_API void go_ticker_free(go_ticker *t);

GO_END_DECLS

#if !defined(__cplusplus)
#define go_after_func(d, ...) GOI_AFTER_FUNC(__COUNTER__, d, __VA_ARGS__)
#define GOI_AFTER_FUNC(N, d, ...) __extension__({ \
        go_duration GOI_CAT(goi_d_, N) = (d); \
        struct goi_call *GOI_CAT(goi_call_, N) = NULL; \
        GOI_CALL(GOI_HEAD_CALL, (&GOI_CAT(goi_call_, N)), "after_func", __VA_ARGS__); \
        goi_after_func(GOI_CAT(goi_d_, N), GOI_CAT(goi_call_, N)); \
    })
#else
#define go_after_func(d, ...) (goi_after_func((d), goi::make_call(GOI_SITE, __VA_ARGS__)))
#endif

#endif
