/* SPDX-License-Identifier: MIT */
/* jitter.h: pauses at random where a hand-over can go wrong.
 *
 * A test with real threads meets an interleaving by luck, and two processors are seldom lucky
 * between two neighbouring instructions. So the places where one thread has done the first half of
 * something that another must not see halved say GOI_JITTER(): before a waiter is published and
 * before its commit, between the two words of a hand-shake, before a thread sleeps. In builds for
 * testing (GOI_JITTERS: validators or sanitizers on, see cmake/GortLibrary.cmake) and with
 * GORTDEBUG=jitter=N, one passage in N on average pauses there: for some instructions, until others
 * have run, or for up to 50 us. Which ones is drawn from the seed, per thread. In all other builds
 * the macro is nothing.
 *
 * A pause changes no result that the code may rely on: the kernel may stop a thread at the same
 * places, and does, rarely.
 */
#ifndef GOI_JITTER_H
#define GOI_JITTER_H
#include "base/base.h"

#ifdef GOI_JITTERS
/* sched/jitter.c. Keeps errno. Any thread, inside or outside the runtime, locks held or not. */
void goi_jitter(void);
#define GOI_JITTER() goi_jitter()
#else
#define GOI_JITTER() ((void)0)
#endif

#endif
