/* SPDX-License-Identifier: MIT */
/* sync.h: what every model of src/sync includes before the file it is about. */
#ifndef GORT_TEST_MODEL_SYNC_H
#define GORT_TEST_MODEL_SYNC_H
#include "model/sched.h"
#include "sync/internal.h"

static bool model_spins; /* goi_may_spin() says yes or no, by choice */

void goi_word_wait(uint32_t *round)
{
    (void)round;
    ex_spin();
}

bool goi_may_spin(struct m *m)
{
    (void)m;
    return model_spins && ex_choose(2) == 1;
}

#endif
