/* SPDX-License-Identifier: MIT */
/* poller.h: what netpoll asks of the system's readiness interface. One file fulfils it (epoll.c).
 *
 * Two sets of descriptors, because two kinds of owner want opposite things:
 *
 *   watched   registered once, for both directions, reported at every change (edges). The caller
 *             owns the descriptor and says when it is over.
 *   armed     somebody's descriptor, reported once when it is ready (level), then silent until it
 *             is armed again. The owner may close it, or a copy of it, without a word.
 *
 * They do not see each other: arming a descriptor that is also watched disturbs neither. None of
 * these functions touches goroutines, allocates, or changes errno; failures are negative errno
 * values. All but goi_poller_init on any thread. */
#ifndef GOI_NETPOLL_POLLER_H
#define GOI_NETPOLL_POLLER_H
#include "base/base.h"

/* GO_READ and GO_WRITE of <gort/poll.h>; and an error or a hang-up, which comes with both. */
enum {
    GOI_POLL_READ = 1, GOI_POLL_WRITE = 2,
    GOI_POLL_HUP = 4,                   /* reads may give less than there is from now on */
};

/* What to do with a report. Runs inside goi_poller_wait, any number of times. */
struct goi_poller_sink {
    void (*watched)(void *arg, uint64_t tag, int events);
    void (*armed)(void *arg, int fd, int events);
    void *arg;
};

/* Once, before all others. */
int goi_poller_init(void);
/* The tag comes back with each report, and may still do so for a moment after remove or close: the
 * caller must recognise tags of the past. Tags above UINT64_MAX - 16 are reserved. -EPERM: the
 * descriptor is always ready (a regular file). */
int goi_poller_add(int fd, uint64_t tag);
/* Not needed before a close, unless copies of the descriptor live on. */
void goi_poller_remove(int fd);
/* One report, at once if it is ready already. Replaces what was armed for fd. 0 disarms. */
int goi_poller_arm(int fd, int events);
/* Reports what there is. Deadline 0: looks only; otherwise blocks the thread until there is
 * something, the deadline has passed, somebody breaks it, or for no reason. One thread at a time
 * may block; any number may look meanwhile. */
void goi_poller_wait(int64_t deadline, const struct goi_poller_sink *sink);
/* Ends the wait that blocks, or the next one. */
void goi_poller_break(void);

#endif
