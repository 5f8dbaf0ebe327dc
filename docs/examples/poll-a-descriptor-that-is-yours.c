/* SPDX-License-Identifier: MIT */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Reads the eventfd as if it blocked. */
static int take(go_watch *w, uint64_t *value)
{
    go_mark mark;
    int r = go_watch_begin(w);
    if (r < 0) {
        return r;
    }
    for (;;) {
        r = go_watch_try(w, GO_READ, &mark);
        if (r == 1 && read(go_watch_fd(w), value, sizeof *value) == (ssize_t)sizeof *value) {
            break;
        }
        r = r < 0 ? r : go_watch_wait(w, GO_READ, mark);
        if (r < 0) {
            break;
        }
    }
    if (go_watch_end(w)) {
        close(go_watch_fd(w));
        go_watch_free(w);
    }
    return r;
}

static void give(int fd, uint64_t value)
{
    if (write(fd, &value, sizeof value) < 0) {
        perror("write");
    }
}

int main(void)
{
    uint64_t value = 0;
    go_watch *w;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (go_watch_open(fd, &w) != 0) {
        return 1;
    }
    go(give, fd, (uint64_t)42);
    printf("%d: ", take(w, &value));
    printf("%d\n", (int)value);
    go_watch_set_deadline(w, GO_READ, go_now() + GO_MS);
    printf("%d\n", take(w, &value) == -ETIMEDOUT);
    if (go_watch_close(w) == 1) { /* nobody uses it */
        close(fd);
        go_watch_free(w);
    }
}
/* Output:
1: 42
1
*/
