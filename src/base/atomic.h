/* SPDX-License-Identifier: MIT */
/* atomic.h: the only place that touches C11 atomics.
 *
 * Shared words have wrapper types, so that a plain access does not compile, and the memory order is
 * part of every operation's name. The macros are generic over the wrapper types (goi_a32, goi_a64,
 * goi_aptr, goi_abool); `p` is a pointer to one. Words inside public structs are plain integers for
 * C++'s sake and are seen through goi_word32()/goi_word64()/goi_wordptr().
 *
 * Each site that uses an order stronger than relaxed carries a note `[TAG]` that names its partner;
 * the tags are listed in docs/MEMORY_MODEL.md.
 */
#ifndef GOI_ATOMIC_H
#define GOI_ATOMIC_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct { _Atomic(uint32_t) v; } goi_a32;
typedef struct { _Atomic(uint64_t) v; } goi_a64;
typedef struct { _Atomic(int64_t) v; } goi_ai64;
typedef struct { _Atomic(bool) v; } goi_abool;
typedef struct { _Atomic(void *) v; } goi_aptr;

#define ld_rlx(p) atomic_load_explicit(&(p)->v, memory_order_relaxed)
#define ld_acq(p) atomic_load_explicit(&(p)->v, memory_order_acquire)
#define ld_seq(p) atomic_load_explicit(&(p)->v, memory_order_seq_cst)
#define st_rlx(p, x) atomic_store_explicit(&(p)->v, (x), memory_order_relaxed)
#define st_rel(p, x) atomic_store_explicit(&(p)->v, (x), memory_order_release)
#define st_seq(p, x) atomic_store_explicit(&(p)->v, (x), memory_order_seq_cst)
#define xchg_rlx(p, x) atomic_exchange_explicit(&(p)->v, (x), memory_order_relaxed)
#define xchg_acq(p, x) atomic_exchange_explicit(&(p)->v, (x), memory_order_acquire)
#define xchg_acqrel(p, x) atomic_exchange_explicit(&(p)->v, (x), memory_order_acq_rel)
#define xchg_rel(p, x) atomic_exchange_explicit(&(p)->v, (x), memory_order_release)
#define add_rlx(p, x) atomic_fetch_add_explicit(&(p)->v, (x), memory_order_relaxed)
#define add_acqrel(p, x) atomic_fetch_add_explicit(&(p)->v, (x), memory_order_acq_rel)
#define sub_rlx(p, x) atomic_fetch_sub_explicit(&(p)->v, (x), memory_order_relaxed)
#define sub_acqrel(p, x) atomic_fetch_sub_explicit(&(p)->v, (x), memory_order_acq_rel)
#define or_rlx(p, x) atomic_fetch_or_explicit(&(p)->v, (x), memory_order_relaxed)
#define or_rel(p, x) atomic_fetch_or_explicit(&(p)->v, (x), memory_order_release)
#define or_acqrel(p, x) atomic_fetch_or_explicit(&(p)->v, (x), memory_order_acq_rel)
#define and_rlx(p, x) atomic_fetch_and_explicit(&(p)->v, (x), memory_order_relaxed)
#define and_rel(p, x) atomic_fetch_and_explicit(&(p)->v, (x), memory_order_release)
#define and_acqrel(p, x) atomic_fetch_and_explicit(&(p)->v, (x), memory_order_acq_rel)
/* cas_*(p, old, new): `old` is a pointer to the expected value, updated on failure. Strong. */
#define cas_rlx(p, old, x)                                                                         \
    atomic_compare_exchange_strong_explicit(&(p)->v, (old), (x), memory_order_relaxed,            \
                                            memory_order_relaxed)
#define cas_acq(p, old, x)                                                                         \
    atomic_compare_exchange_strong_explicit(&(p)->v, (old), (x), memory_order_acquire,            \
                                            memory_order_relaxed)
#define cas_rel(p, old, x)                                                                         \
    atomic_compare_exchange_strong_explicit(&(p)->v, (old), (x), memory_order_release,            \
                                            memory_order_relaxed)
#define cas_acqrel(p, old, x)                                                                      \
    atomic_compare_exchange_strong_explicit(&(p)->v, (old), (x), memory_order_acq_rel,            \
                                            memory_order_acquire)
#define fence_acq() atomic_thread_fence(memory_order_acquire)
#define fence_rel() atomic_thread_fence(memory_order_release)
#define fence_seq() atomic_thread_fence(memory_order_seq_cst)
/* Orders the compiler only; the processor's half comes from the partner's membarrier. */
#define fence_compiler() atomic_signal_fence(memory_order_seq_cst)

/* Views of plain words in public structs. The cast is the documented bridge of this file. */
static inline goi_a32 *goi_word32(uint32_t *p) { return (goi_a32 *)(void *)p; }
static inline goi_a64 *goi_word64(uint64_t *p) { return (goi_a64 *)(void *)p; }
static inline goi_aptr *goi_wordptr(void *p) { return (goi_aptr *)p; }

/* Inside a bounded spin: tells the core that it waits. */
static inline void goi_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

#endif
