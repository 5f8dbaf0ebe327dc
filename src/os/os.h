/* SPDX-License-Identifier: MIT */
/* os.h: everything the runtime asks of the operating system. One directory per system implements
 * it. None of these functions touches goroutines; none allocates unless it says so. All are safe
 * on any thread. Failures are negative errno values. */
#ifndef GOP_OS_H
#define GOP_OS_H
#include "base/atomic.h"
#include "base/base.h"

/* --- clock: monotonic nanoseconds, never 0. The only clock reading of the runtime. */
int64_t gop_now(void);
/* Nanoseconds of CPU time that the thread `clock` (gop_thread_clock) has used; -1 if it is gone. */
int64_t gop_thread_cpu(int clock);
int gop_thread_clock(void);             /* of the calling thread */
/* Does the thread of this process sleep in the kernel? False: it runs or waits for a processor. */
bool gop_thread_blocked(int tid);

/* --- futex: waits while *word == expected, at most until `deadline` (gop_now time or GOI_FOREVER).
 * Returns 0 (woken, or *word differed, or spurious) or -ETIMEDOUT. Blocks the thread. */
int gop_futex_wait(goi_a32 *word, uint32_t expected, int64_t deadline);
void gop_futex_wake(goi_a32 *word, int count);

/* --- signals and sleepers. Once gop_sleepers_deaf() has been called (src/annot), a thread that
 * sleeps in gop_futex_wait, or between these two, takes no signals but those of faults: the kernel
 * gives what is for the process to another thread. Before that, the two do nothing. */
void gop_sleepers_deaf(void);           /* before there are threads */
void gop_sleep_begin(uint64_t *mask);
void gop_sleep_end(const uint64_t *mask);

/* --- threads */
/* A detached thread with at least `stack` bytes, all signals as in the creator. 0 or -EAGAIN. Until
 * `entry` returns it is one of ours (os/inspect.h). */
int gop_thread_start(void *(*entry)(void *), void *arg, size_t stack);
int gop_thread_id(void);                /* kernel thread id */
void gop_thread_stack(char **lo, char **hi);    /* bounds of the calling thread's stack */
void gop_thread_name(const char *name); /* at most 15 bytes are kept */
void gop_thread_exit(void *value) GOI_NORETURN; /* libc's pthread_exit; gone.c has another one */
void gop_thread_yield(void);
void gop_sleep_ns(int64_t ns);          /* blocks the thread; used by bounded back-off only */
/* The shared object that holds this code, if it is one, is never unloaded: its threads run in it.
 * Called while it is being loaded, because it asks the dynamic linker, which runs constructors with
 * a lock held. */
void gop_stay_loaded(void);
int gop_thread_count(void);             /* threads in this process; -errno if unknown */
int gop_thread_count_masked(uint64_t blocked);  /* those that block exactly these signals */
int gop_emulator_threads(void);         /* threads of whatever emulates the processor */
void gop_timer_slack_small(void);       /* this thread's sleeps end within about 1 us */
/* Asks for a time slice of `ns` for thread `tid` (0: caller). False where the kernel has none. */
bool gop_thread_slice(int tid, int64_t ns);
/* Blocks all signals for this thread, for the runtime's own threads. */
void gop_block_signals(void);

/* --- membarrier: after the call every other thread of the process has executed a full barrier.
 * gop_membarrier_init registers; false: the kernel refuses, and callers must fence instead. */
bool gop_membarrier_init(void);
void gop_membarrier(void);

/* --- memory */
size_t gop_page_size(void);
/* Reserves zeroed, writable, uncommitted memory, aligned to `align` (power of two). NULL: no. */
void *gop_pages_reserve(size_t size, size_t align);
void gop_pages_release(void *p, size_t size);               /* unmap */
int gop_pages_discard(void *p, size_t size);                /* contents become zero, memory freed */
int gop_pages_guard(void *p, size_t size);                  /* any access faults; no VMA split */
int gop_pages_guard_remove(void *p, size_t size);
int gop_pages_protect(void *p, size_t size, bool access);   /* mprotect none / read-write */
void gop_pages_no_huge(void *p, size_t size);
/* Guards `count` ranges of `size` bytes, `stride` apart. Number done, or -errno if none. */
int64_t gop_pages_guard_many(char *first, size_t size, size_t stride, size_t count);
size_t gop_max_map_count(void);
int gop_pages_read_only(void *p, size_t size);
/* Guards each area, in order: their contents go. Number done; fewer where the kernel refuses. */
struct gop_area { void *p; size_t size; };
size_t gop_pages_guard_list(const struct gop_area *areas, size_t n);

/* --- putting pages back where guards are (userfault.c). A descriptor, or -errno: EPERM where a
 * sandbox forbids it, ENOSYS where there is none. */
int gop_userfault_open(void);
void gop_userfault_close(int fd);
/* Allows copies into the range, in whole pages. Once or more often. 0 or -errno. */
int gop_userfault_register(int fd, void *p, size_t size);
/* Fills whole pages that are guarded or were never touched; each appears at once, with all its
 * contents. 0; -EEXIST: there is a page. Async-signal-safe. */
int gop_userfault_copy(int fd, void *to, const void *from, size_t size);

bool gop_small_address_space(void);     /* RLIMIT_AS, valgrind or sanitizer: reserve little */

/* --- processors */
int gop_cpu_count(void);                /* in this process's affinity mask, at least 1 */
/* CPUs allowed by the cgroup quota of this process and all its ancestors, rounded up; 0: none. */
int gop_cpu_quota(void);

/* --- the process */
uint64_t gop_random_seed(void);         /* unpredictable, for goi_sched.seed */
bool gop_debugger_attached(void);

#endif
