/* SPDX-License-Identifier: MIT */
/* pages.c (Linux): memory from the kernel. Contracts: os/os.h. */
#include "base/assert.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Linux 6.13; glibc 2.36 does not name them. */
#define ADVICE_GUARD_INSTALL 102
#define ADVICE_GUARD_REMOVE 103

static int result(long r) { return r == 0 ? 0 : -errno; }

size_t gop_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

void *gop_pages_reserve(size_t size, size_t align)
{
    size_t slack = align > gop_page_size() ? align : 0;
    char *p = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    if (slack > 0) {
        char *start = (char *)goi_round_up((uintptr_t)p, align);
        size_t head = (size_t)(start - p);
        if (head > 0) {
            munmap(p, head);
        }
        if (slack > head) {
            munmap(start + size, slack - head);
        }
        p = start;
    }
    return p;
}

void gop_pages_release(void *p, size_t size)
{
    int r = munmap(p, size);
    goi_must(r == 0);
}

int gop_pages_discard(void *p, size_t size) { return result(madvise(p, size, MADV_DONTNEED)); }

int gop_pages_guard(void *p, size_t size) { return result(madvise(p, size, ADVICE_GUARD_INSTALL)); }

int gop_pages_guard_remove(void *p, size_t size)
{
    return result(madvise(p, size, ADVICE_GUARD_REMOVE));
}

int gop_pages_protect(void *p, size_t size, bool access)
{
    return result(mprotect(p, size, access ? PROT_READ | PROT_WRITE : PROT_NONE));
}

void gop_pages_no_huge(void *p, size_t size) { (void)madvise(p, size, MADV_NOHUGEPAGE); }

enum { BATCH = 32, SELF_THREAD = -10000 /* PIDFD_SELF_THREAD, Linux 6.14 */ };

/* Guards up to BATCH areas by one system call, a third cheaper than one by one. Returns how many;
 * 0 where the kernel (before 6.14) knows no process_madvise on oneself, or refuses anything. */
static size_t guard_batch(char *first, size_t size, size_t stride, size_t count)
{
    struct iovec areas[BATCH];
    size_t n = count < BATCH ? count : BATCH;
    for (size_t i = 0; i < n; i++) {
        areas[i] = (struct iovec){first + i * stride, size};
    }
    long done = syscall(SYS_process_madvise, SELF_THREAD, areas, n, ADVICE_GUARD_INSTALL, 0);
    return done > 0 ? (size_t)done / size : 0;
}

int64_t gop_pages_guard_many(char *first, size_t size, size_t stride, size_t count)
{
    size_t i = 0;
    for (size_t n = 1; count - i > 1 && n > 0; i += n) {
        n = guard_batch(first + i * stride, size, stride, count - i);
    }
    for (; i < count; i++) {
        int r = gop_pages_guard(first + i * stride, size);
        if (r != 0) {
            return i > 0 ? (int64_t)i : r;
        }
    }
    return (int64_t)count;
}

size_t gop_max_map_count(void)
{
    char text[32] = {0};
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 65530;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    long v = n > 0 ? strtol(text, NULL, 10) : 0;
    return v > 0 ? (size_t)v : 65530;
}

extern void __asan_init(void) GOI_WEAK;
extern void __tsan_init(void) GOI_WEAK;
extern void __msan_init(void) GOI_WEAK;

bool gop_small_address_space(void)
{
    struct rlimit limit;
    if (__asan_init != NULL || __tsan_init != NULL || __msan_init != NULL) {
        return true;
    }
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        return true;
    }
    /* Valgrind announces itself by the library it preloads. */
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && (strstr(preload, "valgrind") != NULL ||
                               strstr(preload, "vgpreload") != NULL);
}
