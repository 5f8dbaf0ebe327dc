/* SPDX-License-Identifier: MIT */
/* probe_kernel.c: what the kernel can do, found out by doing it.
 *
 * A version number says little: distributions carry features back and containers forbid system
 * calls. Every probe makes the real call with the real arguments and leaves nothing behind. Numbers
 * that the C library's headers may be too old for are written out, with the name they have there.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    MEMBARRIER_QUERY = 0,
    MEMBARRIER_PRIVATE_EXPEDITED = 1 << 3,
    MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 1 << 4,
    ADVICE_GUARD_INSTALL = 102,             /* MADV_GUARD_INSTALL, Linux 6.13 */
    ADVICE_GUARD_REMOVE = 103,
    UFFD_FLAG_USER_MODE_ONLY = 1,           /* UFFD_USER_MODE_ONLY, Linux 5.11 */
    SYSCALL_PIDFD_OPEN = 434,
    SYSCALL_EPOLL_PWAIT2 = 441,
    SLICE_NS = 300 * 1000
};

/* struct sched_attr, version 0 */
struct slice {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

static void *one_page(size_t *size)
{
    *size = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void probe_membarrier(void)
{
    const char *without = "every runtime call pays for a fence instead (Linux 4.14 has it)";
    long known = syscall(SYS_membarrier, MEMBARRIER_QUERY, 0, 0);
    if (known < 0 || (known & MEMBARRIER_PRIVATE_EXPEDITED) == 0) {
        cli_report(PROBE_MISSING, "membarrier", "%s", without);
    } else if (syscall(SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0 ||
               syscall(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0) != 0) {
        cli_report(PROBE_MISSING, "membarrier", "refused (%s): %s", strerror(errno), without);
    } else {
        cli_report(PROBE_OK, "membarrier", "a goroutine that does not yield loses its processor");
    }
}

static void probe_guard(void)
{
    size_t size;
    void *p = one_page(&size);
    if (p != NULL && madvise(p, size, ADVICE_GUARD_INSTALL) == 0 &&
        madvise(p, size, ADVICE_GUARD_REMOVE) == 0) {
        cli_report(PROBE_OK, "guard pages", "stack guards cost no mapping");
    } else {
        cli_report(PROBE_MISSING, "guard pages", "guards by mprotect: at most vm.max_map_count / 2 "
                   "stacks have one (Linux 6.13 has MADV_GUARD_INSTALL)");
    }
    if (p != NULL) {
        munmap(p, size);
    }
}

/* Opens, negotiates, registers a page, protects it: all that hibernation will do. */
static const char *userfault_fails(int fd, void *page, size_t size)
{
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP};
    if (fd < 0) {
        return "userfaultfd";
    }
    if (ioctl(fd, UFFDIO_API, &api) != 0) {
        return "UFFDIO_API";
    }
    struct uffdio_register area = {
        .range = {.start = (uintptr_t)page, .len = size}, .mode = UFFDIO_REGISTER_MODE_WP};
    if (ioctl(fd, UFFDIO_REGISTER, &area) != 0) {
        return "UFFDIO_REGISTER";
    }
    struct uffdio_writeprotect protect = {
        .range = area.range, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    if (ioctl(fd, UFFDIO_WRITEPROTECT, &protect) != 0) {
        return "UFFDIO_WRITEPROTECT";
    }
    protect.mode = 0;
    return ioctl(fd, UFFDIO_WRITEPROTECT, &protect) == 0 ? NULL : "UFFDIO_WRITEPROTECT";
}

static void probe_userfault(void)
{
    size_t size;
    void *p = one_page(&size);
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_FLAG_USER_MODE_ONLY);
    const char *what = p == NULL ? "mmap" : userfault_fails(fd, p, size);
    if (what == NULL) {
        cli_report(PROBE_OK, "userfaultfd", "user mode, with write protection");
    } else {
        cli_report(PROBE_MISSING, "userfaultfd", "%s: %s (go_hibernate_after has no effect)", what,
                   strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    if (p != NULL) {
        munmap(p, size);
    }
}

static void probe_slice(void)
{
    struct slice before = {.size = sizeof before};
    struct slice after = {.size = sizeof after};
    bool works = syscall(SYS_sched_getattr, 0, &before, sizeof before, 0) == 0;
    if (works) {
        struct slice asked = before;
        asked.runtime = SLICE_NS;
        works = syscall(SYS_sched_setattr, 0, &asked, 0) == 0 &&
                syscall(SYS_sched_getattr, 0, &after, sizeof after, 0) == 0 &&
                after.runtime == SLICE_NS;
        asked.runtime = 0;
        (void)syscall(SYS_sched_setattr, 0, &asked, 0);
    }
    if (works) {
        cli_report(PROBE_OK, "time slices", "threads that hog a processor get long ones");
    } else {
        cli_report(PROBE_MISSING, "time slices", "hogs share with the others as the kernel "
                   "likes (Linux 6.12 lets a thread choose its slice)");
    }
}

static void probe_epoll(void)
{
    const struct timespec none = {0};
    struct epoll_event event;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd >= 0 && syscall(SYSCALL_EPOLL_PWAIT2, fd, &event, 1, &none, NULL, 0) == 0) {
        cli_report(PROBE_OK, "epoll_pwait2", "an idle program sleeps to the microsecond");
    } else {
        cli_report(PROBE_MISSING, "epoll_pwait2", "sleeps of an idle program end up to 1 ms late "
                   "(Linux 5.11 has it)");
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void probe_pidfd(void)
{
    int fd = (int)syscall(SYSCALL_PIDFD_OPEN, getpid(), 0);
    if (fd >= 0) {
        cli_report(PROBE_OK, "pidfd", "waiting for a process parks the goroutine");
        close(fd);
    } else {
        cli_report(PROBE_MISSING, "pidfd", "waiting for a process blocks a thread (Linux 5.3 "
                   "has it)");
    }
}

void cli_probe_kernel(void)
{
    struct utsname name;
    cli_report_title("kernel");
    if (uname(&name) == 0) {
        cli_report(PROBE_OK, "version", "%s %s, %s", name.sysname, name.release, name.machine);
    }
    probe_membarrier();
    probe_guard();
    probe_userfault();
    probe_slice();
    probe_epoll();
    probe_pidfd();
}
