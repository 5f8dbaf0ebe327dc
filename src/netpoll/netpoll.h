/* SPDX-License-Identifier: MIT */
/* netpoll.h: what the files of src/netpoll share. The scheduler's side is in sched/upcalls.h. */
#ifndef GOI_NETPOLL_NETPOLL_H
#define GOI_NETPOLL_NETPOLL_H
#include "netpoll/poller.h"
#include "sched/sched.h"
#include "sched/upcalls.h"
#include <gort/poll.h>

/* Opens the poller at the first use. 0 or -errno. Outside the runtime. */
int goi_netpoll_open(void);

/* Around a park that something outside the process may end: the deadlock verdict is withheld, and
 * somebody looks at the descriptors. begin before the record is published. Inside the runtime. */
void goi_netpoll_begin(struct m *m);
void goi_netpoll_end(struct m *m);

/* Reports of the poller: who becomes runnable is appended to `ready`, a struct goi_runq. */
void goi_watch_report(void *ready, uint64_t tag, int events);
void goi_fd_report(void *ready, int fd, int events);

#endif
