/* SPDX-License-Identifier: MIT */
/* reclaim.c: the reclaimer's side of reclaim.h. What was retired collects on a few lists, so that
 * threads that delete do not all meet at one lock; a list that is long enough is freed as a whole,
 * after one membarrier, by who made it long enough. */
#include "sync/reclaim.h"

/* A membarrier costs some microseconds; a paranoid build would rather see mistakes early. */
#ifndef GOI_RECLAIM_BATCH
#ifdef GOI_PARANOID
#define GOI_RECLAIM_BATCH 2
#else
#define GOI_RECLAIM_BATCH 256
#endif
#endif

enum { SHARDS = 8, PIECE = 4096 };

struct goi_epoch goi_epoch = {{1}};

static struct shard {
    struct goi_lock lock;
    uint32_t count;                 /* [l] */
    uint32_t enough;                /* [l] when to try again, beyond BATCH */
    struct goi_retired *list;       /* [l] */
} GOI_ALIGNED(GOI_CACHE_LINE) shards[SHARDS];

static void shard_add(struct shard *s, struct goi_retired *first, struct goi_retired *last,
                      uint32_t n)
{
    last->next = s->list;
    s->list = first;
    s->count += n;
}

/* Nobody reads what is on the list any more? V2 */
static bool quiet(void)
{
    uint64_t e = add_acqrel(&goi_epoch.now, 1); /* [EPOCH] */
    if (GOI_LIKELY(goi_sched.have_membarrier)) {
        gop_membarrier();
    } else {
        fence_seq(); /* [EPOCH] */
    }
    return goi_oldest_reader() > e;
}

/* The whole list was taken. Frees it, or puts it back. */
static void reclaim(struct shard *s, struct goi_retired *list)
{
    if (quiet()) {
        goi_inside_acquire(&goi_epoch); /* after all that was done to what is freed now (map.c) */
        goi_unseen_begin();
        while (list != NULL) {
            struct goi_retired *next = list->next;
            list->dispose(list);
            list = next;
        }
        goi_unseen_end();
        return;
    }
    struct goi_retired *last = list;
    uint32_t n = 1;
    while (last->next != NULL) {
        last = last->next;
        n++;
    }
    goi_lock(&s->lock);
    shard_add(s, list, last, n);
    s->enough = s->count; /* V3: not at once again, a reader waits for its processor */
    goi_unlock(&s->lock);
}

/* Counts as `n` things. */
static void retire(struct goi_retired *r, void (*dispose)(struct goi_retired *r), uint32_t n)
{
    struct m *m = goi_enter();
    struct shard *s = &shards[(uint32_t)m->id % SHARDS];
    struct goi_retired *list = NULL;
    goi_assert(ld_rlx(&m->reading) == 0);
    r->dispose = dispose;
    goi_retired_seen();
    goi_lock(&s->lock);
    shard_add(s, r, r, n);
    if (s->count >= s->enough + GOI_RECLAIM_BATCH) {
        list = s->list;
        s->list = NULL;
        s->count = s->enough = 0;
    }
    goi_unlock(&s->lock);
    goi_leave(m);
    if (list != NULL) {
        reclaim(s, list);
    }
}

void goi_retire(struct goi_retired *r, void (*dispose)(struct goi_retired *r))
{
    retire(r, dispose, 1);
}

void goi_retire_large(struct goi_retired *r, void (*dispose)(struct goi_retired *r), size_t bytes)
{
    size_t n = 1 + bytes / PIECE;
    retire(r, dispose, n < GOI_RECLAIM_BATCH ? (uint32_t)n : GOI_RECLAIM_BATCH);
}

struct m *goi_reader_slow(void)
{
    (void)goi_self_g();
    return goi_m();
}
