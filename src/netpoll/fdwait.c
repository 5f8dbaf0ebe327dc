/* SPDX-License-Identifier: MIT */
/* fdwait.c: go_fd_wait: waiting for a descriptor that belongs to somebody else.
 *
 * Nothing is known about it: it may be blocking or not, waited for by several goroutines for
 * several things, a copy of another one, a number that stood for another file a moment ago, closed
 * next. So nothing is kept: the waiters' records, on their stacks, in lists by number, are all
 * there is. Each first asks poll(2): what is ready needs no waiting, and a number that is no
 * descriptor shows. Otherwise the number is armed for what all its waiters want together. A report
 * wakes those it concerns, who ask poll(2) again and come back if it was not so: the report may be
 * of another file, which once had this number and lives on as a copy, or of data that another
 * waiter has taken.
 *
 *   F1  A record is in a bucket from the moment its number is armed until somebody who has claimed
 *       it takes it out, or its owner does after he was claimed by the deadline.
 *   F2  While records of a number are in a bucket, the number is armed for all that they want, or
 *       a report of it is on its way to this bucket's lock.          (arm_locked)
 *
 * Arming is a system call under the bucket's lock: two waiters that compute what all of them want
 * must arm in that order. Lock order: a bucket's lock, then a timer heap's.
 *
 * Rejected: registering each descriptor once and for good, as watch.c does. Somebody else's close
 * is not heard of, and the next file with that number would be waited for in vain.
 */
#include "netpoll/netpoll.h"
#include "time/deadline.h"
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

enum { BUCKETS = 512 };

struct record {
    struct record *next, **at;      /* [l:bucket] at: the pointer that points here */
    struct g *g;                    /* [c] */
    uint32_t ticket;                /* [c] */
    int fd, events;                 /* [c] */
};

static struct bucket { struct goi_lock lock; struct record *first; } buckets[BUCKETS];

static struct bucket *bucket_of(int fd) { return &buckets[(unsigned)fd % BUCKETS]; }

static void unlink_locked(struct record *r)
{
    goi_assert(*r->at == r); /* F1 */
    *r->at = r->next;
    if (r->next != NULL) {
        r->next->at = r->at;
    }
    r->at = NULL;
}

/* F2 */
static int arm_locked(const struct bucket *b, int fd)
{
    int wanted = 0;
    for (const struct record *r = b->first; r != NULL; r = r->next) {
        wanted |= r->fd == fd ? r->events : 0;
    }
    return wanted != 0 ? goi_poller_arm(fd, wanted) : 0;
}

void goi_fd_report(void *ready, int fd, int events)
{
    struct bucket *b = bucket_of(fd);
    goi_lock(&b->lock);
    struct record *next;
    for (struct record *r = b->first; r != NULL; r = next) {
        next = r->next;
        if (r->fd == fd && ((r->events & events) != 0 || (events & GOI_POLL_HUP) != 0) &&
            goi_claim(r->g, r->ticket)) {
            struct goi_runnable *run = &r->g->run;
            unlink_locked(r);
            goi_runq_push_tail(ready, run);
        }
    }
    /* An error means that it has been closed: those who are left wait for nothing, as said in the
     * contract, until their deadlines. */
    (void)arm_locked(b, fd);
    goi_unlock(&b->lock);
}

/* What poll(2) says now: events that are ready, 0, or -errno. */
static int look(int fd, int events)
{
    struct pollfd p = {.fd = fd};
    p.events |= (events & GO_READ) != 0 ? POLLIN | POLLRDHUP : 0;
    p.events |= (events & GO_WRITE) != 0 ? POLLOUT : 0;
    int n;
    do { /* ends: a look does not wait, so it is hardly ever interrupted */
        n = poll(&p, 1, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    if ((p.revents & POLLNVAL) != 0) {
        return -EBADF;
    }
    int r = 0;
    r |= (p.revents & (POLLIN | POLLRDHUP | POLLERR | POLLHUP)) != 0 ? GO_READ : 0;
    r |= (p.revents & (POLLOUT | POLLERR | POLLHUP)) != 0 ? GO_WRITE : 0;
    return r & events;
}

/* Parks until something is reported: 0, -ETIMEDOUT, or why fd cannot be waited for. */
static int wait_once(int fd, int events, int64_t deadline)
{
    struct bucket *b = bucket_of(fd);
    struct m *m = goi_enter();
    struct g *g = m->g;
    goi_netpoll_begin(m);
    struct record r = {.g = g, .fd = fd, .events = events, .ticket = goi_claim_begin(g)};
    goi_lock(&b->lock);
    r.next = b->first;
    r.at = &b->first;
    if (r.next != NULL) {
        r.next->at = &r.next;
    }
    b->first = &r;
    int result = arm_locked(b, fd);
    if (result != 0) {
        unlink_locked(&r);
        goi_unlock(&b->lock);
        goi_claim_end(g, r.ticket);
    } else {
        result = goi_park_until(&m, GOI_WAIT_IO, NULL, NULL, &b->lock, r.ticket, deadline);
        goi_claim_end(g, r.ticket);
        goi_lock(&b->lock);
        if (r.at != NULL) { /* F1 */
            goi_assert(result == -ETIMEDOUT);
            unlink_locked(&r);
        }
        goi_unlock(&b->lock);
    }
    goi_netpoll_end(m);
    goi_leave(m);
    return result;
}

/* Always ready, for poll(2); epoll refuses them. */
static bool is_file(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode));
}

int go_fd_wait(int fd, int events, go_time deadline)
{
    if (fd < 0) {
        return -EBADF;
    }
    if ((events & ~(GO_READ | GO_WRITE)) != 0 || events == 0) {
        return -EINVAL;
    }
    for (;;) { /* ends with readiness, the deadline, or an error */
        int r = look(fd, events);
        if (r != 0) {
            return r > 0 && is_file(fd) ? -EPERM : r;
        }
        if (deadline <= goi_now()) {
            return -ETIMEDOUT;
        }
        r = goi_netpoll_open();
        if (r == 0) {
            r = wait_once(fd, events, deadline);
        }
        if (r != 0 && r != -ETIMEDOUT) {
            return r;
        }
    }
}
