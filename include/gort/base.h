/* SPDX-License-Identifier: MIT */
/* base.h: what every other header of Gort builds on: the version, the attributes by their own
 * names, units of time and size, and an errno that is right after a goroutine changed its thread.
 *
 * Every public header may be included alone and in any order. */
#ifndef GO_BASE_H
#define GO_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <gort/detail/pp.h>

#define GO_VERSION_MAJOR 0
#define GO_VERSION_MINOR 1
#define GO_VERSION_PATCH 0
#define GO_VERSION "0.1.0"
/* One number that grows with every release: for `#if GO_VERSION_NUMBER >= 100`. */
#define GO_VERSION_NUMBER (GO_VERSION_MAJOR * 10000 + GO_VERSION_MINOR * 100 + GO_VERSION_PATCH)

/* ---- compilers -----------------------------------------------------------------------------
 * This is the only public header that speaks to the compiler in its own words. gcc >= 12 and
 * clang >= 14 are supported, in gnu11, gnu17, gnu2x and C++17. */
#if !defined(__GNUC__)
#error "Gort needs gcc (12 or later) or clang (14 or later)"
#elif !defined(__clang__) && __GNUC__ < 12
#error "Gort needs gcc 12 or later"
#elif defined(__clang__) && __clang_major__ < 14
#error "Gort needs clang 14 or later"
#endif
#if !defined(__linux__) || !defined(__LP64__)
#error "Gort runs on 64-bit Linux"
#endif
#if defined(__cplusplus) && __cplusplus < 201703L
#error "Gort needs C++17 or later"
#endif

#define GO_API __attribute__((__visibility__("default")))
#define GO_NODISCARD __attribute__((__warn_unused_result__))
#define GO_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#define GO_CLEANUP(function) __attribute__((__cleanup__(function)))
#define GO_UNUSED __attribute__((__unused__))
#define GO_USED __attribute__((__used__))
#define GO_HIDDEN __attribute__((__visibility__("hidden")))
#define GO_WEAK __attribute__((__weak__))
#define GO_NOINLINE __attribute__((__noinline__))
#define GO_ALIGNED(n) __attribute__((__aligned__(n)))

/* Sets the variable to the stack pointer. */
#if defined(__x86_64__)
#define GOI_STACK_POINTER(into) __asm__("mov %%rsp, %0" : "=r"(into))
#elif defined(__aarch64__)
#define GOI_STACK_POINTER(into) __asm__("mov %0, sp" : "=r"(into))
#else
#define GOI_STACK_POINTER(into) ((into) = (uintptr_t)__builtin_frame_address(0))
#endif

/* 1 in programs built for the race detector, which must see what inline code would hide from it. */
#if defined(__SANITIZE_THREAD__)
#define GOI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GOI_TSAN 1
#endif
#endif
#if !defined(GOI_TSAN)
#define GOI_TSAN 0
#endif

#if defined(__cplusplus)
#define GO_EXTERN_C extern "C"
#define GO_BEGIN_DECLS extern "C" {
#define GO_END_DECLS }
#define GOI_ZERO {}
#define GO_NORETURN [[noreturn]]
#else
#define GO_EXTERN_C extern
#define GO_BEGIN_DECLS
#define GO_END_DECLS
#define GOI_ZERO { 0 }
/* First in a declaration. Not __attribute__((noreturn)): that is part of the type for clang, and
 * code after `go(f)` or `defer(f)` would be taken for unreachable. */
#if __STDC_VERSION__ > 201710L && defined(__has_c_attribute)
#if __has_c_attribute(noreturn)
#define GO_NORETURN [[noreturn]]
#endif
#endif
#if !defined(GO_NORETURN)
#define GO_NORETURN _Noreturn
#endif
#endif

/* True where the element types, directions and arguments of the macros are checked by C's own
 * conversion rules; those come out as warnings in gcc < 14 and clang < 16. The headers make them
 * errors inside every macro, and, unless GO_LAX is defined before the first Gort header, for the
 * whole file: only so does a receive-only channel passed where a sender is wanted not compile. */
#if !defined(__cplusplus) && !defined(GO_LAX)
#pragma GCC diagnostic error "-Wint-conversion"
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#if defined(__clang__)
#pragma GCC diagnostic error "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic error "-Wdiscarded-qualifiers"
#endif
#endif

#if defined(__clang__) && defined(__has_warning)
#if __has_warning("-Wc2y-extensions")
/* Unique names come from __COUNTER__, which newer clang reports as an extension of C2y. */
#pragma clang diagnostic ignored "-Wc2y-extensions"
#endif
#endif

/* ---- time and size -------------------------------------------------------------------------
 * A duration is a count of nanoseconds. A point in time is nanoseconds of CLOCK_MONOTONIC, as
 * go_now() returns it. Deadlines are points in time; GO_FOREVER means none. */
typedef int64_t go_duration;
typedef int64_t go_time;

#define GO_NS ((go_duration)1)
#define GO_US ((go_duration)1000)
#define GO_MS ((go_duration)1000000)
#define GO_SEC ((go_duration)1000000000)
#define GO_MIN (60 * GO_SEC)
#define GO_HOUR (60 * GO_MIN)
#define GO_FOREVER ((go_time)INT64_MAX)

#define GO_KIB ((size_t)1 << 10)
#define GO_MIB ((size_t)1 << 20)
#define GO_GIB ((size_t)1 << 30)

/* Public structures show their shared words as plain integers, so that the same layout serves C
 * and C++. They belong to the library: neither read nor write them. */
typedef uint32_t go_word;

/* ---- functions with recorded arguments ------------------------------------------------------ */
typedef void (*goi_fn)(void);
typedef void (*goi_done)(void *arg, int ret);

GO_BEGIN_DECLS

/* The version of the library that the program runs with, "0.1.0". Never NULL. */
GO_API const char *go_version(void);

/* ---- errno ----------------------------------------------------------------------------------
 * glibc and musl declare the function behind errno const, and compilers then keep the address it
 * returned for the rest of the function, over calls that put the goroutine on another thread. The
 * same function is declared here without that promise. It costs nothing and holds under LTO.
 * Code compiled without this header keeps the old behaviour: read errno there before anything
 * that may park. */
int *goi_errno_location(void) __asm__("__errno_location");
#undef errno
#define errno (*goi_errno_location())

GO_END_DECLS

#endif
