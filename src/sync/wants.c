/* SPDX-License-Identifier: MIT */
/* wants.c: cycles of mutexes, found while the program goes on.
 *
 * Two goroutines that lock the same two mutexes in different orders wait for each other for ever. A
 * total deadlock shows itself, but this one stops a part of the program only. The leak check
 * (debug/leak.c) finds it when it is asked, and not at all when a variable leads to the mutexes, as
 * one does most of the time. So here it is found without being asked, from two things that are
 * written down: who holds, and who waits.
 *
 * Who holds. Any goroutine may unlock a mutex, so nothing can be decided by an owner; but a report
 * can name it. The locker writes the page number of its stack pointer into the mutex, which takes
 * three instructions, needs nothing of the library, and belongs to one stack alone. Whoever unlocks
 * clears it first.
 *
 *   C1  While the note of a mutex is that of a goroutine's stack, that goroutine has locked it, and
 *       nobody has begun to unlock it since. The other way round it may be missing for a moment.
 *
 * Who waits. A goroutine that parks for a mutex enters itself into a list, and leaves it when it
 * runs again: two short locks of its own shard, beside what parking costs. While it is in the list
 * the mutex is alive, because the call that waits has not returned. Waits that a time or a context
 * may end are not entered: whoever made them has thought of that. What is waited for by readers and
 * pending writers while other readers are active has no note, since readers are only counted.
 *
 * Finding. A cycle is closed by one who parks last, and from then on nothing about it changes. So
 * it is enough to look once at each wait, at any time after it began: from the waiter to the holder
 * of what it wants, to the holder of what that one wants, and so on, until it comes back. This is
 * done by sysmon when a wait has lasted for 10 ms. Mutexes that are contended in the ordinary way
 * are never looked at.
 *
 *   C2  A wait in the list is looked at once, after LOOK; of one's own mutex after SELF. (take_due)
 *   C3  What is found was a cycle at one moment: it is gone along twice, and each wait must be the
 *       same one both times. Waits and notes were then in force between the two: a holder that had
 *       unlocked before it began to wait would have cleared its note before it entered the list,
 *       and the second reading comes after an access to that list.                    (in_cycle)
 *   C4  A mutex is read only with the shard of one who waits for it locked, a goroutine's
 *       descriptor only while no window can be unmapped.              (hop; goi_stack_try_hold)
 *
 * Limits. A cycle is for ever unless somebody outside of it unlocks one of its mutexes. With one
 * mutex alone this is done on purpose, by programs that use a mutex as a signal: lock, hand on,
 * lock again. Hence the longer time, SELF. A goroutine that ends with a mutex locked passes for
 * whoever gets its stack next. Stacks are known by 44 bits of their addresses.
 *
 * Rejected: looking when a goroutine parks. It would have to find the holder's descriptor, which is
 * a search, at each wait that lasts for a microsecond. Rejected: keeping what each goroutine holds:
 * instructions in every lock and unlock, and a place to keep it. Rejected: asking for an order of
 * locks (as lockdep and Go's lockrank do): C programs have thousands of mutexes of one kind.
 *
 * [HOLDER] go_mutex.spare. Ordered by what the note speaks of: the lock and the unlock of the
 * mutex, and the locks of the shards. Readers that see an old one see it again or not (C3).
 *
 * Locks: a shard's is a leaf.
 */
#include "os/inspect.h"
#include "sched/internal.h"
#include "sync/internal.h"
#include "sync/view.h"

enum {
    SHARDS = 16, BATCH = 32, COARSE_NS = 1 << GOI_COARSE_SHIFT, TOP_BITS = 44,
    MAIN_STACK = 128 << 20,         /* what the kernel keeps free there */
};

static struct shard {
    struct goi_lock lock;
    goi_a32 nfresh;                 /* [w:lock] */
    struct goi_node fresh, seen;    /* [l:lock] not looked at yet; looked at */
} GOI_ALIGNED(GOI_CACHE_LINE) shards[SHARDS];

#define ALONE(i, list) {&shards[i].list, &shards[i].list}
#define SHARD(i) [i] = {.fresh = ALONE(i, fresh), .seen = ALONE(i, seen)}
static struct shard shards[SHARDS] = {SHARD(0),  SHARD(1),  SHARD(2),  SHARD(3),
                                      SHARD(4),  SHARD(5),  SHARD(6),  SHARD(7),
                                      SHARD(8),  SHARD(9),  SHARD(10), SHARD(11),
                                      SHARD(12), SHARD(13), SHARD(14), SHARD(15)};

static struct shard *shard_of(const struct g *g)
{
    uintptr_t at = (uintptr_t)g;
    return &shards[(at >> 12 ^ at >> 17) % SHARDS];
}

static struct g *g_of(struct goi_node *n) { return goi_container_of(n, struct g, wanting); }

/* --- waiting */

/* [OWN] release of the upper end, when it is known, and of the list of threads, when it grows,
 * pairs with the acquires in on_page. */
static void own_stack(struct g *g, uintptr_t lo, uintptr_t hi)
{
    st_rlx(&g->own_lo, lo);
    st_rel(&g->own_hi, hi); /* [OWN] */
}

static bool is_process_stack(const struct gop_mapping *m, void *arg)
{
    struct g *g = arg;
    if (m->kind == GOP_MAPPING_STACK) {
        own_stack(g, m->hi - MAIN_STACK, m->hi);
    }
    return m->kind != GOP_MAPPING_STACK;
}

/* Main's stack is the process's, whatever thread it is on. It grows; below it nothing is near. */
void goi_wants_prepare_slow(struct g *g)
{
    char *lo;
    char *hi;
    int saved = errno;
    if ((g->flags & GOI_G_MAIN) != 0) {
        (void)gop_mappings(is_process_stack, g);
    } else {
        gop_thread_stack(&lo, &hi);
        own_stack(g, (uintptr_t)lo, (uintptr_t)hi);
    }
    errno = saved;
}

/* A thread that is not the runtime's may wait, and close a cycle, while sysmon sleeps. */
static GOI_COLD void wake_sysmon(void)
{
    fence_seq(); /* [SYSMON] with that in goi_wants_look: it sees our entry, or we that it sleeps */
    if (ld_rlx(&goi_sched.sysmon_asleep)) {
        goi_lock(&goi_sched.lock);
        goi_sysmon_wake_locked();
        goi_unlock(&goi_sched.lock);
    }
}

void goi_wants_begin(struct g *g, go_mutex *mu)
{
    struct shard *s = shard_of(g);
    bool thread = (g->flags & GOI_G_FOREIGN) != 0;
    goi_lock(&s->lock);
    goi_assert(g->wants == NULL);
    g->wants = mu;
    g->wants_from = thread ? (uint32_t)(goi_now() >> GOI_COARSE_SHIFT) : ld_rlx(&goi_coarse.now);
    g->wants_turn++;
    g->wants_told = false;
    goi_list_push_back(&s->fresh, &g->wanting);
    st_rlx(&s->nfresh, ld_rlx(&s->nfresh) + 1);
    goi_unlock(&s->lock);
    if (GOI_UNLIKELY(thread)) {
        wake_sysmon();
    }
}

/* Under the lock. A wait is on `fresh` until it has been looked at. */
static void leave_locked(struct shard *s, struct g *g)
{
    goi_list_remove(&g->wanting);
    if (!g->wants_seen) {
        st_rlx(&s->nfresh, ld_rlx(&s->nfresh) - 1);
    }
}

void goi_wants_end_slow(struct g *g)
{
    struct shard *s = shard_of(g);
    goi_lock(&s->lock);
    leave_locked(s, g);
    g->wants = NULL;
    g->wants_seen = false;
    goi_unlock(&s->lock);
}

/* --- who holds */

static bool lies(uint32_t page, uintptr_t lo, uintptr_t hi)
{
    uintptr_t there = (hi >> TOP_BITS) << TOP_BITS | (uintptr_t)page << GOI_HOLDER_BITS;
    return there >= (lo & ~(((uintptr_t)1 << GOI_HOLDER_BITS) - 1)) && there < hi;
}

/* The goroutine on whose stack this page is, or NULL. Stacks of the runtime lie together: where the
 * caller's is, or that of any thread. C4: no window is unmapped meanwhile. */
static struct g *on_page(uint32_t page)
{
    struct goi_stack s;
    uintptr_t here = (uintptr_t)goi_stack_pointer();
    uintptr_t at = (here >> TOP_BITS) << TOP_BITS | (uintptr_t)page << GOI_HOLDER_BITS;
    if (page == 0) {
        return NULL;
    }
    if (goi_stack_find((const void *)at, &s) == GOI_STACK_INSIDE) {
        return (struct g *)(void *)s.top;
    }
    struct g *g = ld_acq(goi_wordptr(&goi_sched.foreign_list)); /* [OWN]; only grows */
    for (; g != NULL; g = g->foreign_next) {
        uint64_t hi = ld_acq(&g->own_hi); /* [OWN] */
        if (hi != 0 && lies(page, ld_rlx(&g->own_lo), hi)) {
            return g;
        }
    }
    return NULL;
}

/* One who waits, what for, and who holds that; `turn` tells this wait from others. */
struct hop { go_mutex *mu; struct g *to; uint32_t turn; };

static bool hop(struct g *g, struct hop *h)
{
    struct shard *s = shard_of(g);
    uint32_t page = 0;
    goi_lock(&s->lock);
    h->mu = g->wants;
    h->turn = g->wants_turn;
    if (h->mu != NULL) {
        page = ld_rlx(goi_word32(&h->mu->spare)); /* [HOLDER] C4 */
    }
    goi_unlock(&s->lock);
    h->to = on_page(page);
    return h->to != NULL;
}

/* Goes along from g until it is there again; *sum depends on each wait that was met. 0: it does
 * not come back. Else how many there are. */
static size_t around(struct g *g, uint64_t *sum)
{
    struct g *mark = g; /* Brent: another's cycle, which g only leads to, meets its mark */
    struct g *at = g;
    size_t room = 1;
    size_t steps = 0;
    *sum = 0;
    for (size_t n = 1;; n++) { /* ends: within three times the number of waits */
        struct hop h;
        if (!hop(at, &h)) {
            return 0;
        }
        *sum = (*sum ^ (uintptr_t)at ^ (uintptr_t)h.mu ^ (uint64_t)h.turn << 48) *
               0x9e3779b97f4a7c15u;
        at = h.to;
        if (at == g) {
            return n;
        }
        if (at == mark) {
            return 0;
        }
        if (++steps == room) {
            mark = at;
            room *= 2;
            steps = 0;
        }
    }
}

/* C3 */
static size_t in_cycle(struct g *g)
{
    uint64_t first;
    uint64_t second;
    size_t n = around(g, &first);
    return n != 0 && around(g, &second) == n && first == second ? n : 0;
}

/* --- looking */

/* Takes waits of a shard that are due off `fresh`; *due: when the next will be, in coarse time from
 * now. C4 holds. */
static size_t take_due(struct shard *s, const struct goi_wants_ages *ages, uint32_t now,
                       struct g **out, uint32_t *due)
{
    size_t n = 0;
    goi_lock(&s->lock);
    for (struct goi_node *at = s->fresh.next; at != &s->fresh && n < BATCH;) {
        struct g *g = g_of(at);
        go_mutex *mu = g->wants;
        bool self = on_page(ld_rlx(goi_word32(&mu->spare))) == g; /* [HOLDER] */
        uint32_t want = self ? ages->self : ages->others;
        uint32_t age = now - g->wants_from;
        age = (int32_t)age < 0 ? 0 : age;
        at = at->next;
        if (age < want) {
            *due = want - age < *due ? want - age : *due;
            continue;
        }
        goi_list_remove(&g->wanting);
        goi_list_push_back(&s->seen, &g->wanting);
        g->wants_seen = true;
        st_rlx(&s->nfresh, ld_rlx(&s->nfresh) - 1);
        out[n++] = g;
    }
    goi_unlock(&s->lock);
    *due = n == BATCH ? 1 : *due;
    return n;
}

/* A cycle that could not be told: it is looked at again. */
static void put_back(struct g *g)
{
    struct shard *s = shard_of(g);
    goi_lock(&s->lock);
    if (g->wants != NULL && g->wants_seen) {
        goi_list_remove(&g->wanting);
        goi_list_push_back(&s->fresh, &g->wanting);
        g->wants_seen = false;
        st_rlx(&s->nfresh, ld_rlx(&s->nfresh) + 1);
    }
    goi_unlock(&s->lock);
}

int64_t goi_wants_look(int64_t now, const struct goi_wants_ages *ages, bool (*found)(struct g *g))
{
    uint32_t coarse = (uint32_t)(now >> GOI_COARSE_SHIFT);
    uint32_t due = UINT32_MAX;
    struct g *batch[BATCH];
    bool any = false;
    fence_seq(); /* [SYSMON] */
    for (size_t i = 0; i < SHARDS; i++) {
        any |= ld_rlx(&shards[i].nfresh) != 0;
    }
    if (!any) {
        return GOI_FOREVER;
    }
    if (!goi_stack_try_hold()) {
        return now + COARSE_NS;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        if (ld_rlx(&shards[i].nfresh) == 0) {
            continue;
        }
        size_t n = take_due(&shards[i], ages, coarse, batch, &due);
        for (size_t k = 0; k < n; k++) {
            if (in_cycle(batch[k]) != 0 && !found(batch[k])) {
                put_back(batch[k]);
                due = 1;
            }
        }
    }
    goi_stack_unhold();
    return due == UINT32_MAX ? GOI_FOREVER : now + (int64_t)due * COARSE_NS;
}

/* --- telling */

static bool exists(const struct g *g)
{
    struct goi_stack s;
    if (goi_stack_find((const char *)(const void *)g - 1, &s) == GOI_STACK_INSIDE) {
        return s.top == (const char *)(const void *)g;
    }
    const struct g *at = goi_sched.foreign_list;
    while (at != NULL && at != g) {
        at = at->foreign_next;
    }
    return at == g;
}

/* False: it has been told before. */
static bool mark_told(struct g *g)
{
    struct shard *s = shard_of(g);
    goi_lock(&s->lock);
    bool fresh = !g->wants_told;
    g->wants_told = true;
    goi_unlock(&s->lock);
    return fresh;
}

/* The one with the lowest number on the cycle of n from g on; NULL: it is no more. */
static struct g *lowest(struct g *g, size_t n)
{
    struct g *least = g;
    for (size_t i = 0; i < n; i++) {
        struct hop h;
        if (!hop(g, &h)) {
            return NULL;
        }
        g = h.to;
        least = g->id < least->id ? g : least;
    }
    return least;
}

size_t goi_wants_cycle(struct g *g, struct goi_want *out, size_t room)
{
    goi_stack_hold();
    size_t n = exists(g) ? in_cycle(g) : 0;
    bool fresh = n > 0;
    g = lowest(g, n);
    for (size_t i = 0; i < n; i++) {
        struct hop h;
        if (g == NULL || !hop(g, &h)) {
            fresh = false;
            break;
        }
        fresh = mark_told(g) && fresh;
        if (i < room) {
            out[i] = (struct goi_want){g, h.mu, h.to->id};
        }
        g = h.to;
    }
    goi_stack_unhold();
    return fresh ? n : 0;
}

void goi_wants_each(void (*fn)(struct g *g, void *arg), void *arg)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct goi_node *const heads[] = {&shards[i].fresh, &shards[i].seen};
        for (size_t k = 0; k < goi_countof(heads); k++) {
            for (struct goi_node *at = heads[k]->next; at != heads[k]; at = at->next) {
                fn(g_of(at), arg);
            }
        }
    }
}

void goi_wants_memory(const void **lo, size_t *size)
{
    *lo = shards;
    *size = sizeof shards;
}
