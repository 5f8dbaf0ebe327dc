/* SPDX-License-Identifier: MIT */
/* assert.h: four grades of assertion.
 *
 *   goi_must(x)        always on: a violation would corrupt memory or lose a goroutine, and whoever
 *                      calls us wrongly can bring it about, or the check is off the hot paths.
 *   goi_assert(x)      on unless NDEBUG: everything a reader might wonder about.
 *   goi_assert_hot(x)  the same on the paths that are counted in nanoseconds: spawn and exit,
 *                      switch, park and ready, send, receive, select, mutex, yield. On in builds
 *                      for testing (GOI_HOT_ASSERTS), off in the one that is installed.
 *   goi_check(x)       a validator call, in paranoid builds (GOI_PARANOID) only.
 *
 * Why the third: a round trip through a channel takes some 660 instructions, and its asserts were
 * 200 more. What they say depends on our code alone, not on what a program passes in: one that
 * holds in all the suite's runs, sanitizers and random pauses included, holds in programs. So all
 * variants of the suite have them but two, gcc and shared, which test what is installed
 * (docs/TESTING.md). An assert becomes hot when callgrind shows it on such a path, not before.
 *
 * A failure prints one line with no allocation and aborts: a runtime bug, never the user's.
 */
#ifndef GOI_ASSERT_H
#define GOI_ASSERT_H
#include "base/base.h"

/* Prints `fatal error: gort: WHY` (runtime bug) and aborts. Async-signal-safe. */
void goi_bug(const char *why, const char *file, int line) GOI_NORETURN GOI_COLD;
#define goi_unreachable(why) goi_bug(why, __FILE__, __LINE__)

#define goi_must(x) (GOI_LIKELY(x) ? (void)0 : goi_bug("violated: " #x, __FILE__, __LINE__))
#ifdef NDEBUG
#define goi_assert(x) ((void)sizeof(!!(x)))
#else
/* Not by way of goi_must: an argument's macros would be expanded before they are printed. */
#define goi_assert(x) (GOI_LIKELY(x) ? (void)0 : goi_bug("violated: " #x, __FILE__, __LINE__))
#endif
#if defined(GOI_HOT_ASSERTS)
#define goi_assert_hot goi_assert
#else
#define goi_assert_hot(x) ((void)sizeof(!!(x)))
#endif
#ifdef GOI_PARANOID
#define goi_check(call) (call)
#else
#define goi_check(call) ((void)0)
#endif

#endif
