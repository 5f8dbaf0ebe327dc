/* SPDX-License-Identifier: MIT */
/* chan.h: the inside of a channel, for chan.c, select.c, timers and reports. */
#ifndef GOI_CHAN_CHAN_H
#define GOI_CHAN_CHAN_H
#include "annot/annot.h"
#include "sched/sched.h"
#include <gort/chan.h>

/* A goroutine that waits on a channel; lives on its stack. */
struct goi_waiter {
    struct goi_waiter *next, *prev;     /* [l:chan] */
    struct g *g;                        /* [c] */
    void *value;                        /* [c] where the element goes to or comes from; or NULL */
    struct go_chan *c;                  /* [c] */
    uint32_t ticket;                    /* [c] of the claim, when `claimed` is set */
    bool claimed;                       /* [c] must be won by goi_claim: select, deadline */
    bool queued;                        /* [l:chan] */
    bool ok;                            /* set by the waker: a value passed (not: closed) */
    uint16_t index;                     /* [c] case of a select */
};

struct goi_waitq { struct goi_waiter *first, *last; goi_a32 n; };

/* closed: FREED stays behind in freed memory until something else lies there, so that most uses of
 * a freed channel are told what they are. (The first 16 bytes are the allocator's by then.) */
enum { GOI_CHAN_OPEN, GOI_CHAN_CLOSED, GOI_CHAN_FREED };

struct go_chan {
    size_t cap;                         /* [c] */
    size_t send_at;                     /* [l] next slot */
    struct goi_lock lock;
    goi_a32 closed;                     /* [w:lock] GOI_CHAN_* */
    goi_a32 count;                      /* [w:lock] elements buffered */
    uint32_t elem;                      /* [c] bytes of an element */
    size_t recv_at;                     /* [l] next slot */
    struct goi_waitq recvq, sendq;      /* [l], n readable anywhere */
    struct go_timer *timer;             /* [c] where its values come from (below), or NULL */
    goi_a32 refs;                       /* [a:REF] */
    goi_a32 visited;                    /* [w:lock] a guest has been here: free looks closer */
    uint32_t guests;                    /* [l] waits that come back for the lock (chan.c, C6) */
    bool abandoned;                     /* [l] freed: the last guest releases the memory */
    bool quiet;                         /* [c] belongs to the runtime: not in leak reports */
    const char *type, *site;            /* [c] */
    char *buf;                          /* [c] behind the struct */
};

/* --- the channel of a timer (chan/timer_chan.c). len and cap read 0. Nobody sends: the time lies
 * in the buffer when somebody looks and it is due, and the timer runs only while receivers wait. */
/* Would a receive get the time? Without the lock: a hint. */
bool goi_timer_due(const struct go_timer *t);
/* Under the channel's lock: what is due goes into the buffer. Before every receive. */
void goi_timer_poll_locked(struct go_timer *t);
/* Under the channel's lock: a receiver has been queued, or one has left without a value. */
void goi_timer_watch_locked(struct m *m, struct go_timer *t);
void goi_timer_unwatch_locked(struct go_timer *t);

/* Under the channel's lock, when only the heap's entry may be left to hold it: whether there is
 * one; and takes it out with its reference, if it has not fired. */
bool goi_timer_queued(const struct go_timer *t);
bool goi_timer_let_go_locked(struct go_timer *t);

/* Both ends checked under the lock; paranoid builds and tests. */
void goi_chan_check_locked(struct go_chan *c);

/* --- shared by chan.c and select.c */
GOI_INLINE void goi_elem_copy(void *to, const void *from, uint32_t n)
{
    switch (n) {
    case 8:
        __builtin_memcpy(to, from, 8);
        break;
    case 4:
        __builtin_memcpy(to, from, 4);
        break;
    case 16:
        __builtin_memcpy(to, from, 16);
        break;
    case 0:
        break;
    default:
        goi_unseen_copy(to, from, n); /* one of the two is not the caller's */
        break;
    }
}

/* The sizes that are copied without a call: 1, 2, 4, 8, 16. */
GOI_INLINE bool goi_elem_common(uint32_t n)
{
    return n <= 16 && (((uint32_t)1 << n) & 0x10116u) != 0;
}

GOI_INLINE void goi_elem_copy_common(void *to, const void *from, uint32_t n)
{
    if (GOI_LIKELY(n == 8)) {
        __builtin_memcpy(to, from, 8);
    } else if (n == 4) {
        __builtin_memcpy(to, from, 4);
    } else if (n == 16) {
        __builtin_memcpy(to, from, 16);
    } else if (n == 1) {
        __builtin_memcpy(to, from, 1);
    } else {
        __builtin_memcpy(to, from, 2);
    }
}

GOI_INLINE char *goi_chan_slot(struct go_chan *c, size_t i) { return c->buf + i * c->elem; }

GOI_INLINE void goi_waitq_push(struct goi_waitq *q, struct goi_waiter *w)
{
    goi_assert_hot(!w->queued);
    w->queued = true;
    w->next = NULL;
    w->prev = q->last;
    if (q->last != NULL) {
        q->last->next = w;
    } else {
        q->first = w;
    }
    q->last = w;
    st_rlx(&q->n, ld_rlx(&q->n) + 1);
}

GOI_INLINE void goi_waitq_remove(struct goi_waitq *q, struct goi_waiter *w)
{
    goi_assert_hot(w->queued);
    w->queued = false;
    if (w->prev != NULL) {
        w->prev->next = w->next;
    } else {
        q->first = w->next;
    }
    if (w->next != NULL) {
        w->next->prev = w->prev;
    } else {
        q->last = w->prev;
    }
    st_rlx(&q->n, ld_rlx(&q->n) - 1);
}

/* The first waiter that can be won; losers (claimed by another channel or a deadline) are dropped,
 * their owners are on the way to remove them. */
GOI_INLINE struct goi_waiter *goi_waitq_pop(struct goi_waitq *q)
{
    for (;;) { /* ends: each turn shortens the queue */
        struct goi_waiter *w = q->first;
        if (w == NULL) {
            return NULL;
        }
        goi_waitq_remove(q, w);
        if (!w->claimed || goi_claim(w->g, w->ticket)) {
            return w;
        }
    }
}

/* Under the lock: a wait begins that takes the lock again when it is over, and is over. True: the
 * channel has been freed meanwhile, and its memory is the caller's to free after the unlock. C6 */
GOI_INLINE void goi_chan_guest_enter(struct go_chan *c)
{
    c->guests++;
    st_rlx(&c->visited, 1);
}

GOI_INLINE bool goi_chan_guest_leave(struct go_chan *c)
{
    goi_assert_hot(c->guests > 0);
    return --c->guests == 0 && GOI_UNLIKELY(c->abandoned);
}

/* What an attempt under the lock found. */
enum goi_attempt { GOI_TRY_WAIT, GOI_TRY_DONE, GOI_TRY_CLOSED };
/* One attempt, under c->lock. On DONE *wake is a goroutine to ready after the unlock, or NULL. */
enum goi_attempt goi_chan_send_locked(struct go_chan *c, const void *v, struct g **wake);
enum goi_attempt goi_chan_recv_locked(struct go_chan *c, void *v, struct g **wake);

/* Could a send / a receive proceed, as far as one can see without the lock? [CHAN-TRY] closed is
 * read last, with acquire. */
GOI_INLINE bool goi_chan_may_send(const struct go_chan *c)
{
    return ld_rlx(&c->recvq.n) != 0 || ld_rlx(&c->count) < c->cap || ld_acq(&c->closed) != 0;
}

GOI_INLINE bool goi_chan_may_recv(const struct go_chan *c)
{
    uint32_t some = ld_rlx(&c->count) | ld_rlx(&c->sendq.n); /* one branch instead of three */
    some |= ld_acq(&c->closed);
    return some != 0 || (GOI_UNLIKELY(c->timer != NULL) && goi_timer_due(c->timer));
}

#endif
