/* SPDX-License-Identifier: MIT */
/* syncq.h: a queue of goroutines that wait for one object of src/sync.
 *
 * A waiter record lives on the stack of the goroutine that waits. The queue is one pointer inside
 * the public struct (all zero = empty): the records form a ring through `next` and `prev`, the
 * pointer names the first, whose `prev` is the last. Everything is plain memory under the lock of
 * the object, which may be a bit of its state word. Includes nothing but base and the claim, so
 * that it can be tested alone.
 *
 *   W1  A record on a queue has both links set, one off it has neither.       (asserts)
 *   W2  A record that is taken off by somebody else than its owner is not touched after the
 *       object's lock is released: the owner may return from the call and its stack be gone.
 *       Whoever needs the goroutine copies `g` under the lock.                (every user)
 *   W3  A record with `limited` set is waited for by others too (a timer, a context). It counts as
 *       taken only if goi_claim() was won, and the claim is tried under the object's lock.
 *
 * Rejected: Go's table of semaphores hashed by address. It costs a hash, a lock that strangers
 * share and a treap on every contended operation; what it buys, 4 bytes in the object instead of
 * 12, is nothing in C, where a mutex lies inside something larger.
 */
#ifndef GOI_SYNC_SYNCQ_H
#define GOI_SYNC_SYNCQ_H
#include "base/assert.h"

struct g;

struct goi_sync_waiter {
    struct goi_sync_waiter *next, *prev; /* [l:object] */
    struct g *g;                    /* [c] */
    uint32_t ticket;                /* [c] of goi_claim_begin, if limited */
    bool limited;                   /* [c] W3 */
    uint8_t given;                  /* [s:waiting] what the waker did for us */
    uint16_t kind;                  /* [c] meaning belongs to the object: reader, writer */
    int64_t since;                  /* [c] when the wait began, where fairness asks for it */
    int64_t amount;                 /* [c] how much is waited for (semaphore) */
};

static inline bool goi_sync_queued(const struct goi_sync_waiter *w) { return w->next != NULL; }

/* Puts w before `at`; the common part of both pushes. */
static inline void goi_syncq_link(struct goi_sync_waiter *at, struct goi_sync_waiter *w)
{
    goi_assert_hot(w->next == NULL);
    goi_assert_hot(w->prev == NULL); /* W1 */
    w->next = at;
    w->prev = at->prev;
    at->prev->next = w;
    at->prev = w;
}

static inline void goi_syncq_push_back(void **head, struct goi_sync_waiter *w)
{
    struct goi_sync_waiter *first = *head;
    if (first == NULL) {
        goi_assert_hot(w->next == NULL); /* W1 */
        w->next = w->prev = w;
        *head = w;
        return;
    }
    goi_syncq_link(first, w);
}

static inline void goi_syncq_push_front(void **head, struct goi_sync_waiter *w)
{
    goi_syncq_push_back(head, w);
    *head = w;
}

static inline void goi_syncq_remove(void **head, struct goi_sync_waiter *w)
{
    goi_assert_hot(w->next != NULL);
    goi_assert_hot(w->next->prev == w);
    goi_assert_hot(w->prev->next == w); /* W1 */
    if (w->next == w) {
        goi_assert_hot(*head == w);
        *head = NULL;
    } else {
        w->next->prev = w->prev;
        w->prev->next = w->next;
        if (*head == w) {
            *head = w->next;
        }
    }
    w->next = w->prev = NULL;
}

static inline struct goi_sync_waiter *goi_syncq_pop(void **head)
{
    struct goi_sync_waiter *w = *head;
    if (w != NULL) {
        goi_syncq_remove(head, w);
    }
    return w;
}

static inline struct goi_sync_waiter *goi_syncq_first(void *const *head) { return *head; }

#endif
