/* SPDX-License-Identifier: MIT */
/* hibernate.c: parked goroutines give their page back, and get it again when anybody touches it.
 *
 * Purpose. A goroutine that waits needs a page of 4 KiB for a few hundred bytes: frames that wait,
 * and the descriptor at the top of the window. One that has waited for long hibernates: what of its
 * stack is alive is written into a dense store (hibernate_image.c, hibernate_store.c), and the page
 * goes back to the kernel. A million take 450 MB instead of 4.3 GB.
 *
 * The difficulty. C programs point into stacks. The channel's queue leads to a record on the parked
 * stack, another goroutine may use a variable there, the scheduler reads the descriptor, a dump
 * unwinds the frames, all of them without asking, and at any moment. So the page must come back by
 * itself, at an access, with all of its contents at once; and it must go such that no access falls
 * between the copy and the end of the page.
 *
 * Coming back. In place of the page stands a guard marker (as below each stack, arena.c), and an
 * access to it is a SIGSEGV. The handler asks which window it is; if that one's contents are
 * stored, it decodes them into a scratch page and lets the kernel put that in the marker's place by
 * one UFFDIO_COPY: another thread sees the marker or the whole page. Then the instruction goes on.
 * Nobody has to know: waking a goroutine, a dump, a deadlock report, a debugger's call. The handler
 * takes no lock and waits for nobody who could wait for it (Z3), because who faults may hold any
 * lock of the runtime, or of the program.
 *
 * Going. A batch of windows, neighbours where possible:
 *
 *     1  world stopped (sched/world.h): parked for long? then BUSY    nobody is on these stacks
 *     2  mprotect(READ)                                               nobody writes any more
 *        world started
 *     3  images                                                       everybody may still read
 *     4  mprotect(NONE); guard markers; mprotect(READ | WRITE)        nobody sees it half done
 *     5  STORED                                                       a fault restores
 *
 * Who touches one of them in steps 2 to 5 faults and waits in the handler until the batch is done,
 * some 300 us at most, or less often for as long as the hibernator is not scheduled. The world need
 * not stay stopped for longer, because who resumes a goroutine writes its descriptor first and
 * faults there. Why it is stopped at all: a goroutine that were resumed between the look at its
 * state and step 2 would be in user code, and a system call of its own with a pointer to its own
 * stack would fail. NONE in step 4: installing a marker over a page that is in use takes the page
 * away and then marks the place, and an access in between finds a new page of zeros (seen, and lost
 * updates with it).
 *
 *   Z1  Contents are taken only of a goroutine that is parked with the world stopped, and of no
 *       window that is pinned.                                       (claim_all)
 *   Z2  Between BUSY and STORED no access by user code succeeds that the image does not have:
 *       writes fault from step 2 on, reads from step 4 on. (no_write_into_a_parked_stack_is_lost)
 *   Z3  The handler takes no lock. It waits for the hibernator's batch, which needs no lock after
 *       the world was started again, and for other handlers, which wait for nobody.
 *       The hibernator itself never touches a stack that is stored.
 *   Z4  An image is dropped by the hibernator, in a later pass, when its window is TOUCHED. Hence
 *       the store needs no lock, and nobody frees memory in a signal handler.  (goi_hib_reap)
 *   Z5  One thread restores a window; the others wait for it. (tests/model/hibernate_word_test.c)
 *   Z6  A pinned window keeps its contents.                   (tests/model/hibernate_word_test.c)
 *   Z7  No window is BUSY when the process forks: batch_lock is taken around it.
 *
 * Pins. The kernel does not bring pages back: a system call that is given a pointer into such a
 * stack fails with EFAULT. What this library does on behalf of its callers pins the stack first
 * (goi_hibernate_keep), or does so when the call has failed and has had no effect. A system call
 * that the program makes by itself is the program's business, and the manual says so.
 *
 * A window is known by its place: chunk and index. Each chunk that was looked at has an array of
 * words (hibernate_word.h) that stays for ever, so that the handler may read it at any time; when
 * the chunk is unmapped and its number used again, the array serves the next one, since no word of
 * a window that nobody uses says more than TOUCHED.
 *
 * In the child of a fork the descriptor still means the parent's memory. There is one thread, so
 * the marker is simply taken away and the contents written.
 *
 * What is not saved: all below sp; the window's header, which is computed; and goroutines with more
 * than 16 KiB of live stack, or whose contents would not get smaller, which do not hibernate.
 *
 * Locks: batch_lock, outside of sched.lock; side_lock, a leaf.
 *
 * Rejected: userfaultfd's own faults, handled by a thread (needs privileges for what the kernel
 * touches, and then costs 45 us at every first touch of any stack). mprotect(NONE) instead of
 * markers (a mapping for each window; 65,530 is the limit). Restoring in goi_ready (an instruction
 * in the hottest path, and the record that leads to the goroutine faults before). A lock instead of
 * the words (the handler may interrupt its holder).
 */
#include "stack/hibernate.h"
#include "stack/arena.h"
#include "stack/hibernate_word.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum {
    BATCH = 128,                    /* windows at a time: one more costs 2 us, and all wait */
    SLOTS = 64,                     /* scratch: threads that restore at the same time */
    LIVE_MAX = GOI_IMAGE_WORDS_MAX * 8,
    FAULTS_AGAIN = 100,             /* at one address, its page in place: a fault of the program */
    MS = 1000000,
};

/* When a window's goroutine was first seen waiting, or found touched, and its time of waiting. */
struct mark { uint32_t seen_ms, from; };

/* What is known of the windows of a chunk. */
struct side {
    goi_aptr words;                 /* [a:HIB] goi_a64[GOI_CHUNK_WINDOWS_MAX]; stays */
    struct mark *mark;              /* [o] hibernator: as many, behind the words */
    uint32_t seq;                   /* [o] hibernator: which life of the chunk was registered */
    uint32_t carved;                /* [o] hibernator: words that may have an image */
    bool unfit;                     /* [o] hibernator: cannot be registered */
};

static struct side sides[GOI_CHUNKS_MAX];
static struct goi_stack_lock side_lock, batch_lock;
static size_t page;                 /* [c] from here on: after open */
static int fd = -1;
static char *scratch;               /* SLOTS * slot_bytes */
static size_t slot_bytes;
static goi_a64 slots_taken;         /* [a:HIB] a bit each */
static bool forked;                 /* in the child of a fork */
static goi_a64 stored_ever, restored_ever; /* [stat] */
goi_abool goi_hibernate_used;

/* --- places */

/* The live part of a window's stack lies in [base - 8 * words, base), its pages end at `end`. */
struct extent { char *base, *end; };

static struct extent extent_of(const struct goi_stack *s)
{
    char *base = s->top + GOI_STACK_DESC_BYTES;
    return (struct extent){base,
                           (char *)goi_round_up((uintptr_t)base + sizeof(struct goi_stack), page)};
}

static char *page_of(const void *p) { return (char *)((uintptr_t)p & ~(uintptr_t)(page - 1)); }

static goi_a64 *words_of(uint32_t chunk) { return ld_acq(&sides[chunk].words); /* [HIB] */ }

static goi_a64 *words_make(uint32_t chunk)
{
    goi_a64 *words = words_of(chunk);
    if (words != NULL) {
        return words;
    }
    goi_stack_lock(&side_lock);
    words = words_of(chunk);
    if (words == NULL) {
        size_t bytes = GOI_CHUNK_WINDOWS_MAX * (sizeof *words + sizeof(struct mark));
        words = gop_pages_reserve(bytes, page);
        if (words != NULL) {
            sides[chunk].mark = (struct mark *)(void *)(words + GOI_CHUNK_WINDOWS_MAX);
            st_rel(&sides[chunk].words, (void *)words); /* [HIB] acquired in words_of */
        }
    }
    goi_stack_unlock(&side_lock);
    return words;
}

/* --- coming back */

/* Waits a little longer each time; for another thread's step, which always ends (Z3). */
static void wait_turn(uint32_t i)
{
    if (i < 64) {
        goi_pause();
    } else if (i < 128) {
        gop_thread_yield();
    } else {
        gop_sleep_ns(50000);
    }
}

static char *slot_take(uint32_t *slot)
{
    for (uint32_t i = 0;; i++) { /* ends: another restorer is done */
        uint64_t taken = ld_rlx(&slots_taken);
        if (~taken == 0) {
            wait_turn(i);
            continue;
        }
        *slot = (uint32_t)__builtin_ctzll(~taken);
        if (cas_acq(&slots_taken, &taken, taken | (uint64_t)1 << *slot)) { /* [HIB] */
            return scratch + *slot * slot_bytes;
        }
    }
}

static void slot_drop(uint32_t slot)
{
    and_rel(&slots_taken, ~((uint64_t)1 << slot)); /* [HIB] with the acquire in slot_take */
}

/* The pages of a window as its image has them, in `to`. Returns where they begin in the window. */
static char *pages_make(const struct goi_stack *s, uint32_t ref, char *to, size_t *bytes)
{
    const uint8_t *image = goi_store_at(ref);
    struct extent e = extent_of(s);
    char *from = e.base - 8 * goi_image_words(image);
    char *first = page_of(from);
    struct goi_stack header = *s;
    header.guard = GOI_STACK_GUARD_INSTALLED; /* others do not hibernate (fits) */
    *bytes = (size_t)(e.end - first);
    goi_must(*bytes <= slot_bytes);
    memset(to, 0, *bytes);
    goi_image_decode(image, (uint64_t *)(void *)(to + (from - first)), (uintptr_t)e.end);
    memcpy(to + (e.base - first), &header, sizeof header);
    return first;
}

static GOI_COLD void no_page(int error)
{
    if (error == -ESRCH) {
        for (;;) { /* ends with the process: it is on its way out */
            gop_sleep_ns(MS);
        }
    }
    goi_bug("out of memory for a stack that hibernated", __FILE__, __LINE__);
}

static void put_pages(char *to, const char *from, size_t bytes)
{
    int r = gop_userfault_copy(fd, to, from, bytes);
    /* Some were there: markers could not be set (write_images). */
    for (size_t at = 0; r == -EEXIST && at < bytes; at += page) {
        int one = gop_userfault_copy(fd, to + at, from + at, page);
        r = one == 0 ? -EEXIST : one;
    }
    if (r != 0 && r != -EEXIST) {
        no_page(r);
    }
}

static void restore(const struct goi_stack *s, uint32_t ref)
{
    uint32_t slot;
    size_t bytes;
    char *pages = slot_take(&slot);
    char *first = pages_make(s, ref, pages, &bytes);
    put_pages(first, pages, bytes);
    slot_drop(slot);
}

/* One thread, and its own copy of what the parent has: see the essay. */
static bool fault_in_child(const struct goi_stack *s, const void *addr, uint64_t w)
{
    size_t bytes;
    if (goi_hib_state(w) != GOI_HIB_STORED && goi_hib_state(w) != GOI_HIB_RESTORING) {
        return false;
    }
    char *first = pages_make(s, goi_hib_ref(w), scratch, &bytes);
    char *at = page_of(addr);
    if (at < first || gop_pages_guard_remove(at, page) != 0) {
        return false;
    }
    memcpy(at, scratch + (at - first), page);
    return true;
}

/* The page is in place. Then another thread has brought it back between our fault and our look; but
 * a fault that comes again and again is one of the program (its stack is not executable). */
static bool fault_again(const void *addr)
{
    static GOI_TLS const void *last;
    static GOI_TLS uint32_t count;
    count = addr == last ? count + 1 : 0;
    last = addr;
    return count < FAULTS_AGAIN;
}

bool goi_hibernate_fault(const struct goi_stack *s, const void *addr)
{
    if (!ld_acq(&goi_hibernate_used)) { /* [HIB] with the release in open: fd and scratch */
        return false;
    }
    goi_a64 *words = words_of(s->chunk);
    if (words == NULL || s->index >= GOI_CHUNK_WINDOWS_MAX) {
        return false;
    }
    goi_a64 *word = &words[s->index];
    uint32_t ref;
    for (uint32_t i = 0;; i++) { /* ends: each state but BUSY and RESTORING returns, Z3 */
        uint64_t w = ld_acq(word); /* [HIB] */
        switch (goi_hib_state(w)) {
        case GOI_HIB_NEVER:
            return false;
        case GOI_HIB_TOUCHED:
            return i > 0 || fault_again(addr);
        case GOI_HIB_STORED:
            if (forked) {
                return fault_in_child(s, addr, w);
            }
            if (goi_hib_begin(word, &ref)) {
                restore(s, ref);
                goi_hib_end(word, ref); /* Z5 */
                add_rlx(&restored_ever, 1); /* [stat] */
                return true;
            }
            break;
        case GOI_HIB_BUSY:
        case GOI_HIB_RESTORING:
            if (forked) {
                return fault_in_child(s, addr, w);
            }
            wait_turn(i);
            break;
        default:
            return false;
        }
    }
}

/* --- pins */

goi_a64 *goi_hibernate_keep_slow(const void *p)
{
    struct goi_stack s;
    const char *sp = __builtin_frame_address(0);
    if (goi_stack_find(p, &s) != GOI_STACK_INSIDE || (sp >= s.lo && sp < s.top)) {
        return NULL; /* one's own is there, and may hibernate while the call parks */
    }
    goi_a64 *words = words_make(s.chunk);
    if (words == NULL) {
        return NULL;
    }
    goi_a64 *word = &words[s.index];
    for (uint32_t i = 0; !goi_hib_pin(word); i++) { /* ends: the touch brings it back */
        /* style: volatile because the access is what is wanted: its fault brings the page back. */
        (void)*(const volatile char *)p;
        wait_turn(i);
    }
    return word;
}

void goi_hibernate_unkeep_slow(goi_a64 *word) { goi_hib_unpin(word); }

/* --- going */

struct item {
    goi_a64 *word;
    struct goi_stack s;
    char *from;                     /* the live part begins here */
    uint32_t ref;                   /* its image; 0: none */
};

struct run { char *lo, *hi; };

/* [o] hibernator: the windows in hand, by address, in one chunk. */
static struct {
    uint32_t n, runs;
    uint32_t index[BATCH];
    struct item item[BATCH];
    struct run run[BATCH];
    struct gop_area area[BATCH];
} batch;

static uint8_t image[GOI_IMAGE_BYTES_MAX]; /* [o] hibernator */

static bool fits(const struct item *it)
{
    const struct goi_stack *header = goi_stack_of(it->s.top);
    struct extent e = extent_of(&it->s);
    return it->from >= it->s.lo && it->from < it->s.top && ((uintptr_t)it->from & 7) == 0 &&
           (size_t)(e.base - it->from) <= LIVE_MAX &&
           header->guard == GOI_STACK_GUARD_INSTALLED;
}

/* With the world stopped: what is still parked, and fits, is BUSY. The others leave the batch. */
static void claim_all(const struct goi_hibernate_view *view, uint32_t chunk,
                      const struct goi_arena_chunk *c)
{
    goi_a64 *words = words_of(chunk);
    const struct mark *mark = sides[chunk].mark;
    uint32_t n = 0;
    for (uint32_t i = 0; i < batch.n; i++) {
        struct item *it = &batch.item[n];
        void *sp = NULL;
        uint32_t from = 0;
        *it = (struct item){.word = &words[batch.index[i]]};
        if (goi_arena_window(chunk, c, batch.index[i], &it->s) &&
            view->parked(it->s.top, &from, &sp) && from == mark[batch.index[i]].from) {
            it->from = sp;
            if (fits(it) && goi_hib_claim(it->word)) { /* Z1 */
                n++;
            }
        }
    }
    batch.n = n;
}

/* Neighbours become one range: from the first one's live pages to the last one's end. */
static void find_runs(void)
{
    batch.runs = 0;
    for (uint32_t i = 0; i < batch.n; i++) {
        struct item *it = &batch.item[i];
        struct extent e = extent_of(&it->s);
        if (batch.runs > 0 && batch.run[batch.runs - 1].hi == it->s.window) {
            batch.run[batch.runs - 1].hi = e.end;
        } else {
            batch.run[batch.runs++] = (struct run){page_of(it->from), e.end};
        }
    }
}

static bool in_run(const struct item *it, const struct run *r)
{
    return it->from >= r->lo && it->from < r->hi;
}

static void give_up(struct item *it)
{
    if (it->ref != 0) {
        goi_store_drop(it->ref);
        it->ref = 0;
    }
}

/* Applies one protection to every run. Where that fails (too many mappings) the run's windows stay
 * as they are, and the others go on. */
static void protect_runs(int (*protect)(void *p, size_t size))
{
    for (uint32_t r = 0; r < batch.runs; r++) {
        struct run *run = &batch.run[r];
        if (protect(run->lo, (size_t)(run->hi - run->lo)) == 0) {
            continue;
        }
        for (uint32_t i = 0; i < batch.n; i++) {
            if (in_run(&batch.item[i], run)) {
                give_up(&batch.item[i]);
                batch.item[i].from = NULL; /* no more of it: it is in no run from here on */
            }
        }
    }
}

static int hide(void *p, size_t size) { return gop_pages_protect(p, size, false); }

static void show_runs(void)
{
    for (uint32_t r = 0; r < batch.runs; r++) {
        struct run *run = &batch.run[r];
        /* Ends: it joins mappings, so what it may lack is a moment's kernel memory. */
        while (gop_pages_protect(run->lo, (size_t)(run->hi - run->lo), true) != 0) {
            gop_sleep_ns(MS);
        }
    }
}

/* Nobody writes to these stacks any more. */
static void write_images(void)
{
    for (uint32_t i = 0; i < batch.n; i++) {
        struct item *it = &batch.item[i];
        if (it->from == NULL) {
            continue;
        }
        struct extent e = extent_of(&it->s);
        size_t room = goi_min_size(sizeof image, (size_t)(e.end - page_of(it->from)) * 3 / 4);
        const uint64_t *words = (const uint64_t *)(void *)it->from;
        size_t n = goi_image_encode(image, room, words, (size_t)(e.base - it->from) / 8,
                                    (uintptr_t)e.end);
        it->ref = n > 0 ? goi_store_add(n) : 0;
        if (it->ref != 0) {
            memcpy(goi_store_at(it->ref), image, n);
        }
    }
}

/* What the goroutine used once below its sp. One call for a run, whose markers stay, when all of it
 * is stored. */
static void discard_deep(void)
{
    for (uint32_t i = 0; i < batch.n;) {
        const struct item *first = &batch.item[i], *last = first;
        bool all = first->ref != 0;
        for (i++; i < batch.n && batch.item[i].s.window == extent_of(&last->s).end; i++) {
            last = &batch.item[i];
            all = all && last->ref != 0;
        }
        for (const struct item *it = first; it <= last; it++) {
            char *to = all ? extent_of(&last->s).end : it->ref != 0 ? page_of(it->from) : it->s.lo;
            if (to > it->s.lo) {
                (void)gop_pages_discard(it->s.lo, (size_t)(to - it->s.lo));
            }
            if (all) {
                break;
            }
        }
    }
}

/* Nobody reads them either. The pages go. */
static void drop_pages(void)
{
    uint32_t n = 0, at[BATCH];
    for (uint32_t i = 0; i < batch.n; i++) {
        struct item *it = &batch.item[i];
        if (it->ref != 0) {
            char *first = page_of(it->from);
            batch.area[n] = (struct gop_area){first, (size_t)(extent_of(&it->s).end - first)};
            at[n++] = i;
        }
    }
    size_t done = gop_pages_guard_list(batch.area, n);
    for (size_t k = 0; k < n; k++) {
        struct item *it = &batch.item[at[k]];
        if (k >= done) { /* locked memory: some of it may be gone already */
            restore(&it->s, it->ref);
            give_up(it);
        }
    }
    discard_deep();
}

static void publish(struct mark *mark, int64_t now, struct goi_hibernate_pass *out)
{
    for (uint32_t i = 0; i < batch.n; i++) {
        struct item *it = &batch.item[i];
        if (it->ref != 0) {
            goi_hib_store(it->word, it->ref);
            out->stored++;
            add_rlx(&stored_ever, 1); /* [stat] */
        } else {
            mark[it->s.index].seen_ms = (uint32_t)(now / MS);
            goi_hib_unclaim(it->word);
        }
    }
}

static void run_batch(const struct goi_hibernate_view *view, uint32_t chunk,
                      const struct goi_arena_chunk *c, int64_t now,
                      struct goi_hibernate_pass *out)
{
    goi_stack_lock(&batch_lock); /* Z7 */
    if (view->stop()) {
        claim_all(view, chunk, c);
        find_runs();
        protect_runs(gop_pages_read_only); /* Z2 */
        view->start();
        write_images();
        protect_runs(hide); /* Z2 */
        drop_pages();
        show_runs();
        publish(sides[chunk].mark, now, out);
    } else {
        out->waiting += batch.n;
    }
    batch.n = 0;
    goi_stack_unlock(&batch_lock);
    view->rest();
}

/* --- a pass */

static uint64_t reap(uint32_t chunk, uint32_t from, uint32_t to)
{
    goi_a64 *words = words_of(chunk);
    uint64_t n = 0;
    for (uint32_t i = from; i < to; i++) {
        uint32_t ref = goi_hib_reap(&words[i]);
        if (ref != 0) {
            goi_store_drop(ref); /* Z4 */
            n++;
        }
    }
    return n;
}

/* Is the chunk one whose stacks may hibernate? The number may stand for another one than last
 * time: what it had is dropped, and it is registered. */
static bool meet(uint32_t chunk, const struct goi_arena_chunk *c, struct goi_hibernate_pass *out)
{
    struct side *side = &sides[chunk];
    if (words_make(chunk) == NULL) {
        return false;
    }
    if (side->seq != c->seq) {
        out->again += reap(chunk, 0, side->carved);
        memset(side->mark, 0, side->carved * sizeof *side->mark);
        side->seq = c->seq;
        side->unfit = gop_userfault_register(fd, c->map, c->bytes) != 0;
    }
    side->carved = c->carved;
    return !side->unfit;
}

static bool wanted(const struct goi_hibernate_view *view, uint32_t chunk,
                   const struct goi_arena_chunk *c, uint32_t index, int64_t now, int64_t after,
                   struct goi_hibernate_pass *out)
{
    struct mark *mark = &sides[chunk].mark[index];
    goi_a64 *word = words_of(chunk) + index;
    uint32_t ref = goi_hib_reap(word), from = 0, now_ms = (uint32_t)(now / MS);
    struct goi_stack s;
    if (ref != 0) {
        goi_store_drop(ref); /* Z4 */
        mark->seen_ms = now_ms; /* touched: its time begins anew */
        out->again++;
    }
    if (after == 0 || !goi_hib_present(ld_rlx(word)) || !goi_arena_window(chunk, c, index, &s) ||
        !view->parked(s.top, &from, NULL)) {
        return false;
    }
    if (from != mark->from || mark->seen_ms == 0) {
        *mark = (struct mark){now_ms, from};
    }
    bool is = now_ms - mark->seen_ms >= (uint64_t)(after / MS);
    out->waiting += !is;
    return is;
}

static void pass_chunk(const struct goi_hibernate_view *view, uint32_t chunk, int64_t now,
                       int64_t after, struct goi_hibernate_pass *out)
{
    struct goi_arena_chunk c;
    if (!goi_arena_chunk(chunk, &c) || !meet(chunk, &c, out)) {
        return;
    }
    for (uint32_t i = 0; i < c.carved && !view->quit(); i++) {
        if (wanted(view, chunk, &c, i, now, after, out)) {
            batch.index[batch.n++] = i;
        }
        if (batch.n == BATCH) {
            run_batch(view, chunk, &c, now, out);
        }
    }
    if (batch.n > 0) {
        run_batch(view, chunk, &c, now, out);
    }
}

void goi_hibernate_pass(const struct goi_hibernate_view *view, int64_t now, int64_t after,
                        struct goi_hibernate_pass *out)
{
    *out = (struct goi_hibernate_pass){0};
    uint32_t n = goi_arena_chunks();
    for (uint32_t chunk = 1; chunk < n && !view->quit(); chunk++) {
        goi_stack_hold(); /* nothing is unmapped meanwhile (A4) */
        pass_chunk(view, chunk, now, after, out);
        goi_stack_unhold();
    }
}

void goi_hibernate_wake_all(void)
{
    uint32_t n = goi_arena_chunks();
    sigset_t all, before;
    sigfillset(&all); /* a handler that ran now might wait for what we are at */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t chunk = 1; chunk < n; chunk++) {
        goi_a64 *words = words_of(chunk);
        struct goi_arena_chunk c;
        goi_stack_hold();
        if (words != NULL && goi_arena_chunk(chunk, &c)) {
            for (uint32_t i = 0; i < c.carved; i++) {
                struct goi_stack s;
                if (goi_hib_state(ld_acq(&words[i])) == GOI_HIB_STORED && /* [HIB] */
                    goi_arena_window(chunk, &c, i, &s)) {
                    (void)goi_hibernate_fault(&s, s.top);
                }
            }
        }
        goi_stack_unhold();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void goi_hibernate_stats(struct goi_hibernate_stats *out)
{
    out->restored_ever = ld_rlx(&restored_ever);
    out->stored_ever = ld_rlx(&stored_ever);
    out->stored = out->stored_ever - out->restored_ever;
    out->bytes = goi_store_bytes();
}

/* --- start */

static void before_fork(void) { goi_stack_lock(&batch_lock); }

static void after_fork(void) { goi_stack_unlock(&batch_lock); }

static void after_fork_in_child(void)
{
    forked = true;
    goi_stack_unlock(&batch_lock);
}

/* Does a copy really take a marker's place? */
static const char *probe(int *error)
{
    char *p = gop_pages_reserve(page, page);
    const char *what = p == NULL ? "no memory" : NULL;
    if (what == NULL) {
        *error = gop_userfault_register(fd, p, page);
        what = *error != 0 ? "userfaultfd cannot register memory" : NULL;
    }
    if (what == NULL) {
        *p = 1;
        *error = gop_pages_guard(p, page);
        what = *error != 0 ? "no guard pages (Linux 6.13 has them)" : NULL;
    }
    if (what == NULL) {
        scratch[0] = 2;
        *error = gop_userfault_copy(fd, p, scratch, page);
        what = *error != 0 || *p != 2 ? "userfaultfd cannot replace a guard page" : NULL;
    }
    if (p != NULL) {
        gop_pages_release(p, page);
    }
    return what;
}

const char *goi_hibernate_open(int *error)
{
    *error = 0;
    if (ld_rlx(&goi_hibernate_used)) {
        return NULL;
    }
    page = gop_page_size();
    slot_bytes = goi_round_up(LIVE_MAX, page) + page;
    fd = gop_userfault_open();
    if (fd < 0) {
        *error = fd;
        return "userfaultfd";
    }
    scratch = gop_pages_reserve(SLOTS * slot_bytes, page);
    const char *what = scratch == NULL ? "no memory" : probe(error);
    if (what == NULL && pthread_atfork(before_fork, after_fork, after_fork_in_child) != 0) {
        what = "no memory";
    }
    if (what != NULL) {
        gop_userfault_close(fd);
        if (scratch != NULL) {
            gop_pages_release(scratch, SLOTS * slot_bytes);
        }
        return what;
    }
    goi_overflow_block_all();
    st_rel(&goi_hibernate_used, true); /* [HIB] */
    return NULL;
}
