/* SPDX-License-Identifier: MIT */
/* runq.h: a queue of runnable goroutines, linked through the goroutines themselves.
 *
 * Plain memory: a P's queues belong to whoever owns the P inside the runtime, the global queue to
 * the holder of sched.lock. Only the length is read by others, as a hint. Includes nothing but base
 * and knows of a goroutine only its two links, so that it can be tested alone.
 *
 *   Q1  n is the number of nodes from head to tail, and head is NULL iff tail is.  (runq_check)
 *   Q2  A goroutine is on at most one queue: its links are NULL when on none.      (asserts)
 */
#ifndef GOI_SCHED_RUNQ_H
#define GOI_SCHED_RUNQ_H
#include "base/assert.h"
#include "base/atomic.h"

struct goi_runnable { struct goi_runnable *next, *prev; };

struct goi_runq {
    struct goi_runnable *head, *tail;
    goi_a32 n;
    goi_a32 drains;     /* [stat] times it ran empty: has anything waited since the last look? */
};

GOI_INLINE uint32_t goi_runq_len(const struct goi_runq *q) { return ld_rlx(&q->n); }

GOI_INLINE void goi_runq_push_tail(struct goi_runq *q, struct goi_runnable *r)
{
    goi_assert_hot(r->next == NULL);
    goi_assert_hot(r->prev == NULL); /* Q2 */
    r->prev = q->tail;
    if (q->tail != NULL) {
        q->tail->next = r;
    } else {
        q->head = r;
    }
    q->tail = r;
    st_rlx(&q->n, ld_rlx(&q->n) + 1);
}

GOI_INLINE void goi_runq_push_head(struct goi_runq *q, struct goi_runnable *r)
{
    goi_assert_hot(r->next == NULL);
    goi_assert_hot(r->prev == NULL); /* Q2 */
    r->next = q->head;
    if (q->head != NULL) {
        q->head->prev = r;
    } else {
        q->tail = r;
    }
    q->head = r;
    st_rlx(&q->n, ld_rlx(&q->n) + 1);
}

/* `at` is on the queue. */
GOI_INLINE void goi_runq_insert_after(struct goi_runq *q, struct goi_runnable *at,
                                      struct goi_runnable *r)
{
    goi_assert_hot(r->next == NULL);
    goi_assert_hot(r->prev == NULL); /* Q2 */
    r->prev = at;
    r->next = at->next;
    if (at->next != NULL) {
        at->next->prev = r;
    } else {
        q->tail = r;
    }
    at->next = r;
    st_rlx(&q->n, ld_rlx(&q->n) + 1);
}

GOI_INLINE struct goi_runnable *goi_runq_pop_head(struct goi_runq *q)
{
    struct goi_runnable *r = q->head;
    if (r == NULL) {
        return NULL;
    }
    q->head = r->next;
    if (q->head != NULL) {
        q->head->prev = NULL;
    } else {
        q->tail = NULL;
        st_rlx(&q->drains, ld_rlx(&q->drains) + 1); /* [stat] */
    }
    r->next = NULL;
    st_rlx(&q->n, ld_rlx(&q->n) - 1);
    return r;
}

/* Takes the head of a queue that has one, and puts r at the tail. It is not empty meanwhile. */
GOI_INLINE struct goi_runnable *goi_runq_rotate(struct goi_runq *q, struct goi_runnable *r)
{
    struct goi_runnable *first = q->head;
    struct goi_runnable *next = first->next;
    goi_assert_hot(r->next == NULL);
    goi_assert_hot(r->prev == NULL); /* Q2 */
    if (next != NULL) {
        r->prev = q->tail;
        r->prev->next = r;
        next->prev = NULL;
        first->next = NULL;
        q->head = next;
    } else {
        q->head = r;
    }
    q->tail = r;
    return first;
}

/* r is on the queue. */
GOI_INLINE void goi_runq_remove(struct goi_runq *q, struct goi_runnable *r)
{
    if (r->prev == NULL) {
        goi_assert_hot(q->head == r); /* Q2 */
        (void)goi_runq_pop_head(q);
        return;
    }
    r->prev->next = r->next;
    if (r->next != NULL) {
        r->next->prev = r->prev;
    } else {
        goi_assert_hot(q->tail == r); /* Q2 */
        q->tail = r->prev;
    }
    r->next = NULL;
    r->prev = NULL;
    st_rlx(&q->n, ld_rlx(&q->n) - 1);
}

GOI_INLINE struct goi_runnable *goi_runq_pop_tail(struct goi_runq *q)
{
    struct goi_runnable *r = q->tail;
    if (r == NULL) {
        return NULL;
    }
    q->tail = r->prev;
    if (q->tail != NULL) {
        q->tail->next = NULL;
    } else {
        q->head = NULL;
        st_rlx(&q->drains, ld_rlx(&q->drains) + 1); /* [stat] */
    }
    r->prev = NULL;
    st_rlx(&q->n, ld_rlx(&q->n) - 1);
    return r;
}

/* Moves `n` nodes from the head of `from` to the tail of `to`, order kept; or from the tail, so
 * that the oldest of a last-in-first-out queue goes first. */
void goi_runq_move_head(struct goi_runq *from, struct goi_runq *to, uint32_t n);
void goi_runq_move_tail(struct goi_runq *from, struct goi_runq *to, uint32_t n);
/* Validates Q1 and Q2; for tests and paranoid builds. */
void goi_runq_check(const struct goi_runq *q);

#endif
