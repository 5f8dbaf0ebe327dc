/* SPDX-License-Identifier: MIT */
/* epoll.c: poller.h by epoll.
 *
 * Two epoll instances. The inner one holds what is armed, with EPOLLONESHOT, and is itself a member
 * of the outer one, level-triggered: it reports until it has been emptied. epoll knows a
 * registration by the open file and the number together, so two registrations of one descriptor,
 * the connection's own and one that its user waits for, need two instances. It also means that a
 * registration outlives a close while a copy of the descriptor exists (dup, fork), and that the
 * number may by then stand for another file. An armed descriptor is therefore modified first and
 * added when there is none (ENOENT), a watched one added first and modified when there is one
 * (EEXIST), and whoever is woken by the number looks at the descriptor before he believes it
 * (fdwait.c); tags of watched ones carry a generation (watch.c).
 *
 * The eventfd that breaks a wait is level-triggered, and only the thread that blocks empties it: a
 * look that passes by must not take the break away from the sleeper.
 *
 * Precision: epoll_pwait2 has nanoseconds. Where the kernel (before 5.11), an emulator or valgrind
 * has none, waits are rounded up to milliseconds.
 *
 * Rejected: one thread that always sleeps in epoll. Each event then costs two thread switches, and
 * the thread that works off connections cannot fetch its next batch itself. Rejected: io_uring's
 * poll (measured: not better for sockets here).
 */
#include "annot/annot.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "base/jitter.h"
#include "netpoll/poller.h"
#include "os/os.h"
#include "sched/sched.h"
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 48, INNER_BATCH = 32 };

#define TAG_BREAK (UINT64_MAX - 1)
#define TAG_INNER (UINT64_MAX - 2)

static int outer = -1, inner = -1, breaker = -1;    /* [c] after goi_poller_init */
static goi_abool coarse;                            /* [stat] no epoll_pwait2 here */

/* Not through libc, here and below: ThreadSanitizer orders who writes a descriptor before who reads
 * it, and these are written and read by whoever happens to run the poller. */
static int wait_ms(int set, struct epoll_event *e, int n, int ms)
{
    return (int)syscall(SYS_epoll_pwait, set, e, n, ms, NULL, (size_t)8);
}

static int add(int set, int fd, uint32_t events, uint64_t tag, int op)
{
    struct epoll_event e = {.events = events, .data.u64 = tag};
    int saved = errno;
    GOI_JITTER();
    int r = syscall(SYS_epoll_ctl, set, op, fd, &e) == 0 ? 0 : -errno;
    errno = saved;
    return r;
}

int goi_poller_init(void)
{
    int saved = errno;
    int r = 0;
    st_rlx(&coarse, (goi_annot & GOI_ANNOT_VALGRIND) != 0);
    outer = epoll_create1(EPOLL_CLOEXEC);
    inner = epoll_create1(EPOLL_CLOEXEC);
    breaker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (outer < 0 || inner < 0 || breaker < 0) {
        r = -errno;
    }
    if (r == 0) {
        r = add(outer, inner, EPOLLIN, TAG_INNER, EPOLL_CTL_ADD);
    }
    if (r == 0) {
        r = add(outer, breaker, EPOLLIN, TAG_BREAK, EPOLL_CTL_ADD);
    }
    if (r != 0) {
        const int all[] = {outer, inner, breaker};
        for (size_t i = 0; i < goi_countof(all); i++) {
            if (all[i] >= 0) {
                close(all[i]);
            }
        }
    }
    goi_inside_release(&outer); /* the descriptors are there for all who use them below */
    errno = saved;
    return r;
}

int goi_poller_add(int fd, uint64_t tag)
{
    const uint32_t both = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
    int r = add(outer, fd, both, tag, EPOLL_CTL_ADD);
    if (r == -EEXIST) { /* of an earlier descriptor with this number, whose copy came back to it */
        r = add(outer, fd, both, tag, EPOLL_CTL_MOD);
    }
    return r;
}

void goi_poller_remove(int fd)
{
    (void)add(outer, fd, 0, 0, EPOLL_CTL_DEL); /* gone already: as good */
}

int goi_poller_arm(int fd, int events)
{
    uint32_t e = EPOLLONESHOT;
    e |= (events & GOI_POLL_READ) != 0 ? EPOLLIN | EPOLLRDHUP : 0u;
    e |= (events & GOI_POLL_WRITE) != 0 ? EPOLLOUT : 0u;
    int r = add(inner, fd, events != 0 ? e : 0, (uint64_t)fd, EPOLL_CTL_MOD);
    if (r == -ENOENT && events != 0) {
        r = add(inner, fd, e, (uint64_t)fd, EPOLL_CTL_ADD);
    }
    return r;
}

static int events_of(uint32_t e)
{
    const uint32_t hup = EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI;
    int r = 0;
    r |= (e & (EPOLLIN | hup)) != 0 ? GOI_POLL_READ : 0;
    r |= (e & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 ? GOI_POLL_WRITE : 0;
    r |= (e & hup) != 0 ? GOI_POLL_HUP : 0;
    return r;
}

static int wait_coarse(struct epoll_event *e, int64_t left)
{
    int64_t ms = left / 1000000 + (left % 1000000 != 0 ? 1 : 0);
    return wait_ms(outer, e, BATCH, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static int wait_outer(struct epoll_event *e, int64_t deadline)
{
    if (deadline == GOI_FOREVER) {
        return wait_ms(outer, e, BATCH, -1);
    }
    int64_t left = goi_max_i64(deadline - goi_now(), 0);
    if (!ld_rlx(&coarse)) { /* [stat] set once; a stale look asks the kernel once more */
        const struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        int n = (int)syscall(SYS_epoll_pwait2, outer, e, BATCH, &t, NULL, (size_t)8);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return n;
        }
        st_rlx(&coarse, true); /* [stat] */
    }
    return wait_coarse(e, left);
}

static int sleep_outer(struct epoll_event *e, int64_t deadline)
{
    uint64_t mask;
    gop_sleep_begin(&mask);
    int n = wait_outer(e, deadline);
    gop_sleep_end(&mask);
    return n;
}

/* Empties the inner set. */
GOI_NOINLINE static void report_armed(const struct goi_poller_sink *sink)
{
    struct epoll_event e[INNER_BATCH];
    int n;
    do { /* ends: each is reported once until it is armed again */
        n = wait_ms(inner, e, INNER_BATCH, 0);
        for (int i = 0; i < n; i++) {
            sink->armed(sink->arg, (int)e[i].data.u64, events_of(e[i].events));
        }
    } while (n == INNER_BATCH);
}

void goi_poller_wait(int64_t deadline, const struct goi_poller_sink *sink)
{
    struct epoll_event e[BATCH];
    int saved = errno;
    goi_inside_acquire(&outer);
    GOI_JITTER();
    int n = deadline == 0 ? wait_ms(outer, e, BATCH, 0) : sleep_outer(e, deadline);
    for (int i = 0; i < n; i++) {
        uint64_t tag = e[i].data.u64;
        if (tag == TAG_INNER) {
            report_armed(sink);
        } else if (tag == TAG_BREAK) {
            uint64_t count;
            if (deadline != 0 && syscall(SYS_read, breaker, &count, sizeof count) < 0) {
                goi_assert(errno == EAGAIN); /* somebody else has been broken by it */
            }
        } else {
            sink->watched(sink->arg, tag, events_of(e[i].events));
        }
    }
    errno = saved;
}

void goi_poller_break(void)
{
    const uint64_t one = 1;
    int saved = errno;
    goi_inside_acquire(&outer);
    long n = syscall(SYS_write, breaker, &one, sizeof one);
    goi_assert(n == sizeof one || errno == EAGAIN); /* EAGAIN: it is as full as can be */
    errno = saved;
}
