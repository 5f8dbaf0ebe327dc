/* SPDX-License-Identifier: MIT */
/* poll.h: waiting for a file descriptor without holding a thread; signals and processes. */
#ifndef GO_POLL_H
#define GO_POLL_H

#include <gort/base.h>
#include <gort/chan.h>
#include <gort/context.h>

GO_BEGIN_DECLS

enum { GO_READ = 1, GO_WRITE = 2 };

/* Parks until fd is ready for any of `events` (GO_READ | GO_WRITE). Returns the ones that are, or
 * -ETIMEDOUT, or -errno when the descriptor cannot be waited for (-EPERM for regular files, which
 * are always ready). An error or a hang-up counts as ready: the next read or write says what it is.
 * fd may be blocking or not, is not changed, and must not be closed meanwhile. Several goroutines
 * may wait for one descriptor; what one of them then reads is gone for the others. Costs two or
 * three system calls when it has to wait, one when it has not. */
GO_NODISCARD GO_API int go_fd_wait(int fd, int events, go_time deadline);

/* ---- a descriptor that is yours ------------------------------------------------------------- */

/* What the sockets of net.h are made of, for libraries that let their waiting be replaced. It costs
 * one registration for the descriptor's life instead of two system calls for each wait, has
 * deadlines that may be moved while somebody waits, and can be closed under a waiter. The pattern:
 *
 *     go_mark mark;
 *     ssize_t n = -EAGAIN;
 *     int r = go_watch_begin(w);                       -ECANCELED: closed
 *     if (r < 0) return r;
 *     while (n == -EAGAIN && r >= 0) {
 *         r = go_watch_try(w, GO_READ, &mark);         1: try; 0: nothing new; or an error
 *         if (r == 1) n = recv(fd, ...) < 0 ? -errno : ...;
 *         if (r >= 0 && (r == 0 || n == -EAGAIN)) r = go_watch_wait(w, GO_READ, mark);
 *     }
 *     if (go_watch_end(w)) { close(fd); go_watch_free(w); }
 */
typedef struct go_watch go_watch;
typedef uint32_t go_mark;

/* Watches fd, which must be non-blocking and stays open until the watch is over. 0, -EPERM when it
 * is always ready (a regular file), or another error; *out is then NULL. */
GO_NODISCARD GO_API int go_watch_open(int fd, go_watch **out);
GO_API int go_watch_fd(const go_watch *w);
/* Around each use. begin: 0, or -ECANCELED once it has been closed. end: true when that was the
 * last use of a closed watch, which the caller must then free, with its descriptor. */
GO_NODISCARD GO_API int go_watch_begin(go_watch *w);
GO_NODISCARD GO_API bool go_watch_end(go_watch *w);
/* Before each attempt at a call, for GO_READ or GO_WRITE: 1: make the call, and if it says EAGAIN,
 * wait with this mark. 0: the call can only say EAGAIN (see drained): wait at once. -ETIMEDOUT:
 * the deadline has passed. -ECANCELED: closed. */
GO_NODISCARD GO_API int go_watch_try(go_watch *w, int event, go_mark *mark);
/* The call read less than it had room for, and fd is a stream: the next one needs no attempt until
 * something has happened since the mark. */
GO_API void go_watch_drained(go_watch *w, int event, go_mark mark);
/* Parks until something has happened since the mark; 0: try again. Or -ETIMEDOUT or -ECANCELED. */
GO_NODISCARD GO_API int go_watch_wait(go_watch *w, int event, go_mark mark);
/* The point in time after which waiting, also that of now, gives -ETIMEDOUT. GO_FOREVER: none. For
 * GO_READ, GO_WRITE or both. 0, or -ECANCELED when closed. */
GO_API int go_watch_set_deadline(go_watch *w, int events, go_time t);
/* Wakes all with -ECANCELED, now and later. 1: nobody uses it, free it now. 0: the last end will
 * say so. -ECANCELED: it was closed before. */
GO_NODISCARD GO_API int go_watch_close(go_watch *w);
/* After the descriptor's close, or before it. */
GO_API void go_watch_free(go_watch *w);

/* ---- signals and processes ------------------------------------------------------------------ */

/* int go_signal_notify(go_send_chan(int) c, int sig, ...): from now on each of these signals sends
 * its number on c instead of what it did; a value that finds no room in the buffer is dropped.
 * Without signals: all that can be caught, but for SIGABRT. Several of one signal that come faster
 * than they are taken are one. 0, -EINVAL for a signal that cannot be caught or that faults raise,
 * or another error. Keeps a reference to c until the stop. While anybody wants a signal there is
 * one more goroutine; while anybody waits to receive one there is no deadlock verdict. */
GO_NODISCARD GO_API int goi_signal_notify(struct go_chan *c, const int *signals, size_t n);
/* No more signals on c once it has returned; a signal that nobody wants any more gets its old
 * action back. */
GO_API void goi_signal_stop(struct go_chan *c);
/* go_ctx *go_signal_ctx(parent, int sig, ...): a child of parent that ends with one of the signals.
 * Its cause is then "interrupt signal received" or the like. Free it as any context; the signals
 * have their old action back soon after its end. NULL when a signal cannot be caught, or out of
 * memory. */
GO_NODISCARD GO_API go_ctx *goi_signal_ctx(go_ctx *parent, const int *signals, size_t n);

/* Parks until the child process has ended: 0 and its wait status, or the context's error, or -errno
 * (-ECHILD when it is no child of ours). ctx may be NULL. The process is reaped only on success. */
GO_NODISCARD GO_API int go_process_wait(go_ctx *ctx, pid_t pid, int *status);

GO_END_DECLS

#if !defined(__cplusplus)
/* The first 0 makes an array of what may be an empty list. */
#define GOI_SIGNALS(...) \
    (const int[]){ 0, __VA_ARGS__ } + 1, sizeof((const int[]){ 0, __VA_ARGS__ }) / sizeof(int) - 1
#define go_signal_notify(...) GOI_CAT(GOI_SIGNAL_NOTIFY_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_SIGNAL_NOTIFY_0(c) goi_signal_notify(GOI_SENDABLE_INT(c), NULL, 0)
#define GOI_SIGNAL_NOTIFY_1(c, ...) goi_signal_notify(GOI_SENDABLE_INT(c), GOI_SIGNALS(__VA_ARGS__))
#define GOI_SENDABLE_INT(c) \
    (GOI_CHECK(GOI_SAME(go_chan_elem(c), int), "signals need a channel of int"), GOI_SENDABLE(c))
#define go_signal_stop(c) goi_signal_stop(GOI_RAW(c))
#define go_signal_ctx(parent, ...) goi_signal_ctx((parent), GOI_SIGNALS(__VA_ARGS__))
#else
#include <initializer_list>
namespace goi {
inline int signal_notify(int (*const *c)(struct go_chan *), std::initializer_list<int> signals = {})
{
    return goi_signal_notify(raw(c), signals.begin(), signals.size());
}
inline go_ctx *signal_ctx(go_ctx *parent, std::initializer_list<int> signals)
{
    return goi_signal_ctx(parent, signals.begin(), signals.size());
}
} // namespace goi
#define go_signal_notify(...) GOI_CAT(GOI_SIGNAL_NOTIFY_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_SIGNAL_NOTIFY_0(c) (goi::signal_notify(c))
#define GOI_SIGNAL_NOTIFY_1(c, ...) (goi::signal_notify((c), { __VA_ARGS__ }))
#define go_signal_stop(c) goi_signal_stop(GOI_RAW(c))
#define go_signal_ctx(parent, ...) (goi::signal_ctx((parent), { __VA_ARGS__ }))
#endif

#endif
