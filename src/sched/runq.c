/* SPDX-License-Identifier: MIT */
/* runq.c: see runq.h. */
#include "sched/runq.h"

void goi_runq_move_head(struct goi_runq *from, struct goi_runq *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct goi_runnable *r = goi_runq_pop_head(from);
        goi_must(r != NULL);
        goi_runq_push_tail(to, r);
    }
}

void goi_runq_move_tail(struct goi_runq *from, struct goi_runq *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct goi_runnable *r = goi_runq_pop_tail(from);
        goi_must(r != NULL);
        goi_runq_push_tail(to, r);
    }
}

void goi_runq_check(const struct goi_runq *q)
{
    uint32_t n = 0;
    const struct goi_runnable *prev = NULL;
    for (const struct goi_runnable *r = q->head; r != NULL; r = r->next) {
        goi_must(r->prev == prev); /* Q1 */
        prev = r;
        n++;
    }
    goi_must(q->tail == prev);                  /* Q1 */
    goi_must((q->head == NULL) == (n == 0));    /* Q1 */
    goi_must(n == goi_runq_len(q));             /* Q1 */
}
