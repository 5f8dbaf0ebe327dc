/* SPDX-License-Identifier: MIT */
/* userfault.c (Linux): putting a page back where a guard is, at once. Contracts: os/os.h.
 *
 * The descriptor is asked for with USER_MODE_ONLY, which needs no privilege, and is never read: no
 * fault is delivered to it. Ranges are registered for write protection alone, which is used nowhere
 * either, so that faults in them take their usual course. All that is wanted is UFFDIO_COPY. */
#include "base/assert.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ADVICE_GUARD_INSTALL 102
#define USER_MODE_ONLY 1            /* Linux 5.11 */

enum { AREAS = 32, SELF_THREAD = -10000 /* PIDFD_SELF_THREAD, Linux 6.14 */ };

int gop_userfault_open(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    int saved = errno;
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
    int r = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 ? fd : -errno;
    if (r < 0 && fd >= 0) {
        close(fd);
    }
    errno = saved;
    return r;
}

void gop_userfault_close(int fd) { close(fd); }

int gop_userfault_register(int fd, void *p, size_t size)
{
    struct uffdio_register range = {.range = {(uintptr_t)p, size},
                                    .mode = UFFDIO_REGISTER_MODE_WP};
    int saved = errno;
    int r = ioctl(fd, UFFDIO_REGISTER, &range) == 0 ? 0 : -errno;
    errno = saved;
    return r;
}

int gop_userfault_copy(int fd, void *to, const void *from, size_t size)
{
    struct uffdio_copy copy = {.dst = (uintptr_t)to, .src = (uintptr_t)from, .len = size};
    int saved = errno;
    int r = 0;
    /* Ends: EAGAIN means that the mappings change at this moment. */
    while (ioctl(fd, UFFDIO_COPY, &copy) != 0) {
        if (errno != EAGAIN) {
            r = -errno;
            break;
        }
        if (copy.copy > 0) {
            copy.dst += (uint64_t)copy.copy;
            copy.src += (uint64_t)copy.copy;
            copy.len -= (uint64_t)copy.copy;
        }
        copy.copy = 0;
    }
    errno = saved;
    return r;
}

size_t gop_pages_guard_list(const struct gop_area *areas, size_t n)
{
    struct iovec v[AREAS];
    size_t i = 0;
    int saved = errno;
    while (i < n) { /* ends: i grows, or the kernel refuses */
        size_t k = n - i < AREAS ? n - i : AREAS, bytes = 0;
        for (size_t j = 0; j < k; j++) {
            v[j] = (struct iovec){areas[i + j].p, areas[i + j].size};
            bytes += areas[i + j].size;
        }
        /* A third cheaper than one by one, where the kernel takes a list for oneself. */
        long done = syscall(SYS_process_madvise, SELF_THREAD, v, k, ADVICE_GUARD_INSTALL, 0);
        if (done == (long)bytes) {
            i += k;
            continue;
        }
        size_t j = 0; /* what was done before is done again, which changes nothing */
        while (j < k && madvise(v[j].iov_base, v[j].iov_len, ADVICE_GUARD_INSTALL) == 0) {
            j++;
        }
        i += j;
        if (j < k) {
            break;
        }
    }
    errno = saved;
    return i;
}

int gop_pages_read_only(void *p, size_t size)
{
    int saved = errno;
    int r = mprotect(p, size, PROT_READ) == 0 ? 0 : -errno;
    errno = saved;
    return r;
}
