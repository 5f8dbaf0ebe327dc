/* SPDX-License-Identifier: MIT */
/* leak_mark.c: following pointers from what is alive. What counts as one, and what it keeps alive,
 * is in leak.c.
 *
 *   F1  Words are read only where memory is: in pieces of the heap, in stacks that are known, or in
 *       pages of which the system says that they are there. A page that is swapped out is copied by
 *       the system, because it may as well be a guard, which must not be touched.
 *   F2  Every piece and every goroutine is followed once.    (goi_leak_heap_take, live)
 */
#include "debug/leak.h"
#include "os/os.h"

/* --- sorting: heap sort, in place, no recursion */

typedef uintptr_t (*key_fn)(const void *element);

static void swap(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = a[i];
        a[i] = b[i];
        b[i] = c;
    }
}

static void sift(char *base, size_t size, size_t at, size_t n, key_fn key)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && key(base + child * size) < key(base + (child + 1) * size)) {
            child++;
        }
        if (key(base + child * size) <= key(base + at * size)) {
            break;
        }
        swap(base + child * size, base + at * size, size);
        at = child;
    }
}

static void sort(void *array, size_t size, size_t n, key_fn key)
{
    char *base = array;
    for (size_t i = n / 2; i-- > 0;) {
        sift(base, size, i, n, key);
    }
    for (size_t end = n; end-- > 1;) {
        swap(base, base + end * size, size);
        sift(base, size, 0, end, key);
    }
}

static uintptr_t range_key(const void *e) { return ((const struct goi_range *)e)->lo; }
static uintptr_t target_key(const void *e) { return ((const struct goi_leak_target *)e)->lo; }

void goi_leak_sort_targets(struct goi_leak *l)
{
    sort(l->targets, sizeof l->targets[0], l->ntargets, target_key);
    if (l->ntargets > 0) {
        l->target_lo = l->targets[0].lo;
        l->target_hi = l->targets[l->ntargets - 1].hi;
    }
}

/* --- what is left out */

void goi_leak_skip(struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    if (lo >= hi) {
        return;
    }
    if (l->nskip == l->skip_room) {
        l->problem = "too much to leave out";
        return;
    }
    l->skip[l->nskip++] = (struct goi_range){lo, hi};
}

void goi_leak_skip_object(struct goi_leak *l, const void *object)
{
    struct goi_leak_heap *h;
    struct goi_range piece;
    if (goi_leak_heap_find(l, (uintptr_t)object, &h, &piece)) {
        (void)goi_leak_heap_take(h, &piece);
    }
}

/* Sorted, and joined where they overlap. */
void goi_leak_sort_skips(struct goi_leak *l)
{
    size_t n = 0;
    sort(l->skip, sizeof l->skip[0], l->nskip, range_key);
    for (size_t i = 0; i < l->nskip; i++) {
        const struct goi_range r = l->skip[i];
        if (n > 0 && r.lo <= l->skip[n - 1].hi) {
            l->skip[n - 1].hi = r.hi > l->skip[n - 1].hi ? r.hi : l->skip[n - 1].hi;
        } else {
            l->skip[n++] = r;
        }
    }
    l->nskip = n;
}

/* The first range that ends behind `at`; nskip if there is none. */
static size_t skip_behind(const struct goi_leak *l, uintptr_t at)
{
    size_t lo = 0;
    size_t hi = l->nskip;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (l->skip[mid].hi > at) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

/* --- work */

static void push(struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    struct goi_leak_work *w = l->work;
    if (w == NULL || w->n == GOI_LEAK_ITEMS) {
        w = l->spare;
        if (w != NULL) {
            l->spare = w->next;
        } else {
            w = goi_leak_alloc(l, sizeof *w);
        }
        if (w == NULL) {
            return; /* `problem` is set: there will be no verdict */
        }
        w->n = 0;
        w->next = l->work;
        l->work = w;
    }
    w->item[w->n++] = (struct goi_range){lo, hi};
}

static bool pop(struct goi_leak *l, struct goi_range *r)
{
    while (l->work != NULL && l->work->n == 0) { /* ends: each turn drops a block */
        struct goi_leak_work *w = l->work;
        l->work = w->next;
        w->next = l->spare;
        l->spare = w;
    }
    if (l->work == NULL) {
        return false;
    }
    *r = l->work->item[--l->work->n];
    return true;
}

void goi_leak_drain(struct goi_leak *l)
{
    struct goi_range r;
    while (pop(l, &r)) { /* ends: F2 */
        goi_leak_words(l, r.lo, r.hi);
    }
}

/* --- words */

static const struct goi_leak_target *target_at(const struct goi_leak *l, uintptr_t at)
{
    size_t lo = 0;
    size_t hi = l->ntargets;
    if (at < l->target_lo || at >= l->target_hi) {
        return NULL;
    }
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (l->targets[mid].hi > at) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo < l->ntargets && l->targets[lo].lo <= at ? &l->targets[lo] : NULL;
}

/* Beside its stack a goroutine holds local values, the call that is told of its end, deferred
 * calls. Its links and its object do not count: they say with whom it waits, not whom it could
 * wake. */
void goi_leak_descriptor(struct goi_leak *l, const struct g *g)
{
    push(l, (uintptr_t)&g->extra, (uintptr_t)(&g->extra + 1));
    push(l, (uintptr_t)&g->done_arg, (uintptr_t)(&g->done_arg + 1));
    push(l, (uintptr_t)&g->unwind, (uintptr_t)(&g->unwind + 1));
    push(l, (uintptr_t)g->cxx, (uintptr_t)(g->cxx + 2));
}

/* The record of the call that it was started with lies at the top of its stack. Its first words
 * lead to whoever made the go statement, and what was in registers then is arguments only in part,
 * so it counts only for as long as the call has not been made: while there is nothing below the
 * record but what a first switch takes. What is behind (arguments on the stack, a closure) always
 * counts. */
void goi_leak_stack(struct goi_leak *l, const struct goi_leak_g *lg, uintptr_t sp)
{
    enum { FIRST_FRAME = 192 };
    uintptr_t record = (uintptr_t)lg->g->unwind.record;
    bool fresh = ld_rlx(&lg->g->state) == GOI_G_PENDING || record - sp <= FIRST_FRAME;
    if (record >= sp && record < lg->top) {
        push(l, sp, record);
        push(l, record + (fresh ? offsetof(struct goi_record, gp) : sizeof(struct goi_record)),
             lg->top);
    } else {
        push(l, sp, lg->top);
    }
}

static void revive(struct goi_leak *l, struct goi_leak_g *lg)
{
    if (!lg->live) { /* F2 */
        lg->live = true;
        goi_leak_stack(l, lg, lg->sp);
        goi_leak_descriptor(l, lg->g);
    }
}

void goi_leak_word(struct goi_leak *l, uintptr_t word)
{
    struct goi_leak_heap *h;
    struct goi_range piece;
    const struct goi_leak_target *t = target_at(l, word);
    if (t != NULL) {
        revive(l, &l->gs[t->index]);
    } else if (goi_leak_heap_find(l, word, &h, &piece) && goi_leak_heap_take(h, &piece)) {
            push(l, piece.lo + 16, goi_min_size(piece.hi + 8, h->hi));
    }
}

GOI_NO_SANITIZE void goi_leak_words(struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    const uintptr_t *end = (const uintptr_t *)(hi & ~(uintptr_t)7);
    for (const uintptr_t *p = (const uintptr_t *)((lo + 7) & ~(uintptr_t)7); p < end; p++) {
        goi_leak_word(l, *p);
    }
}

/* --- mappings */

static void swapped(struct goi_leak *l, uintptr_t lo, uintptr_t hi)
{
    uintptr_t part[64];
    while (lo < hi) { /* ends: each turn takes a part */
        size_t n = goi_min_size(sizeof part, hi - lo);
        size_t got = gop_memory_read(part, lo, n);
        for (size_t i = 0; i < got / sizeof part[0]; i++) {
            goi_leak_word(l, part[i]);
        }
        if (got < n) {
            return; /* a guard */
        }
        lo += n;
    }
}

typedef void (*words_fn)(struct goi_leak *l, uintptr_t lo, uintptr_t hi);

/* Words of [lo, hi) outside of what is to be skipped. */
static void without_skips(struct goi_leak *l, uintptr_t lo, uintptr_t hi, words_fn fn)
{
    for (size_t i = skip_behind(l, lo); lo < hi; i++) { /* ends: lo grows */
        uintptr_t stop = i < l->nskip && l->skip[i].lo < hi ? l->skip[i].lo : hi;
        if (lo < stop) {
            fn(l, lo, stop);
        }
        lo = stop < hi ? l->skip[i].hi : hi;
    }
}

/* Where to go on behind what is left out at `at`, by whole pages; *stop: where the next such part
 * begins, or hi. Address space for stacks is most of what a process has, and what is there of it
 * is found in other ways: to ask the system about each of its pages would take most of a check's
 * time. */
static uintptr_t behind_skips(const struct goi_leak *l, uintptr_t at, uintptr_t hi,
                              uintptr_t *stop)
{
    size_t page = gop_page_size();
    size_t i = skip_behind(l, at);
    *stop = hi;
    if (i < l->nskip && l->skip[i].lo <= at) {
        uintptr_t end = l->skip[i].hi & ~(page - 1);
        at = end > at ? end : at;
        i++;
    }
    if (i < l->nskip && l->skip[i].lo < hi && l->skip[i].lo > at) {
        *stop = l->skip[i].lo;
    }
    return at;
}

void goi_leak_mapping(struct goi_leak *l, uintptr_t lo, uintptr_t hi, bool stack)
{
    uint8_t state[GOP_PAGES_LOOK];
    size_t page = gop_page_size();
    uintptr_t at = lo & ~(page - 1);
    uintptr_t stop = hi;
    while (at < hi) { /* ends: at grows */
        at = stack ? at : behind_skips(l, at, hi, &stop);
        size_t n = at < stop ? goi_min_size((stop - at + page - 1) / page, GOP_PAGES_LOOK) : 0;
        if (n > 0 && !gop_pages_look(l->look, at, n, state)) {
            l->problem = "the system does not say which pages are there";
            return;
        }
        for (size_t i = 0; i < n; i++) {
            uintptr_t from = at + i * page > lo ? at + i * page : lo;
            uintptr_t to = at + (i + 1) * page < hi ? at + (i + 1) * page : hi;
            words_fn words = state[i] == GOP_PAGE_PRESENT ? goi_leak_words : swapped;
            if (state[i] != GOP_PAGE_ABSENT && stack) { /* F1 */
                words(l, from, to);
            } else if (state[i] != GOP_PAGE_ABSENT) { /* F1 */
                without_skips(l, from, to, words);
            }
        }
        at += n * page;
        goi_leak_drain(l);
    }
}

bool goi_leak_reached(const struct goi_leak *l, uintptr_t at)
{
    struct goi_leak_heap *h;
    struct goi_range piece;
    const struct goi_leak_target *t = target_at(l, at);
    if (t != NULL) {
        return l->gs[t->index].live;
    }
    return !goi_leak_heap_find(l, at, &h, &piece) || goi_leak_heap_taken(h, &piece);
}
