/* SPDX-License-Identifier: MIT */
/* atomic.h: stands for base/atomic.h in models. Include it before anything of src/.
 *
 * Every access is a point of the explorer. The orders that the names carry are not modelled beyond
 * X3 of explore.h. */
#ifndef GOI_ATOMIC_H
#define GOI_ATOMIC_H
#include "model/explore.h"

#define goi_bug ex_bug

typedef struct { uint32_t v; } goi_a32;
typedef struct { uint64_t v; } goi_a64;
typedef struct { int64_t v; } goi_ai64;
typedef struct { bool v; } goi_abool;
typedef struct { void *v; } goi_aptr;

#define EX_AT(p) &(p)->v, sizeof((p)->v)
#define EX_AS(p, x) __extension__({                                                                \
        __typeof__((p)->v) ex_value = (__typeof__((p)->v))(uintptr_t)(x);                          \
        ex_value;                                                                                  \
    })
#define EX_BITS(x) ((uint64_t)(uintptr_t)(x))

#define ld_rlx(p) EX_AS(p, ex_load(EX_AT(p)))
#define ld_acq(p) ld_rlx(p)
#define ld_seq(p) ld_rlx(p)
#define st_rlx(p, x) ex_store(&(p)->v, EX_BITS(x), sizeof((p)->v), false)
#define st_rel(p, x) st_rlx(p, x)
#define st_seq(p, x) ex_store(&(p)->v, EX_BITS(x), sizeof((p)->v), true)
#define xchg_rlx(p, x) EX_AS(p, ex_rmw(EX_AT(p), EX_XCHG, EX_BITS(x)))
#define xchg_acq(p, x) xchg_rlx(p, x)
#define xchg_acqrel(p, x) xchg_rlx(p, x)
#define xchg_rel(p, x) xchg_rlx(p, x)
#define add_rlx(p, x) EX_AS(p, ex_rmw(EX_AT(p), EX_ADD, EX_BITS(x)))
#define add_acqrel(p, x) add_rlx(p, x)
#define sub_rlx(p, x) EX_AS(p, ex_rmw(EX_AT(p), EX_SUB, EX_BITS(x)))
#define sub_acqrel(p, x) sub_rlx(p, x)
#define or_rlx(p, x) EX_AS(p, ex_rmw(EX_AT(p), EX_OR, EX_BITS(x)))
#define or_rel(p, x) or_rlx(p, x)
#define or_acqrel(p, x) or_rlx(p, x)
#define and_rlx(p, x) EX_AS(p, ex_rmw(EX_AT(p), EX_AND, EX_BITS(x)))
#define and_rel(p, x) and_rlx(p, x)
#define and_acqrel(p, x) and_rlx(p, x)
#define cas_rlx(p, old, x) ex_cas(EX_AT(p), (old), EX_BITS(x))
#define cas_acq(p, old, x) cas_rlx(p, old, x)
#define cas_rel(p, old, x) cas_rlx(p, old, x)
#define cas_acqrel(p, old, x) cas_rlx(p, old, x)
#define fence_acq() ((void)0)
#define fence_rel() ((void)0)
#define fence_seq() ex_fence()
#define fence_compiler() ((void)0)

static inline goi_a32 *goi_word32(uint32_t *p) { return (goi_a32 *)(void *)p; }
static inline goi_a64 *goi_word64(uint64_t *p) { return (goi_a64 *)(void *)p; }
static inline goi_aptr *goi_wordptr(void *p) { return (goi_aptr *)p; }
static inline void goi_pause(void) {}

#endif
