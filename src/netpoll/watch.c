/* SPDX-License-Identifier: MIT */
/* watch.c: waiting for a descriptor that has an owner: go_watch.
 *
 * The difficulty. The system reports changes, at any time and on any thread; a goroutine tries its
 * call, is told EAGAIN, and parks. A change between the two must not be lost, also when several
 * goroutines try at once, and it may be a change that was already used up by a call that succeeded.
 * The wait can also be ended by a deadline, which others move while it is running, and by a close.
 *
 * The protocol. Each direction has a word: a number that grows with each report, and the flags that
 * end waits for good (closed) or for now (late). Whoever tries a call reads the word before. To
 * park he takes the lock and compares: if the word has changed since, he tries again instead. So
 * there is no state to consume or to reset, and no difference between one waiter and many:
 *
 *     goroutine                              reporter, deadline, close
 *     mark = word
 *     recv: EAGAIN                           (data arrives)
 *     lock; word == mark?                    lock; word changes; takes all waiters off; unlock
 *       yes: queue, park, unlock             makes them runnable
 *       no:  unlock, try again
 *
 * Go keeps a word per direction that is nil, ready, wait or the goroutine, moved by compare-and-
 * swap. It has room for one waiter, must be reset before each call, and decides by who swaps first.
 * The lock costs 5 ns beside calls that cost 500, and all that ends a wait is one comparison.
 *
 * A call that returned less than it could take has emptied the stream (epoll(7)): drained() notes
 * the mark under which that was so, and as long as the word has not changed, try() says that there
 * is nothing to try. It saves one system call per request of a server. After a hang-up it no longer
 * says so: the end of the stream may have come in one report with the data before it. Nor does it
 * after an urgent byte of TCP, at which a read stops though there is more behind.
 *
 * Memory. Reports carry a tag, the watch's place and its generation. A report may be in a thread's
 * hands while the watch is freed and made anew for another descriptor, so watches are never given
 * back to the system, the lock stays valid through all lives, and a report of an earlier generation
 * is dropped. `users` counts calls under way, and the owner; the last one to go learns that he is
 * (end, close) and closes the descriptor: its number is never free while a call could use it.
 *
 *   W1  A waiter is on a side's list exactly from its commit until somebody takes it off under the
 *       lock; who takes it off makes it runnable.                              (asserts)
 *   W2  A waiter parks only with the word as it was before its call.           (go_watch_wait)
 *   W3  Who changes a word takes off all waiters of that side.                 (change_locked)
 *   W4  A timer is pending, or its late() is to come, whenever a side has a deadline that has not
 *       passed; it is due no later. (It may be due earlier: a deadline that is moved back costs a
 *       store, and late() starts the timer again.)                             (late, set)
 *   W5  A free watch has no waiters, no pending timer and no deadline.         (go_watch_free)
 *
 * [WATCH] the word: release under the lock, acquire in try(): what was done before a close or a
 * deadline is visible to who sees it. The lock orders the rest.
 *
 * Lock order: a watch's lock, then a timer heap's. Nothing else is taken under either.
 */
#include "netpoll/netpoll.h"
#include "netpoll/uses.h"
#include "time/timer.h"
#include <errno.h>
#include <stdlib.h>

enum {
    CLOSED = 1, LATE = 2, HUP = 4,      /* of a word, below the number; HUP: or an urgent byte */
    STEP = 8,
    CHUNK = 256, CHUNKS = 1 << 16,
};

struct waiter {
    struct waiter *next;                /* [l:watch] */
    struct g *g;                        /* [c] */
    bool queued;                        /* [l:watch] */
};

struct side {
    goi_a32 word;                       /* [w:lock] [a:WATCH] */
    goi_a32 dry;                        /* [stat] the word under which the stream was emptied */
    struct waiter *first;               /* [l:lock] */
    struct go_watch *watch;             /* [c] */
    int64_t deadline;                   /* [l:lock] */
    int64_t timer_at;                   /* [l:lock] when the timer is due, while it is pending */
    struct goi_timer timer;             /* W4 */
};

struct go_watch {
    struct goi_lock lock;
    goi_a32 users;                      /* [a:WREF] uses.h */
    uint32_t place;                     /* [c] in the table */
    uint32_t generation;                /* [l:lock] */
    struct side side[2];                /* reading, writing */
    int fd;                             /* [c] while open */
    struct go_watch *free_next;         /* [l:table] */
} GOI_ALIGNED(GOI_CACHE_LINE);

static struct {
    struct goi_lock lock;
    struct go_watch *free;              /* [l:table] */
    uint32_t made;                      /* [l:table] */
    goi_aptr chunk[CHUNKS];             /* [w:table] arrays of CHUNK each [a:WTABLE] */
} table;

static void fire(struct goi_fired *f, struct goi_timer *t, int64_t now);

/* --- memory */

static bool grow_locked(void)
{
    uint32_t k = table.made / CHUNK;
    if (k == CHUNKS) {
        return false;
    }
    struct go_watch *c = gop_pages_reserve(sizeof *c * CHUNK, gop_page_size());
    if (c == NULL) {
        return false;
    }
    for (uint32_t i = CHUNK; i-- > 0;) {
        c[i].place = table.made + i;
        for (int s = 0; s < 2; s++) {
            c[i].side[s].watch = &c[i];
            c[i].side[s].deadline = GOI_FOREVER;
            goi_timer_init(&c[i].side[s].timer, fire);
        }
        c[i].free_next = table.free;
        table.free = &c[i];
    }
    st_rel(&table.chunk[k], c); /* [WTABLE] with the load in goi_watch_report */
    table.made += CHUNK;
    return true;
}

static struct go_watch *take_free(void)
{
    goi_lock(&table.lock);
    if (table.free == NULL && !grow_locked()) {
        goi_unlock(&table.lock);
        return NULL;
    }
    struct go_watch *w = table.free;
    table.free = w->free_next;
    goi_unlock(&table.lock);
    return w;
}

static void put_free(struct go_watch *w)
{
    goi_lock(&table.lock);
    w->free_next = table.free;
    table.free = w;
    goi_unlock(&table.lock);
}

/* --- changes of a word, and who they wake */

static struct side *side_of(struct go_watch *w, int event)
{
    goi_assert(event == GO_READ || event == GO_WRITE);
    return &w->side[event == GO_WRITE];
}

/* W3. The waiters go to `ready`, linked through their run links, which belong to us now. */
static void change_locked(struct side *s, uint32_t word, struct goi_runq *ready)
{
    struct waiter *n = s->first;
    s->first = NULL;
    st_rel(&s->word, word); /* [WATCH] */
    while (n != NULL) { /* ends: the list is ours and finite */
        struct waiter *next = n->next;
        goi_assert(n->queued); /* W1 */
        n->queued = false;
        goi_runq_push_tail(ready, &n->g->run);
        n = next;
    }
}

static void wake(struct m *m, struct goi_runq *ready)
{
    while (goi_runq_len(ready) > 0) { /* ends: each turn takes one out */
        struct goi_runnable *r = goi_runq_pop_head(ready);
        goi_ready(m, goi_container_of(r, struct g, run));
    }
}

void goi_watch_report(void *ready, uint64_t tag, int events)
{
    uint32_t place = (uint32_t)tag;
    struct go_watch *chunk = ld_acq(&table.chunk[place / CHUNK]); /* [WTABLE] */
    goi_must(chunk != NULL);
    struct go_watch *w = &chunk[place % CHUNK];
    goi_lock(&w->lock);
    if (w->generation == (uint32_t)(tag >> 32)) {
        for (int s = 0; s < 2; s++) {
            if ((events & (s == 0 ? GOI_POLL_READ : GOI_POLL_WRITE)) != 0) {
                uint32_t word = ld_rlx(&w->side[s].word) + STEP;
                word |= (events & GOI_POLL_HUP) != 0 ? (uint32_t)HUP : 0u;
                change_locked(&w->side[s], word, ready);
            }
        }
    }
    goi_unlock(&w->lock);
}

/* --- deadlines */

/* After the heap's unlock: by now the deadline may have been moved, or the watch be another's. */
static void late(struct m *m, void *arg, int64_t now)
{
    struct side *s = arg;
    struct goi_runq ready = {0};
    goi_lock(&s->watch->lock);
    if (s->deadline <= now) {
        s->deadline = GOI_FOREVER;
        change_locked(s, ld_rlx(&s->word) | LATE, &ready);
    } else if (s->deadline != GOI_FOREVER && !goi_timer_pending(&s->timer)) { /* W4 */
        s->timer_at = s->deadline;
        goi_timer_start(m, &s->timer, s->timer_at);
    }
    goi_unlock(&s->watch->lock);
    wake(m, &ready);
}

static void fire(struct goi_fired *f, struct goi_timer *t, int64_t now)
{
    (void)now;
    goi_fired_late(f, late, goi_container_of(t, struct side, timer));
}

/* Without somebody who waits, the side is late when the next one comes. */
static bool wakes(struct goi_timer *t)
{
    return goi_container_of(t, struct side, timer)->first != NULL;
}

static GOI_CONSTRUCTOR void tell_kind(void) { goi_timer_kind(fire, wakes); }

static void set_locked(struct m *m, struct side *s, int64_t t, int64_t now, struct goi_runq *ready)
{
    uint32_t word = ld_rlx(&s->word);
    if (t <= now) {
        s->deadline = GOI_FOREVER;
        change_locked(s, word | LATE, ready);
        return;
    }
    s->deadline = t;
    if ((word & LATE) != 0) {
        st_rel(&s->word, word & ~(uint32_t)LATE); /* [WATCH] nobody waits while it is late */
    }
    if (t != GOI_FOREVER && (!goi_timer_pending(&s->timer) || t < s->timer_at)) { /* W4 */
        s->timer_at = t;
        goi_timer_reset(m, &s->timer, t);
    }
}

int go_watch_set_deadline(go_watch *w, int events, go_time t)
{
    struct goi_runq ready = {0};
    struct m *m = goi_enter();
    int64_t now = t == GOI_FOREVER ? 0 : goi_now();
    goi_lock(&w->lock);
    bool closed = (ld_rlx(&w->side[0].word) & CLOSED) != 0;
    for (int s = 0; s < 2 && !closed; s++) {
        if ((events & (s == 0 ? GO_READ : GO_WRITE)) != 0) {
            set_locked(m, &w->side[s], t, now, &ready);
        }
    }
    goi_unlock(&w->lock);
    wake(m, &ready);
    goi_leave(m);
    return closed ? -ECANCELED : 0;
}

/* --- opening and closing */

int go_watch_open(int fd, go_watch **out)
{
    *out = NULL;
    int r = goi_netpoll_open();
    if (r != 0) {
        return r;
    }
    struct m *m = goi_enter();
    struct go_watch *w = take_free();
    if (w == NULL) {
        goi_leave(m);
        return -ENOMEM;
    }
    goi_lock(&w->lock);
    uint64_t tag = (uint64_t)w->generation << 32 | w->place;
    w->fd = fd;
    for (int s = 0; s < 2; s++) {
        goi_assert(w->side[s].first == NULL); /* W5 */
        goi_assert(w->side[s].deadline == GOI_FOREVER);
        st_rlx(&w->side[s].word, STEP);
        st_rlx(&w->side[s].dry, 0);
    }
    goi_uses_init(&w->users);
    goi_unlock(&w->lock);
    r = goi_poller_add(fd, tag);
    if (r != 0) {
        put_free(w);
        w = NULL;
    }
    goi_leave(m);
    *out = w;
    return r;
}

int go_watch_fd(const go_watch *w) { return w->fd; }

int go_watch_begin(go_watch *w)
{
    return goi_uses_begin(&w->users) ? 0 : -ECANCELED;
}

bool go_watch_end(go_watch *w)
{
    goi_race_release_merge(w);
    if (!goi_uses_end(&w->users)) {
        return false;
    }
    goi_race_acquire(w);
    return true;
}

int go_watch_close(go_watch *w)
{
    struct goi_runq ready = {0};
    if (!goi_uses_close(&w->users)) {
        return -ECANCELED;
    }
    struct m *m = goi_enter();
    goi_lock(&w->lock);
    for (int s = 0; s < 2; s++) {
        change_locked(&w->side[s], ld_rlx(&w->side[s].word) | CLOSED, &ready);
    }
    goi_unlock(&w->lock);
    wake(m, &ready);
    goi_leave(m);
    return go_watch_end(w) ? 1 : 0;
}

void go_watch_free(go_watch *w)
{
    struct m *m = goi_enter();
    goi_must(ld_rlx(&w->users) == GOI_USES_CLOSED);
    goi_lock(&w->lock);
    w->generation++;
    for (int s = 0; s < 2; s++) { /* W5 */
        goi_must(w->side[s].first == NULL);
        w->side[s].deadline = GOI_FOREVER;
        goi_timer_stop(&w->side[s].timer);
    }
    goi_unlock(&w->lock);
    put_free(w);
    goi_leave(m);
}

/* --- waiting */

static int error_of(uint32_t word)
{
    return (word & CLOSED) != 0 ? -ECANCELED : (word & LATE) != 0 ? -ETIMEDOUT : 0;
}

int go_watch_try(go_watch *w, int event, go_mark *mark)
{
    struct side *s = side_of(w, event);
    uint32_t word = ld_acq(&s->word); /* [WATCH] */
    *mark = word;
    if (GOI_UNLIKELY((word & (CLOSED | LATE)) != 0)) {
        return error_of(word);
    }
    return (word & HUP) == 0 && ld_rlx(&s->dry) == word ? 0 : 1; /* [stat] written by a reader */
}

void go_watch_drained(go_watch *w, int event, go_mark mark)
{
    st_rlx(&side_of(w, event)->dry, mark); /* [stat] */
}

int go_watch_wait(go_watch *w, int event, go_mark mark)
{
    struct side *s = side_of(w, event);
    struct m *m = goi_enter();
    goi_netpoll_begin(m);
    goi_lock(&w->lock);
    if (ld_rlx(&s->word) == mark) { /* W2 */
        struct waiter n = {.next = s->first, .g = m->g, .queued = true};
        s->first = &n;
        m = goi_park(m, GOI_WAIT_IO, w, NULL, &w->lock);
        goi_assert(!n.queued); /* W1 */
    } else {
        goi_unlock(&w->lock);
    }
    goi_netpoll_end(m);
    int r = error_of(ld_acq(&s->word)); /* [WATCH] */
    goi_leave(m);
    return r;
}
