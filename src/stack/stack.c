/* SPDX-License-Identifier: MIT */
/* stack.c: handing windows out and taking them back.
 *
 * A warm window (its top page is in memory and in the cache) is worth a microsecond of page fault,
 * so windows circulate through three places:
 *
 *     P's cache  <--batches-->  depot (per class, a lock)  --trim-->  cold, in the arena
 *
 * The P's cache is an array of pointers per class, used as a stack: the window put last is taken
 * first. Only the P's owner touches it, so get and put are a few plain instructions. It holds
 * pointers, not a list through the windows, for two reasons: taking a window touches nothing of it,
 * and the next windows are known early enough to be prefetched, which pays when a million
 * goroutines come and go and each window is far from the core's caches.
 *
 * A full array gives its older half to the depot as one batch; an empty one takes a batch. The
 * batch's members are written into the header of one of them, so the depot allocates nothing and a
 * transfer costs one lock for up to 16 windows.
 *
 * Default requests (want == 0) take the widest default class that can deliver: one word says which
 * classes of this cache have windows, another, global one, which classes have some elsewhere. Both
 * are needed. After a burst the caches are full of narrow windows while the wide ones have come
 * back to the depot, and the next goroutine must get a wide one.
 *
 *   S1  bit k of nonempty is set exactly when ring[k].count > 0.            (cache_check)
 *   S2  A window in ring[k] has klass k.                                    (cache_check)
 *   S3  The descriptor is not written from put to the get that returns it, unless the window was
 *       trimmed, and then it reads as zeros. (descriptor_survives_the_cache_and_the_depot)
 *
 * Once in a trim epoch (about a second) a cache looks after itself: the older half of each array
 * goes to the depot, where idle windows are noticed, and the next puts trim their windows, because
 * a window that once went deep and is now at the hot end of the array would keep its pages for
 * ever. See trim.c.
 */
#include "stack/stack.h"
#include "stack/arena.h"
#include <errno.h>

/* Puts that trim, per epoch: a full turn of the largest array and its neighbourhood. */
#define PROBES 64

/* How many gets before its own a window is prefetched. */
#define AHEAD 4

/* What a window keeps when it is trimmed on put. Refaulting a page costs as much as the call. */
#define KEEP_BYTES        ((size_t)64 << 10)
#define KEEP_BYTES_NARROW ((size_t)16 << 10)

void goi_stack_init(void)
{
    int saved = errno;
    goi_arena_init();
    errno = saved;
}

#ifdef GOI_PARANOID
static bool cache_check(const struct goi_stack_cache *c)
{
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        goi_must(((c->nonempty >> k) & 1) == (c->ring[k].count > 0)); /* S1 */
        for (uint32_t i = 0; i < c->ring[k].count; i++) {
            goi_must(c->ring[k].slot[i]->klass == k); /* S2 */
        }
    }
    return true;
}
#endif

static uint32_t class_of(size_t want)
{
    if (want <= GOI_STACK_SIZE_MIN) {
        return 0;
    }
    return 64 - (uint32_t)__builtin_clzll(want - 1) - 16;
}

static uint32_t widest(uint32_t classes)
{
    return 31 - (uint32_t)__builtin_clz(classes);
}

/* --- the depot */

void goi_depot_push_locked(uint32_t k, struct goi_stack **s, uint32_t n)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    struct goi_stack *head = s[n - 1];
    goi_assert(n >= 1 && n <= GOI_STACK_BATCH);
    head->batch_count = n;
    for (uint32_t i = 0; i + 1 < n; i++) {
        head->batch[i] = s[i];
    }
    head->prev = NULL;
    head->next = c->first;
    if (c->first != NULL) {
        c->first->prev = head;
    } else {
        c->last = head;
    }
    c->first = head;
    c->depot += n;
}

static uint32_t batch_remove_locked(struct goi_stack_class *c, struct goi_stack *head,
                                    struct goi_stack **out)
{
    uint32_t n = head->batch_count;
    goi_must(n >= 1 && n <= GOI_STACK_BATCH);
    if (head->prev != NULL) {
        head->prev->next = head->next;
    } else {
        c->first = head->next;
    }
    if (head->next != NULL) {
        head->next->prev = head->prev;
    } else {
        c->last = head->prev;
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        out[i] = head->batch[i];
    }
    out[n - 1] = head;
    head->next = head->prev = NULL;
    head->batch_count = 0;
    c->depot -= n;
    c->depot_low = c->depot < c->depot_low ? c->depot : c->depot_low;
    return n;
}

uint32_t goi_depot_pop_locked(uint32_t k, struct goi_stack **out)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    return c->first == NULL ? 0 : batch_remove_locked(c, c->first, out);
}

uint32_t goi_depot_pop_oldest_locked(uint32_t k, struct goi_stack **out)
{
    struct goi_stack_class *c = &goi_stack_class[k];
    return c->last == NULL ? 0 : batch_remove_locked(c, c->last, out);
}

/* Gives the n oldest windows of an array to the depot, n at most a batch. */
static void spill(struct goi_stack_cache *cache, uint32_t k, uint32_t n)
{
    struct goi_stack_ring *r = &cache->ring[k];
    struct goi_stack_class *c = &goi_stack_class[k];
    goi_assert(n >= 1 && n <= r->count);
    goi_stack_lock(&c->lock);
    goi_depot_push_locked(k, r->slot, n);
    goi_arena_avail_update_locked(k);
    goi_stack_unlock(&c->lock);
    r->count -= n;
    for (uint32_t i = 0; i < r->count; i++) {
        r->slot[i] = r->slot[i + n];
    }
    if (r->count == 0) {
        cache->nonempty &= ~((uint32_t)1 << k);
    }
}

/* Fills an empty array: from the depot, else from the arena. False: neither has any. */
static bool refill(struct goi_stack_cache *cache, uint32_t k, bool by_default)
{
    struct goi_stack_ring *r = &cache->ring[k];
    struct goi_stack_class *c = &goi_stack_class[k];
    goi_assert(r->count == 0);
    goi_stack_lock(&c->lock);
    uint32_t n = goi_depot_pop_locked(k, r->slot);
    if (n > 0) {
        goi_arena_avail_update_locked(k);
    }
    goi_stack_unlock(&c->lock);
    if (n == 0) {
        n = goi_arena_take(k, by_default, r->slot, c->batch);
        /* Neighbours leave the array in order of address. */
        for (uint32_t i = 0; i < n / 2; i++) {
            struct goi_stack *s = r->slot[i];
            r->slot[i] = r->slot[n - 1 - i];
            r->slot[n - 1 - i] = s;
        }
    }
    r->count = n;
    if (n > 0) {
        cache->nonempty |= (uint32_t)1 << k;
        st_rlx(&c->refills, ld_rlx(&c->refills) + 1); /* [stat] for prepare.c */
    }
    return n > 0;
}

/* --- get */

/* What a new goroutine touches first: the descriptor's first lines and the frames below it. */
GOI_INLINE void prefetch(struct goi_stack *s)
{
    char *top = goi_stack_desc(s);
    __builtin_prefetch(top - GOI_CACHE_LINE, 1);
    __builtin_prefetch(top, 1);
}

/* The array of class k is not empty. */
GOI_INLINE struct goi_stack *pop(struct goi_stack_cache *cache, uint32_t k)
{
    struct goi_stack_ring *r = &cache->ring[k];
    uint32_t n = --r->count;
    struct goi_stack *s = r->slot[n];
    if (GOI_LIKELY(n >= AHEAD)) {
        prefetch(r->slot[n - AHEAD]);
    } else if (n == 0) {
        cache->nonempty &= ~((uint32_t)1 << k);
    }
    return s;
}

static void cache_register(struct goi_stack_cache *cache)
{
    cache->known = true;
    cache->epoch = ld_rlx(&goi_stack_epoch);
    goi_arena_add_cache();
}

GOI_NOINLINE static struct goi_stack *get_slow(struct goi_stack_cache *cache, size_t want,
                                               uint32_t k)
{
    struct goi_stack *s = NULL;
    int saved = errno;
    if (!cache->known) {
        cache_register(cache);
    }
    uint32_t classes = want == 0 ? goi_stack_ladder & (((uint32_t)2 << k) - 1) : (uint32_t)1 << k;
    while (s == NULL && classes != 0) {
        k = widest(classes);
        classes &= ~((uint32_t)1 << k);
        if (((cache->nonempty >> k) & 1) != 0 || refill(cache, k, want == 0)) {
            s = pop(cache, k);
        }
    }
    goi_check(cache_check(cache));
    errno = saved;
    return s;
}

GOI_HOT struct goi_stack *goi_stack_get(struct goi_stack_cache *cache, size_t want)
{
    uint32_t k;
    if (GOI_LIKELY(want == 0)) {
        /* Relaxed: a hint, see goi_arena_avail_update_locked. Never zero: the narrowest default
         * class always claims to have some. */
        k = widest((cache->nonempty & goi_stack_ladder) | ld_rlx(&goi_stack_avail));
    } else if (want <= GOI_STACK_SIZE_MAX) {
        k = class_of(want);
    } else {
        return NULL;
    }
    if (GOI_UNLIKELY(((cache->nonempty >> k) & 1) == 0)) {
        return get_slow(cache, want, k);
    }
    return pop(cache, k);
}

/* --- put */

GOI_INLINE void push(struct goi_stack_cache *cache, struct goi_stack *s, uint32_t k)
{
    struct goi_stack_ring *r = &cache->ring[k];
    r->slot[r->count++] = s;
    cache->nonempty |= (uint32_t)1 << k;
}

/* Drops what a deep excursion left behind. Does not touch the pages near the top. */
static void trim_on_put(const struct goi_stack *s)
{
    size_t keep = s->size > 4 * KEEP_BYTES ? KEEP_BYTES : KEEP_BYTES_NARROW;
    char *to = (char *)((uintptr_t)(s->top - keep) & ~(gop_page_size() - 1));
    if (to > s->lo) {
        (void)gop_pages_discard(s->lo, (size_t)(to - s->lo));
    }
}

/* A new trim epoch has begun: see the essay. */
static void epoch_work(struct goi_stack_cache *cache, const struct goi_stack *s)
{
    if (cache->probes == 0) {
        cache->probes = PROBES;
        for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
            uint32_t half = cache->ring[k].count / 2;
            if (half > 0) {
                spill(cache, k, half);
            }
        }
    }
    trim_on_put(s);
    if (--cache->probes == 0) {
        cache->epoch = ld_rlx(&goi_stack_epoch);
    }
}

GOI_NOINLINE static void put_slow(struct goi_stack_cache *cache, struct goi_stack *s, uint32_t k)
{
    const struct goi_stack_class *c = &goi_stack_class[k];
    int saved = errno;
    if (!cache->known) {
        cache_register(cache);
    }
    if (c->ring == 0) {
        /* So large that keeping it is not worth its page tables. */
        goi_arena_cool(k, &s, 1);
    } else {
        if (cache->epoch != ld_rlx(&goi_stack_epoch)) {
            epoch_work(cache, s);
        }
        if (cache->ring[k].count >= c->ring) {
            spill(cache, k, c->batch);
        }
        push(cache, s, k);
    }
    goi_check(cache_check(cache));
    errno = saved;
}

GOI_HOT void goi_stack_put_as(struct goi_stack_cache *cache, struct goi_stack *s, uint32_t klass)
{
    goi_assert_hot(s->klass == klass);
    /* Relaxed: an epoch noticed one put later does no harm. */
    if (GOI_UNLIKELY(cache->ring[klass].count >= goi_stack_class[klass].ring ||
                     cache->epoch != ld_rlx(&goi_stack_epoch))) {
        put_slow(cache, s, klass);
        return;
    }
    push(cache, s, klass);
}

void goi_stack_put(struct goi_stack_cache *cache, struct goi_stack *s)
{
    goi_stack_put_as(cache, s, s->klass);
}

void goi_stack_cache_flush(struct goi_stack_cache *cache)
{
    int saved = errno;
    for (uint32_t k = 0; k < GOI_STACK_CLASSES; k++) {
        while (cache->ring[k].count > 0) { /* each turn takes at least one out */
            spill(cache, k, (uint32_t)goi_min_size(cache->ring[k].count, GOI_STACK_BATCH));
        }
    }
    goi_check(cache_check(cache));
    errno = saved;
}

void goi_stack_stats(struct goi_stack_stats *out)
{
    *out = (struct goi_stack_stats){0};
    goi_arena_stats(out);
    out->trimmed = ld_rlx(&goi_stack_trimmed); /* [stat] */
}
