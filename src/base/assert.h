/* SPDX-License-Identifier: MIT */
/* assert.h: three grades of assertion.
 *
 *   goi_must(x)    always on: a violation would corrupt memory or lose a goroutine.
 *   goi_assert(x)  on unless NDEBUG: everything a reader might wonder about.
 *   goi_check(x)   a validator call, in paranoid builds (GOI_PARANOID) only.
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
#ifdef GOI_PARANOID
#define goi_check(call) (call)
#else
#define goi_check(call) ((void)0)
#endif

#endif
