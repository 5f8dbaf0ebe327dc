/* SPDX-License-Identifier: MIT */
/* chan.c: channels.
 *
 * One small lock per channel. A sender that finds a waiting receiver copies the value straight into
 * the receiver's variable (on the receiver's parked stack, which nobody else touches), so an
 * unbuffered channel never stores anything. Otherwise the value goes into the buffer, or the sender
 * queues a record that points at it and parks; the commit of the park releases the channel's lock.
 *
 *   C1  Not both receivers and senders wait, but for one select that does both.  (check)
 *   C2  If receivers wait the buffer is empty, if senders wait it is full,
 *       on a channel that is not closed.                                          (check)
 *   C3  On a closed channel nobody waits.                                         (check)
 *   C4  Waiters are served first come, first served.                              (fifo test)
 *   C5  The unlock is the last touch of the channel in every operation that lets another goroutine
 *       proceed: the receiver may free it as soon as it has the value. Wakes come after the unlock
 *       and touch only the woken goroutine.                                       (free test)
 *   C6  A wait that takes the lock once more when it is over (select, a deadline) is a guest from
 *       its first hold of the lock to its last. A channel that is freed while it has guests, who
 *       have been woken and are on their way, is abandoned: the last of them frees the memory. So
 *       `close; free`, and the free of a context, need not wait for who has been woken. (free test)
 *
 * Without the lock: a try that cannot succeed returns at once. It reads the buffer's count and the
 * queue's length, then `closed`; since a channel never reopens, "not closed" read last means that
 * there was an instant when the channel was neither closed nor ready. [CHAN-TRY] acquire of closed
 * pairs with the release in close: what was sent before the close is seen by the second look.
 *
 * [REF] refs: release on the way down, acquire by the last, as any reference count.
 *
 * [LEN] Who is told a length, or by a try that the channel is closed, may free it because of
 * that, although the one who made it so has not unlocked yet. Changes of the count are releases
 * and a look at it acquires, as with `closed`, so that the free that follows sees the lock taken,
 * and takes it.
 *
 * For the race detector (annot.h) the orders are Go's, and nothing else. A slot of the buffer has
 * two tokens, one that its sends leave for its receives and one that its receives leave for its
 * sends: the k-th send is before the k-th receive, and that before the k+C-th send; two sends are
 * not ordered by what lies between them. A value that passes a waiter by goes through the slot all
 * the same, for both. Without a buffer the two sides are ordered both ways, through the waiter's
 * record. Close is a release on the channel, a receive that returns because of it an acquire; it is
 * also a write of the channel, which a send reads: which of them comes first must be certain.
 *
 * Rejected: lock-free rings. They win for many-to-many traffic on buffered channels only, cannot
 * hand a value to a select atomically, and make close and len lie.
 */
#include "chan/chan.h"
#include "annot/annot.h"
#include "sched/fast.h"
#include "time/deadline.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT_SHIFT = 47 };

struct go_chan *goi_chan_make(size_t size, size_t capacity, const char *type, const char *site)
{
    size_t bytes;
    if (size > UINT32_MAX || capacity > UINT32_MAX ||
        __builtin_mul_overflow(size, capacity, &bytes) || bytes >> SIZE_LIMIT_SHIFT != 0) {
        goi_panic_text("makechan: size out of range");
    }
    struct go_chan *c = malloc(sizeof *c + bytes + (goi_race_linked() ? 2 * capacity : 0));
    if (c == NULL) {
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->elem = (uint32_t)size;
    c->cap = capacity;
    c->type = type;
    c->site = site;
    c->buf = (char *)(c + 1);
    st_rlx(&c->refs, 1);
    return c;
}

struct go_chan *goi_chan_ref(struct go_chan *c)
{
    if (c != NULL && add_rlx(&c->refs, 1) == 0) { /* otherwise the caller has a reference */
        goi_fatal("reference to freed channel");
    }
    return c;
}

static GOI_COLD void free_in_use(void) { goi_fatal("free of channel in use"); }

static bool in_use(const struct go_chan *c)
{
    return ld_rlx(&c->recvq.n) != 0 || ld_rlx(&c->sendq.n) != 0;
}

/* The last reference is gone, but a guest may not be, or it is the channel of a timer, whose entry
 * in the heap holds a reference that keeps nobody's place in the queue. Inside the runtime or
 * outside, as the end of a context is. */
static GOI_NOINLINE void free_locked(struct go_chan *c)
{
    struct m *m = goi_m();
    bool enter = m == NULL || ld_rlx(&m->in_rt) == 0;
    m = enter ? goi_enter() : m;
    goi_lock(&c->lock);
    bool last = true;
    if (c->timer != NULL) {
        uint32_t before = sub_acqrel(&c->refs, 1); /* [REF] */
        goi_must(before > 0);
        last = before == 1 || (before == 2 && !in_use(c) && goi_timer_let_go_locked(c->timer));
    }
    bool used = (last || (ld_rlx(&c->refs) == 1 && goi_timer_queued(c->timer))) && in_use(c);
    c->abandoned = last && c->guests > 0; /* C6 */
    bool release = last && c->guests == 0;
    goi_unlock(&c->lock); /* C5 */
    if (enter) {
        goi_leave(m);
    }
    if (used) {
        free_in_use();
    }
    if (release) {
        free(c);
    }
}

void goi_chan_free(struct go_chan *c)
{
    if (c == NULL) {
        return;
    }
    if (GOI_UNLIKELY(c->timer != NULL)) {
        free_locked(c);
        return;
    }
    uint32_t before = sub_acqrel(&c->refs, 1); /* [REF] */
    if (GOI_UNLIKELY(before == 0)) {
        goi_fatal("free of freed channel");
    }
    if (before > 1) {
        return;
    }
    if (ld_rlx(&c->visited) != 0 || ld_acq(&c->lock.word) != 0) { /* [LEN], [LOCK] */
        free_locked(c);
        return;
    }
    if (in_use(c)) {
        free_in_use();
    }
    st_rlx(&c->closed, GOI_CHAN_FREED);
    st_rlx(&c->count, 0);
    free(c);
}

size_t goi_chan_len(const struct go_chan *c)
{
    return c == NULL || c->timer != NULL ? 0 : ld_acq(&c->count); /* [LEN] */
}

size_t goi_chan_cap(const struct go_chan *c) { return c == NULL || c->timer != NULL ? 0 : c->cap; }

void goi_chan_check_locked(struct go_chan *c)
{
    uint32_t count = ld_rlx(&c->count);
    goi_must(count <= c->cap);
    if (ld_rlx(&c->closed) != 0) {
        goi_must(c->recvq.first == NULL); /* C3 */
        goi_must(c->sendq.first == NULL); /* C3 */
        return;
    }
    if (c->recvq.first != NULL && c->sendq.first != NULL) {
        goi_must(c->recvq.first->g == c->sendq.first->g); /* C1 */
    }
    goi_must(c->recvq.first == NULL || count == 0);      /* C2 */
    goi_must(c->sendq.first == NULL || count == c->cap); /* C2 */
}

/* One end of slot i, for the race detector. The time of a timer has its start behind it. */
static GOI_COLD void race_slot(struct go_chan *c, size_t i, bool send)
{
    if (c->timer != NULL) {
        if (!send) {
            goi_race_acquire(c->timer);
        }
    } else if (goi_race_on()) {
        const char *token = c->buf + c->cap * c->elem + 2 * i;
        goi_race_release_store(send ? &token[0] : &token[1]);
        goi_race_acquire(send ? &token[1] : &token[0]);
    }
}

/* The same in the name of who waits with w. A thread cannot be spoken for: it gets, by way of its
 * record, an order more than it may rely on. */
static GOI_COLD void race_slot_of(struct go_chan *c, size_t i, struct goi_waiter *w, bool send)
{
    if (c->timer != NULL || !goi_race_on()) {
        return;
    }
    if ((w->g->flags & GOI_G_FOREIGN) != 0) {
        goi_race_acquire(w);
        race_slot(c, i, send);
        goi_race_release_store(w);
        return;
    }
    void *self = goi_race_as(&w->g->annot);
    race_slot(c, i, send);
    goi_race_back(self);
}

/* A sender and a waiting receiver, or a receiver and a waiting sender of a channel without buffer:
 * both sides have been there before either goes on. */
static GOI_COLD void race_meet(struct goi_waiter *w)
{
    goi_race_acquire(w);
    goi_race_release_store(w);
}

/* The value goes to a receiver that waits, as if it had been in the buffer, which is empty. */
static GOI_COLD void race_hand_over(struct go_chan *c, struct goi_waiter *w)
{
    if (c->cap == 0 || c->timer != NULL) {
        race_meet(w);
        return;
    }
    size_t i = c->recv_at;
    race_slot(c, i, true);
    race_slot_of(c, i, w, false);
    c->recv_at = i + 1 == c->cap ? 0 : i + 1;
    c->send_at = c->recv_at;
}

GOI_INLINE enum goi_attempt send_locked(struct go_chan *c, const void *v, struct g **wake)
{
    *wake = NULL;
    if (GOI_UNLIKELY(ld_rlx(&c->closed) != 0)) {
        if (ld_rlx(&c->closed) == GOI_CHAN_FREED) {
            goi_fatal("send on freed channel");
        }
        return GOI_TRY_CLOSED;
    }
    struct goi_waiter *w = goi_waitq_pop(&c->recvq);
    if (w != NULL) {
        if (w->value != NULL) {
            goi_elem_copy(w->value, v, c->elem);
        }
        if (goi_race_there()) {
            race_hand_over(c, w);
        }
        w->ok = true;
        w->g->wake_arg = w;
        *wake = w->g;
        return GOI_TRY_DONE;
    }
    uint32_t count = ld_rlx(&c->count);
    if (count < c->cap) {
        char *slot = goi_chan_slot(c, c->send_at);
        goi_elem_copy(slot, v, c->elem);
        if (goi_race_there()) {
            race_slot(c, c->send_at, true);
        }
        c->send_at = c->send_at + 1 == c->cap ? 0 : c->send_at + 1;
        st_rel(&c->count, count + 1); /* [LEN] */
        return GOI_TRY_DONE;
    }
    return GOI_TRY_WAIT;
}

/* A sender waits and the buffer is full: the oldest leaves, the sender's value follows. */
static GOI_NOINLINE void recv_from_full(struct go_chan *c, void *v, struct goi_waiter *w)
{
    char *slot = goi_chan_slot(c, c->recv_at);
    if (v != NULL) {
        goi_elem_copy(v, slot, c->elem);
    }
    goi_elem_copy(slot, w->value, c->elem);
    if (goi_race_there()) {
        race_slot(c, c->recv_at, false);
        race_slot_of(c, c->recv_at, w, true);
    }
    c->recv_at = c->recv_at + 1 == c->cap ? 0 : c->recv_at + 1;
    c->send_at = c->recv_at;
}

GOI_INLINE enum goi_attempt recv_locked(struct go_chan *c, void *v, struct g **wake)
{
    *wake = NULL;
    if (GOI_UNLIKELY(c->timer != NULL)) {
        goi_timer_poll_locked(c->timer);
    }
    uint32_t count = ld_rlx(&c->count);
    struct goi_waiter *w = c->sendq.first != NULL ? goi_waitq_pop(&c->sendq) : NULL;
    if (w != NULL) {
        goi_assert_hot(count == c->cap); /* C2 */
        if (count != 0) {
            recv_from_full(c, v, w);
        } else {
            if (v != NULL) {
                goi_elem_copy(v, w->value, c->elem);
            }
            if (goi_race_there()) {
                race_meet(w);
            }
        }
        w->ok = true;
        w->g->wake_arg = w;
        *wake = w->g;
        return GOI_TRY_DONE;
    }
    if (count > 0) {
        char *slot = goi_chan_slot(c, c->recv_at);
        if (v != NULL) {
            goi_elem_copy(v, slot, c->elem);
        }
        if (goi_race_there()) {
            race_slot(c, c->recv_at, false);
        }
        c->recv_at = c->recv_at + 1 == c->cap ? 0 : c->recv_at + 1;
        st_rel(&c->count, count - 1); /* [LEN] */
        return GOI_TRY_DONE;
    }
    if (ld_rlx(&c->closed) != 0) {
        if (ld_rlx(&c->closed) == GOI_CHAN_FREED) {
            goi_fatal("receive from freed channel");
        }
        goi_race_acquire(c);
        if (v != NULL) {
            memset(v, 0, c->elem);
        }
        return GOI_TRY_CLOSED;
    }
    return GOI_TRY_WAIT;
}

enum goi_attempt goi_chan_send_locked(struct go_chan *c, const void *v, struct g **wake)
{
    return send_locked(c, v, wake);
}

enum goi_attempt goi_chan_recv_locked(struct go_chan *c, void *v, struct g **wake)
{
    return recv_locked(c, v, wake);
}

/* A wait is over. The channel of a timer, the address of which is all that counts, may be gone. */
GOI_INLINE void race_woken(const struct goi_waiter *w, const struct go_timer *timer)
{
    if (goi_race_there()) {
        goi_race_acquire(timer != NULL ? (const void *)timer : (const void *)w);
    }
}

/* Parks on one queue. True when a value passed, false when the channel was closed meanwhile. */
GOI_INLINE bool wait_on(struct m *m, struct go_chan *c, struct goi_waitq *q, void *v,
                    enum wait_reason why)
{
    struct goi_waiter w = {.g = m->g, .value = v, .c = c};
    const struct go_timer *timer = c->timer;
    goi_waitq_push(q, &w);
    if (GOI_UNLIKELY(timer != NULL)) {
        goi_timer_watch_locked(m, c->timer);
    }
    goi_check(goi_chan_check_locked(c));
    goi_race_release_store(&w);
    m = goi_park_inline(m, why, c, NULL, &c->lock);
    race_woken(&w, timer);
    bool ok = w.ok;
    goi_leave(m);
    return ok;
}

static GOI_COLD void block_for_ever(enum wait_reason why)
{
    struct goi_lock private = {0};
    struct m *m = goi_enter();
    goi_lock(&private);
    goi_park(m, why, NULL, NULL, &private);
    goi_unreachable("somebody woke a goroutine that waits on a nil channel");
}

/* What a send reads: its value, and that the channel is open. */
GOI_INLINE void race_send(const struct go_chan *c, const void *v)
{
    if (goi_race_on()) {
        goi_race_read(v, c->elem);
        goi_race_read(c, 1);
    }
}

static GOI_COLD void panic_closed(void) { goi_panic_text("send on closed channel"); }

/* The rest of a send, locked: everything but a value of common size that fits into the buffer. */
static GOI_NOINLINE void send_on(struct m *m, struct go_chan *c, const void *v)
{
    struct g *wake;
    enum goi_attempt r = send_locked(c, v, &wake);
    if (GOI_LIKELY(r == GOI_TRY_DONE)) {
        goi_unlock(&c->lock); /* C5 */
        if (wake != NULL) {
            goi_ready_inline(m, wake);
        }
        goi_leave(m);
        return;
    }
    if (r == GOI_TRY_WAIT &&
        wait_on(m, c, &c->sendq, (void *)(uintptr_t)v, GOI_WAIT_CHAN_SEND)) {
        return;
    }
    if (r == GOI_TRY_CLOSED) {
        goi_unlock(&c->lock);
        goi_leave(m);
    }
    panic_closed();
}

/* Not yet inside the runtime; m is NULL or has been through goi_rt_enter without success. */
static GOI_COLD void send_enter(struct m *m, struct go_chan *c, const void *v)
{
    m = goi_enter_slow(m);
    goi_lock(&c->lock);
    send_on(m, c, v);
}

static GOI_COLD void send_lock(struct m *m, struct go_chan *c, const void *v)
{
    goi_lock_slow(&c->lock);
    send_on(m, c, v);
}

static GOI_COLD void send_odd(struct go_chan *c, const void *v)
{
    if (c == NULL) {
        block_for_ever(GOI_WAIT_CHAN_SEND_NIL);
        return;
    }
    race_send(c, v);
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    send_on(m, c, v);
}

/* A send that neither waits nor wakes calls nobody: all else is a jump to a function that does the
 * rest, so that the compiler saves no register here. The same in goi_chan_recv. */
GOI_HOT void goi_chan_send(struct go_chan *c, const void *v)
{
    if (GOI_UNLIKELY(c == NULL) || goi_race_on()) {
        send_odd(c, v);
        return;
    }
    struct m *m = goi_m();
    goi_assert_hot(m == NULL || ld_rlx(&m->in_rt) == 0);
    if (GOI_UNLIKELY(m == NULL) || !goi_rt_enter(&m->in_rt, &m->attn)) { /* [RT] */
        send_enter(m, c, v);
        return;
    }
    if (!goi_lock_now(&c->lock)) {
        send_lock(m, c, v);
        return;
    }
    uint32_t count = ld_rlx(&c->count);
    if (count >= c->cap || c->recvq.first != NULL || ld_rlx(&c->closed) != 0 ||
        !goi_elem_common(c->elem)) {
        send_on(m, c, v);
        return;
    }
    goi_elem_copy_common(goi_chan_slot(c, c->send_at), v, c->elem);
    c->send_at = c->send_at + 1 == c->cap ? 0 : c->send_at + 1;
    st_rel(&c->count, count + 1); /* [LEN] */
    goi_unlock(&c->lock);         /* C5 */
    goi_leave(m);
}

/* The rest of a receive, locked. */
static GOI_NOINLINE bool recv_on(struct m *m, struct go_chan *c, void *v)
{
    struct g *wake;
    uint32_t size = c->elem;
    enum goi_attempt r = recv_locked(c, v, &wake);
    bool ok = r == GOI_TRY_DONE;
    if (GOI_LIKELY(r != GOI_TRY_WAIT)) {
        goi_unlock(&c->lock); /* C5 */
        if (wake != NULL) {
            goi_ready_inline(m, wake);
        }
        goi_leave(m);
    } else {
        ok = wait_on(m, c, &c->recvq, v, GOI_WAIT_CHAN_RECV);
        if (!ok && v != NULL) {
            memset(v, 0, size);
        }
    }
    if (v != NULL) {
        goi_race_write(v, size);
    }
    return ok;
}

static GOI_COLD bool recv_enter(struct m *m, struct go_chan *c, void *v)
{
    m = goi_enter_slow(m);
    goi_lock(&c->lock);
    return recv_on(m, c, v);
}

static GOI_COLD bool recv_lock(struct m *m, struct go_chan *c, void *v)
{
    goi_lock_slow(&c->lock);
    return recv_on(m, c, v);
}

static GOI_COLD bool recv_odd(struct go_chan *c, void *v)
{
    if (c == NULL) {
        block_for_ever(GOI_WAIT_CHAN_RECV_NIL);
        return false;
    }
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    return recv_on(m, c, v);
}

GOI_HOT bool goi_chan_recv(struct go_chan *c, void *v)
{
    if (GOI_UNLIKELY(c == NULL) || goi_race_on()) {
        return recv_odd(c, v);
    }
    struct m *m = goi_m();
    goi_assert_hot(m == NULL || ld_rlx(&m->in_rt) == 0);
    if (GOI_UNLIKELY(m == NULL) || !goi_rt_enter(&m->in_rt, &m->attn)) { /* [RT] */
        return recv_enter(m, c, v);
    }
    if (!goi_lock_now(&c->lock)) {
        return recv_lock(m, c, v);
    }
    uint32_t count = ld_rlx(&c->count);
    if (count == 0 || c->sendq.first != NULL || c->timer != NULL || v == NULL ||
        !goi_elem_common(c->elem)) {
        return recv_on(m, c, v);
    }
    goi_elem_copy_common(v, goi_chan_slot(c, c->recv_at), c->elem);
    c->recv_at = c->recv_at + 1 == c->cap ? 0 : c->recv_at + 1;
    st_rel(&c->count, count - 1); /* [LEN] */
    goi_unlock(&c->lock); /* C5 */
    goi_leave(m);
    return true;
}

bool goi_chan_try_send(struct go_chan *c, const void *v)
{
    struct g *wake;
    if (c == NULL) {
        return false;
    }
    race_send(c, v);
    if (!goi_chan_may_send(c)) { /* [CHAN-TRY] */
        return false;
    }
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    enum goi_attempt r = goi_chan_send_locked(c, v, &wake);
    goi_unlock(&c->lock);
    if (wake != NULL) {
        goi_ready(m, wake);
    }
    goi_leave(m);
    if (r == GOI_TRY_CLOSED) {
        panic_closed();
    }
    return r == GOI_TRY_DONE;
}

bool goi_chan_try_recv(struct go_chan *c, void *v)
{
    struct g *wake;
    if (c == NULL || !goi_chan_may_recv(c)) { /* [CHAN-TRY] */
        return false;
    }
    uint32_t size = c->elem;
    /* Closed and drained stays so, and nothing has to be locked to see it: who asks a context that
     * has ended asks often. */
    if (ld_acq(&c->closed) != 0 && ld_rlx(&c->count) == 0) { /* [CHAN-TRY] */
        goi_race_acquire(c);
        if (v != NULL) {
            memset(v, 0, size);
            goi_race_write(v, size);
        }
        return false;
    }
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    enum goi_attempt r = goi_chan_recv_locked(c, v, &wake);
    goi_unlock(&c->lock);
    if (wake != NULL) {
        goi_ready(m, wake);
    }
    goi_leave(m);
    if (v != NULL && r != GOI_TRY_WAIT) {
        goi_race_write(v, size);
    }
    return r == GOI_TRY_DONE;
}

/* Parks on one queue until a deadline. 0, -EPIPE, -ETIMEDOUT. */
static int wait_until(struct m *m, struct go_chan *c, struct goi_waitq *q, void *v,
                      enum wait_reason why, int64_t deadline)
{
    struct g *g = m->g;
    const struct go_timer *timer = c->timer;
    struct goi_waiter w = {
        .g = g, .value = v, .c = c, .claimed = true, .ticket = goi_claim_begin(g)};
    goi_waitq_push(q, &w);
    goi_chan_guest_enter(c); /* C6 */
    if (GOI_UNLIKELY(c->timer != NULL)) {
        goi_timer_watch_locked(m, c->timer);
    }
    goi_race_release_store(&w);
    int r = goi_park_until(&m, why, c, NULL, &c->lock, w.ticket, deadline);
    goi_claim_end(g, w.ticket);
    goi_lock(&c->lock);
    if (w.queued) { /* a waker that lost the claim may have dropped the record already */
        goi_waitq_remove(q, &w);
    }
    if (GOI_UNLIKELY(c->timer != NULL) && r != 0) {
        goi_timer_unwatch_locked(c->timer);
    }
    bool abandoned = goi_chan_guest_leave(c); /* C6 */
    goi_unlock(&c->lock);
    if (GOI_UNLIKELY(abandoned)) {
        free(c);
    }
    if (r == 0) {
        race_woken(&w, timer);
        r = w.ok ? 0 : -EPIPE;
    }
    goi_leave(m);
    return r;
}

/* A nil channel with a deadline. */
static GOI_COLD int block_until(enum wait_reason why, int64_t deadline)
{
    struct goi_lock private = {0};
    struct m *m = goi_enter();
    uint32_t ticket = goi_claim_begin(m->g);
    goi_lock(&private);
    int r = goi_park_until(&m, why, NULL, NULL, &private, ticket, deadline);
    goi_leave(m);
    return r;
}

int goi_chan_send_until(struct go_chan *c, const void *v, go_time deadline)
{
    struct g *wake;
    if (c == NULL) {
        return block_until(GOI_WAIT_CHAN_SEND_NIL, deadline);
    }
    race_send(c, v);
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    enum goi_attempt r = goi_chan_send_locked(c, v, &wake);
    if (r == GOI_TRY_WAIT && deadline > goi_now()) {
        return wait_until(m, c, &c->sendq, (void *)(uintptr_t)v, GOI_WAIT_CHAN_SEND, deadline);
    }
    goi_unlock(&c->lock);
    if (wake != NULL) {
        goi_ready(m, wake);
    }
    goi_leave(m);
    return r == GOI_TRY_DONE ? 0 : r == GOI_TRY_CLOSED ? -EPIPE : -ETIMEDOUT;
}

int goi_chan_recv_until(struct go_chan *c, void *v, go_time deadline)
{
    struct g *wake;
    if (c == NULL) {
        return block_until(GOI_WAIT_CHAN_RECV_NIL, deadline);
    }
    uint32_t size = c->elem;
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    enum goi_attempt t = goi_chan_recv_locked(c, v, &wake);
    int r = t == GOI_TRY_DONE ? 0 : t == GOI_TRY_CLOSED ? -EPIPE : -ETIMEDOUT;
    if (t == GOI_TRY_WAIT && deadline > goi_now()) {
        r = wait_until(m, c, &c->recvq, v, GOI_WAIT_CHAN_RECV, deadline);
        if (r == -EPIPE && v != NULL) {
            memset(v, 0, size);
        }
    } else {
        goi_unlock(&c->lock);
        if (wake != NULL) {
            goi_ready(m, wake);
        }
        goi_leave(m);
    }
    if (v != NULL && r != -ETIMEDOUT) {
        goi_race_write(v, size);
    }
    return r;
}

/* Close: makes all waiters of a queue runnable that can be won, in order. Those that might run
 * before our unlock, which is the last touch of the channel (C5), are left for later, linked
 * through next: threads, and everybody when we have no P. The others cannot: they are on the queues
 * of our P, and we are inside the runtime.
 *
 * With very many waiters each is far from the caches, in three places: its record, its goroutine,
 * and the next record. They are asked for one waiter ahead. */
static struct goi_waiter *wake_all_locked(struct m *m, struct goi_waitq *q)
{
    struct goi_waiter *later = NULL;
    struct goi_waiter **at = &later;
    for (struct goi_waiter *w = goi_waitq_pop(q); w != NULL; w = goi_waitq_pop(q)) {
        struct goi_waiter *ahead = q->first;
        if (ahead != NULL) {
            __builtin_prefetch(ahead->g, 1);
            __builtin_prefetch(ahead->next, 1);
        }
        w->ok = false;
        if (m->p == NULL || (w->g->flags & GOI_G_FOREIGN) != 0) {
            w->next = NULL;
            *at = w;
            at = &w->next;
            continue;
        }
        w->g->wake_arg = w;
        goi_race_release(w);
        goi_ready_back(m, w->g);
    }
    return later;
}

static void wake_later(struct m *m, struct goi_waiter *w)
{
    while (w != NULL) {
        struct goi_waiter *next = w->next; /* w is gone once its goroutine runs */
        w->g->wake_arg = w;
        goi_race_release(w);
        goi_ready_back(m, w->g);
        w = next;
    }
}

void goi_chan_close(struct go_chan *c)
{
    if (c == NULL) {
        goi_panic_text("close of nil channel");
    }
    struct m *m = goi_enter();
    goi_lock(&c->lock);
    if (ld_rlx(&c->closed) != 0) {
        if (ld_rlx(&c->closed) == GOI_CHAN_FREED) {
            goi_fatal("close of freed channel");
        }
        goi_unlock(&c->lock);
        goi_leave(m);
        goi_panic_text("close of closed channel");
    }
    goi_race_write(c, 1); /* a close and a send without order are a race */
    goi_race_release(c);
    st_rel(&c->closed, GOI_CHAN_CLOSED); /* [CHAN-TRY] */
    struct goi_waiter *receivers = wake_all_locked(m, &c->recvq);
    struct goi_waiter *senders = wake_all_locked(m, &c->sendq);
    goi_check(goi_chan_check_locked(c));
    goi_unlock(&c->lock); /* C5 */
    wake_later(m, receivers);
    wake_later(m, senders);
    goi_leave(m);
}
