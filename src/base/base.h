/* SPDX-License-Identifier: MIT */
/* base.h: compiler words used by every file under src/, so that `__attribute__` stays here. */
#ifndef GOI_BASE_H
#define GOI_BASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOI_LIKELY(x) __builtin_expect(!!(x), 1)
#define GOI_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define GOI_NOINLINE __attribute__((noinline))
#define GOI_INLINE static inline __attribute__((always_inline))
#define GOI_COLD __attribute__((cold, noinline))
#define GOI_HOT __attribute__((hot))
#define GOI_NORETURN __attribute__((noreturn))
#define GOI_ALIGNED(n) __attribute__((aligned(n)))
#define GOI_UNUSED __attribute__((unused))
#define GOI_USED __attribute__((used))
#define GOI_WEAK __attribute__((weak))
#define GOI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define GOI_HIDDEN __attribute__((visibility("hidden")))
#define GOI_CONSTRUCTOR __attribute__((constructor))
#define GOI_TLS __thread __attribute__((tls_model("initial-exec")))
#define GOI_FALLTHROUGH __attribute__((fallthrough))
/* Not instrumented: reads of memory that a sanitizer may consider out of bounds on purpose. */
#if defined(__clang__)
#define GOI_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define GOI_NO_SANITIZE                                                                            \
    __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif
/* A function that can switch goroutines: after it the caller may be on another thread. The mark is
 * contagious; tools/tidy and readers rely on it. */
#define GOI_PARKS
#define GOI_CACHE_LINE 64

#define goi_container_of(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))
#define goi_countof(a) (sizeof(a) / sizeof((a)[0]))

static inline size_t goi_round_up(size_t x, size_t to) { return (x + to - 1) & ~(to - 1); }
static inline int64_t goi_min_i64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t goi_max_i64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline size_t goi_min_size(size_t a, size_t b) { return a < b ? a : b; }

#define GOI_FOREVER INT64_MAX

#endif
