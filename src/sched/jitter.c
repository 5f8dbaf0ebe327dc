/* SPDX-License-Identifier: MIT */
/* jitter.c: see base/jitter.h. Each thread draws from a generator of its own, seeded from the
 * runtime's seed and the order in which threads came here first. */
#include "base/jitter.h"
#include "base/atomic.h"
#include "base/rand.h"
#include "os/os.h"
#include "sched/jitter.h"

#ifdef GOI_JITTERS
enum { PAUSES_MAX = 512, SLEEP_NS_MAX = 50000 };

static uint32_t one_in;             /* [c] after goi_jitter_init; 0: never */
static uint64_t seed;               /* [c] after goi_jitter_init */
static goi_a32 threads;
static GOI_TLS struct goi_rand own; /* state 0: not seeded */

void goi_jitter_init(uint64_t from, uint64_t n)
{
    seed = from;
    one_in = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void goi_jitter(void)
{
    if (one_in == 0) {
        return;
    }
    if (own.s == 0) {
        own.s = (seed + add_rlx(&threads, 1)) | (uint64_t)1 << 63; /* relaxed: only a number */
    }
    if (goi_rand_below(&own, one_in) != 0) {
        return;
    }
    uint32_t kind = goi_rand_below(&own, 16);
    if (kind < 9) {
        for (uint32_t n = goi_rand_below(&own, PAUSES_MAX); n > 0; n--) {
            goi_pause();
        }
    } else if (kind < 15) {
        gop_thread_yield();
    } else {
        gop_sleep_ns(goi_rand_below(&own, SLEEP_NS_MAX));
    }
}
#else
void goi_jitter_init(uint64_t from, uint64_t n)
{
    (void)from;
    (void)n;
}
#endif
