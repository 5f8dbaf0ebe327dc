/* SPDX-License-Identifier: MIT */
/* signal.c: signals to channels and contexts.
 *
 * A handler may do next to nothing: it sets the signal's bit in `pending` and writes to an eventfd.
 * A goroutine that waits for that takes the bits and sends. It runs while anybody wants a signal;
 * as it waits for a descriptor, there is no deadlock verdict in a program that could be woken by a
 * signal, and busy processors delay it no longer than any other descriptor. Where nobody receives
 * what it would send, its wait does not count (nobody_waits; sched/deadlock.c V4). Signals that
 * arrive faster than they are taken become one, as the kernel does with its own.
 *
 * Not signalfd: it wants the signals blocked in every thread, also in those that others make, and
 * the mask would go on to every program that is executed.
 *
 * Handlers are installed with SA_RESTART. Calls that return EINTR in spite of it (poll, sleep) do
 * so in the thread that the kernel has picked; those of the library retry.
 *
 *   G1  The handler is installed for a signal exactly while somebody wants it; what was there
 *       before is kept meanwhile. (adjust_locked)
 *   G2  No value is sent on a channel after its stop has returned: both hold the table's lock.
 *   G3  The eventfd and its watch, once made, stay: a handler may be under way in some thread.
 *
 * [SIGBIT] pending: release by the handler, acquire by the goroutine; the write to the eventfd
 * comes after the bit, and the goroutine reads the eventfd before it takes the bits, so none stays
 * behind.
 */
#include "net/internal.h"
/* style: layer because a handler may touch nothing but atomics. */
#include "base/atomic.h"
/* style: layer because the verdict of a deadlock asks who would be woken by a signal. */
#include "chan/chan.h"
#include "context/quiet.h" /* style: layer because of the same question. */
#include "sched/sched.h" /* style: layer because of the same question. */
#include <ctype.h>
#include <gort/go.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SIGNALS = 64 };

/* Who wants what: a channel, or a context that ends with it. */
struct want {
    struct want *next;
    uint64_t mask;
    struct go_chan *c;          /* one reference is ours; NULL: a context */
    go_ctx *ctx;                /* ours; its child is the user's */
};

static go_mutex table;
static struct want *wants;                      /* guarded by table */
static uint64_t caught;                         /* guarded by table: G1 */
static struct sigaction before[SIGNALS + 1];    /* guarded by table */
static bool running;                            /* guarded by table: the goroutine */
static go_watch *bell_watch;                    /* guarded by table until the goroutine runs */
static int bell = -1;                           /* G3 */
static goi_a64 pending;                         /* [a:SIGBIT] */

static uint64_t bit(int sig) { return UINT64_C(1) << (sig - 1); }

static void on_signal(int sig)
{
    const uint64_t one = 1;
    int saved = errno;
    or_rel(&pending, bit(sig)); /* [SIGBIT] */
    if (write(bell, &one, sizeof one) < 0) {
        errno = saved; /* full: somebody has yet to look */
    }
    errno = saved;
}

/* Signals that an instruction raises, that cannot be caught, or that belong to the C library. */
static bool catchable(int sig)
{
    switch (sig) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGKILL:
    case SIGSTOP:
        return false;
    default:
        return sig >= 1 && sig <= SIGNALS && (sig < 32 || sig >= SIGRTMIN);
    }
}

/* G1 */
static void adjust_locked(void)
{
    uint64_t wanted = 0;
    for (const struct want *w = wants; w != NULL; w = w->next) {
        wanted |= w->mask;
    }
    for (int sig = 1; sig <= SIGNALS; sig++) {
        if ((wanted & ~caught & bit(sig)) != 0) {
            struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
            sigfillset(&sa.sa_mask);
            if (sigaction(sig, &sa, &before[sig]) == 0) {
                caught |= bit(sig);
            }
        } else if ((caught & ~wanted & bit(sig)) != 0) {
            (void)sigaction(sig, &before[sig], NULL);
            caught &= ~bit(sig);
        }
    }
}

static void cancel(struct want *w, int sig)
{
    char why[64];
    snprintf(why, sizeof why, "%s signal received", strsignal(sig));
    why[0] = (char)tolower((unsigned char)why[0]);
    go_ctx_cancel_cause(w->ctx, -EINTR, why);
}

static void deliver_locked(uint64_t bits)
{
    for (int sig = 1; sig <= SIGNALS; sig++) {
        for (struct want *w = wants; w != NULL && (bits & bit(sig)) != 0; w = w->next) {
            if ((w->mask & bit(sig)) != 0 && w->c != NULL) {
                (void)goi_chan_try_send(w->c, &sig); /* G2; no room: dropped */
            } else if ((w->mask & bit(sig)) != 0) {
                cancel(w, sig);
            }
        }
    }
}

/* While nothing in the process runs: is the goroutine waiting for the bell, for nobody's sake? It
 * holds the table only where it may wait for contexts to end. */
static uint32_t nobody_waits(void)
{
    if (!running || ld_rlx(goi_word32(&table.state)) != 0) {
        return 0;
    }
    for (const struct want *w = wants; w != NULL; w = w->next) {
        if (w->c != NULL ? ld_rlx(&w->c->recvq.n) != 0 : goi_ctx_wakes(w->ctx)) {
            return 0;
        }
    }
    return 1;
}

static void relay(void)
{
    bool on = true;
    go_set_name("gort signals");
    while (on) { /* ends when nobody wants a signal */
        go_mark mark;
        uint64_t count;
        int r = go_watch_try(bell_watch, GO_READ, &mark);
        if (r == 1 && read(bell, &count, sizeof count) < 0) {
            r = 0;
        }
        if (r == 0 && go_watch_wait(bell_watch, GO_READ, mark) < 0) {
            break; /* never: it is neither closed nor has it a deadline */
        }
        if (r == 1) {
            go_mutex_lock(&table);
            deliver_locked(xchg_acq(&pending, 0)); /* [SIGBIT] */
            on = wants != NULL;
            running = on;
            go_mutex_unlock(&table);
        }
    }
}

static int start_locked(void)
{
    int r = 0;
    if (bell < 0) {
        bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = bell >= 0 ? go_watch_open(bell, &bell_watch) : -errno;
    }
    if (r != 0) {
        if (bell >= 0) {
            close(bell); /* no handler has seen it */
            bell = -1;
        }
    } else if (!running) {
        running = true;
        goi_io_hands_on(nobody_waits);
        go_spawn(relay);
    }
    return r;
}

/* What was pending for nobody must not reach the next one who wants it. */
static void add_locked(struct want *w, uint64_t mask)
{
    if (wants == NULL) {
        st_rlx(&pending, 0); /* no handler is installed */
    }
    w->mask |= mask;
}

/* 0 and the mask, or -EINVAL. No signals: all that can be caught, without those of abort(). */
static int mask_of(const int *signals, size_t n, uint64_t *mask)
{
    *mask = 0;
    for (size_t i = 0; i < n; i++) {
        if (!catchable(signals[i])) {
            return -EINVAL;
        }
        *mask |= bit(signals[i]);
    }
    for (int sig = 1; sig <= SIGNALS && n == 0; sig++) {
        *mask |= catchable(sig) && sig != SIGABRT ? bit(sig) : 0;
    }
    return 0;
}

int goi_signal_notify(struct go_chan *c, const int *signals, size_t n)
{
    uint64_t mask;
    if (c == NULL || mask_of(signals, n, &mask) != 0) {
        return -EINVAL;
    }
    go_mutex_lock(&table);
    struct want *w = wants;
    while (w != NULL && w->c != c) {
        w = w->next;
    }
    int r = start_locked();
    if (r == 0 && w == NULL) {
        w = calloc(1, sizeof *w);
        r = w != NULL ? 0 : -ENOMEM;
        if (r == 0) {
            w->c = goi_chan_ref(c);
            add_locked(w, 0);
            w->next = wants;
            wants = w;
        }
    }
    if (r == 0) {
        add_locked(w, mask);
        adjust_locked();
    }
    go_mutex_unlock(&table);
    return r;
}

/* Takes w off the table. Nobody is left: the goroutine is told to look, and ends. */
static void remove_locked(struct want *w)
{
    const uint64_t one = 1;
    struct want **at = &wants;
    while (*at != w) { /* ends: it is there */
        at = &(*at)->next;
    }
    *at = w->next;
    adjust_locked();
    if (wants == NULL && write(bell, &one, sizeof one) < 0) {
        return; /* full: it will look anyway */
    }
}

void goi_signal_stop(struct go_chan *c)
{
    go_mutex_lock(&table);
    struct want *w = wants;
    while (w != NULL && (c == NULL || w->c != c)) {
        w = w->next;
    }
    if (w != NULL) {
        remove_locked(w);
    }
    go_mutex_unlock(&table);
    if (w != NULL) {
        goi_chan_free(w->c);
        free(w);
    }
}

/* In a goroutine of its own, when the user's context has ended. */
static void forget(struct want *w)
{
    go_mutex_lock(&table);
    remove_locked(w);
    go_mutex_unlock(&table);
    go_ctx_free(w->ctx);
    free(w);
}

/* Two contexts: the inner one is ours and is ended by a signal, the outer one is the user's, who
 * may release it at any time without our noticing before it is gone. */
go_ctx *goi_signal_ctx(go_ctx *parent, const int *signals, size_t n)
{
    uint64_t mask;
    struct want *w = mask_of(signals, n, &mask) == 0 ? calloc(1, sizeof *w) : NULL;
    if (w == NULL) {
        return NULL;
    }
    w->ctx = go_ctx_with_cancel(parent);
    go_ctx *outer = w->ctx != NULL ? go_ctx_with_cancel(w->ctx) : NULL;
    int r = outer != NULL ? 0 : -ENOMEM;
    if (r == 0) {
        go_mutex_lock(&table);
        r = start_locked();
        if (r == 0) {
            add_locked(w, mask);
            w->next = wants;
            wants = w;
            adjust_locked();
        }
        go_mutex_unlock(&table);
    }
    go_ctx_after *after = r == 0 ? go_ctx_after_func(outer, forget, w) : NULL;
    if (after != NULL) {
        goi_ctx_after_wakes_nobody(after);
        return outer;
    }
    go_ctx_free(outer);
    if (r == 0) {
        forget(w);
    } else {
        go_ctx_free(w->ctx);
        free(w);
    }
    return NULL;
}
