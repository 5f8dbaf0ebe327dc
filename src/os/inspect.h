/* SPDX-License-Identifier: MIT */
/* inspect.h: what a process asks the system about its own memory and threads, to look for pointers
 * in the one while the others are stopped. Nothing here allocates, takes a lock of the C library or
 * touches errno: a thread may have been stopped in the middle of that. */
#ifndef GOP_INSPECT_H
#define GOP_INSPECT_H
#include "base/base.h"

enum gop_mapping_kind {
    GOP_MAPPING_OTHER,      /* code, constants, files, devices: no pointers to be found */
    GOP_MAPPING_STACK,      /* the stack of the process's first thread */
    GOP_MAPPING_BREAK,      /* what grows by brk(2) */
    GOP_MAPPING_ANONYMOUS,  /* private, without a file */
    GOP_MAPPING_DATA,       /* private and written, with a file: variables of an object */
    GOP_MAPPING_SHARED,     /* memory shared with other processes, without a file on a disk */
};

struct gop_mapping { uintptr_t lo, hi; enum gop_mapping_kind kind; };

/* Calls fn for each readable mapping, in the order of addresses, until it returns false. False when
 * the system does not say, or fn did not want to go on. */
bool gop_mappings(bool (*fn)(const struct gop_mapping *m, void *arg), void *arg);

/* A descriptor that gop_pages_look() asks, or negative. */
int gop_pages_look_open(void);
void gop_pages_look_close(int look);
enum gop_page_state { GOP_PAGE_ABSENT, GOP_PAGE_PRESENT, GOP_PAGE_SWAPPED };
/* Where `n` pages from `page` on are; at most GOP_PAGES_LOOK. False: the system does not say. */
enum { GOP_PAGES_LOOK = 64 };
bool gop_pages_look(int look, uintptr_t page, size_t n, uint8_t *state);
/* Copies memory that may not be there: the bytes that were, from the first on. */
size_t gop_memory_read(void *to, uintptr_t from, size_t n);

/* Calls fn for each thread of the process, until it returns false. False as above. */
bool gop_threads(bool (*fn)(int tid, void *arg), void *arg);
/* Can the thread be sent `sig`? False: it blocks it, or is gone. */
bool gop_thread_takes(int tid, int sig);
bool gop_thread_signal(int tid, int sig);
/* One of the runtime's own, that gop_thread_start() has made: it is in its entry. A thread that
 * only begins or ends is not. */
bool gop_thread_is_ours(int tid);
/* Where the stack of such a thread lies, if it stands still, never ends, or is the caller. False:
 * it is not one, or the system does not say. */
bool gop_thread_stack_ours(int tid, uintptr_t *lo, uintptr_t *hi);

#endif
