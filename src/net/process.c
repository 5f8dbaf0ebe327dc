/* SPDX-License-Identifier: MIT */
/* process.c: waiting for a child process.
 *
 * A pidfd is readable when its process has ended, and has nothing to do with SIGCHLD, which belongs
 * to the program. The child is reaped by waitpid(2) and only then: a wait that its context ended
 * leaves it as it was. Where there is no pidfd (kernels before 5.3, emulators) waitpid is asked
 * again and again, 1 ms to 20 ms apart.
 */
#include "net/internal.h"
#include <gort/time.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_MIN GO_MS
#define ASK_MAX (20 * GO_MS)

/* 1 with the status when it has ended, 0 when it runs, or -errno. */
static int reap(pid_t pid, int *status)
{
    int ended = 0; /* not the caller's: it may lie in a stack that hibernates */
    pid_t r;
    do { /* ends: it does not wait */
        r = waitpid(pid, &ended, WNOHANG);
    } while (r < 0 && errno == EINTR);
    if (r == pid && status != NULL) {
        *status = ended;
    }
    return r < 0 ? -errno : r == pid;
}

int goi_process_poll(go_ctx *ctx, pid_t pid, int *status)
{
    go_duration delay = ASK_MIN;
    for (;;) { /* ends with the process or the context */
        int r = reap(pid, status);
        if (r != 0) {
            return r > 0 ? 0 : r;
        }
        if (ctx == NULL || go_ctx_done(ctx) == NULL) {
            go_sleep(delay);
        } else {
            (void)go_chan_recv_until(go_ctx_done(ctx), NULL, go_now() + delay);
            if (go_ctx_err(ctx) != 0) {
                return go_ctx_err(ctx);
            }
        }
        delay = 2 * delay < ASK_MAX ? 2 * delay : ASK_MAX;
    }
}

/* Until the process has ended, or the context. */
static int wait_ended(go_ctx *ctx, go_watch *w, pid_t pid, int *status)
{
    for (;;) { /* ends as above */
        go_mark mark;
        int r = go_watch_try(w, GO_READ, &mark);
        if (r > 0) {
            r = reap(pid, status);
            if (r != 0) {
                return r > 0 ? 0 : r;
            }
        }
        if (r >= 0) {
            r = go_watch_wait(w, GO_READ, mark);
        }
        if (r < 0) {
            int ended = ctx != NULL ? go_ctx_err(ctx) : 0;
            return ended != 0 ? ended : r;
        }
    }
}

static int wait_pidfd(go_ctx *ctx, int fd, pid_t pid, int *status)
{
    go_watch *w;
    struct goi_tie tie;
    int r = go_watch_open(fd, &w);
    if (r != 0) {
        return r;
    }
    r = goi_tie_begin(&tie, ctx, w, GO_READ);
    if (r == 0) {
        r = wait_ended(ctx, w, pid, status);
        goi_tie_end(&tie);
    }
    if (go_watch_close(w) == 1) { /* nobody else knows it */
        go_watch_free(w);
    }
    return r;
}

int go_process_wait(go_ctx *ctx, pid_t pid, int *status)
{
    if (pid <= 0) {
        return -EINVAL;
    }
    int r = reap(pid, status);
    if (r != 0) {
        return r > 0 ? 0 : r;
    }
    int ended = ctx != NULL ? go_ctx_err(ctx) : 0;
    if (ended != 0) {
        return ended;
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        return goi_process_poll(ctx, pid, status);
    }
    r = wait_pidfd(ctx, fd, pid, status);
    close(fd);
    return r;
}
