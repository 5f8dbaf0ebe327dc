/* SPDX-License-Identifier: MIT */
/* fault.h: lets the nth call that asks the system for a resource fail. The linker sends every call
 * of these functions in the program and in the archive here first (--wrap, tests/CMakeLists.txt);
 * what libc and a sanitizer call inside themselves is not touched. Included by one file of a
 * program. */
#ifndef GORT_TEST_FAULT_H
#define GORT_TEST_FAULT_H
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum fault_kind {
    FAULT_MEMORY,   /* malloc and its family */
    FAULT_MAP,      /* mmap */
    FAULT_ADVICE,   /* madvise: guards, pages given back */
    FAULT_PROTECT,  /* mprotect */
    FAULT_THREAD,   /* pthread_create */
    FAULT_FD,       /* epoll_create1, eventfd, epoll_ctl */
    FAULT_KINDS,
};

static struct {
    enum fault_kind kind;
    long left;     /* calls until the one that fails; 0: not armed */
    bool for_good; /* those after it fail too */
    long failed;
} fault;

/* From now on the nth call of that kind fails. */
static inline void fault_arm(enum fault_kind kind, long nth, bool for_good)
{
    fault.kind = kind;
    fault.for_good = for_good;
    __atomic_store_n(&fault.left, nth, __ATOMIC_RELEASE);
}

static inline void fault_disarm(void) { __atomic_store_n(&fault.left, 0, __ATOMIC_RELEASE); }
static inline long fault_failed(void) { return __atomic_load_n(&fault.failed, __ATOMIC_ACQUIRE); }

/* Must this call fail? */
static bool fault_now(enum fault_kind kind)
{
    long left = __atomic_load_n(&fault.left, __ATOMIC_ACQUIRE);
    while (left > 0 && fault.kind == kind) { /* ends: others count down too */
        if (left == 1 && fault.for_good) {
            break;
        }
        if (__atomic_compare_exchange_n(&fault.left, &left, left - 1, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            break;
        }
    }
    if (left != 1 || fault.kind != kind) {
        return false;
    }
    __atomic_fetch_add(&fault.failed, 1, __ATOMIC_RELAXED);
    return true;
}

#define FAULT_WRAP(kind, type, name, params, args, value, error)                                   \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        if (fault_now(kind)) {                                                                     \
            errno = error;                                                                         \
            return value;                                                                          \
        }                                                                                          \
        return __real_##name args;                                                                 \
    }

FAULT_WRAP(FAULT_MEMORY, void *, malloc, (size_t n), (n), NULL, ENOMEM)
FAULT_WRAP(FAULT_MEMORY, void *, calloc, (size_t n, size_t m), (n, m), NULL, ENOMEM)
FAULT_WRAP(FAULT_MEMORY, void *, realloc, (void *p, size_t n), (p, n), NULL, ENOMEM)
FAULT_WRAP(FAULT_MEMORY, void *, aligned_alloc, (size_t a, size_t n), (a, n), NULL, ENOMEM)
FAULT_WRAP(FAULT_MEMORY, char *, strdup, (const char *s), (s), NULL, ENOMEM)
FAULT_WRAP(FAULT_MAP, void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t at),
           (p, n, prot, flags, fd, at), (void *)-1, ENOMEM)
FAULT_WRAP(FAULT_ADVICE, int, madvise, (void *p, size_t n, int advice), (p, n, advice), -1, ENOMEM)
FAULT_WRAP(FAULT_PROTECT, int, mprotect, (void *p, size_t n, int prot), (p, n, prot), -1, ENOMEM)
FAULT_WRAP(FAULT_THREAD, int, pthread_create,
           (pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg),
           (t, a, fn, arg), EAGAIN, EAGAIN)
FAULT_WRAP(FAULT_FD, int, epoll_create1, (int flags), (flags), -1, EMFILE)
FAULT_WRAP(FAULT_FD, int, eventfd, (unsigned n, int flags), (n, flags), -1, EMFILE)
struct epoll_event;
FAULT_WRAP(FAULT_FD, int, epoll_ctl, (int set, int op, int fd, struct epoll_event *e),
           (set, op, fd, e), -1, ENOMEM)

#endif
