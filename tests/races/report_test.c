/* SPDX-License-Identifier: MIT */
/* What is said: the names of goroutines in a report, and that there are too many of them. */
#include "races.h"

extern uint32_t goi_annot_most; /* annot/annot.h, which a program cannot include */

static void nothing(void) {}
static void wait_for_ever(chan(int) c) { (void)chan_recv(c); }

DEATH_TEXT(report, too_many_goroutines_are_told_apart_from_a_crash, 2,
           "runtime: ThreadSanitizer follows no more than 50 goroutines at a time\n"
           "Run with -race what is smaller, or let fewer live at once "
           "(go_sem, go_group_set_limit).\n"
           "fatal error: too many goroutines for the race detector\n")
{
    chan(int) c = chan_make(int);
    goi_annot_most = 50;
    for (int i = 0; i < 60; i++) {
        go(wait_for_ever, c);
    }
}

SILENT(report, goroutines_that_have_ended_do_not_count, OURS)
{
    goi_annot_most = 50;
    for (int i = 0; i < 200; i++) {
        go(nothing);
        await_count(1);
    }
    (void)v;
}
