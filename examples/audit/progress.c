/* SPDX-License-Identifier: MIT */
/* progress.c: a bar on the terminal, if there is one. Only the coordinator draws. */
#include "audit.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { TEXT = 64, BAR_MAX = 60, BAR_MIN = 10 };

static int columns(void)
{
    struct winsize w;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0;
    return known ? w.ws_col : 80;
}

void progress_show(const struct crawl *c, size_t flying)
{
    char bar[BAR_MAX + 1];
    if (!isatty(STDERR_FILENO) || c->pages.count == 0) {
        return;
    }
    int room = columns() - TEXT;
    int width = room > BAR_MAX ? BAR_MAX : room < BAR_MIN ? BAR_MIN : room;
    int full = (int)((size_t)width * c->visited / c->pages.count);
    memset(bar, '-', (size_t)width);
    memset(bar, '#', (size_t)full);
    bar[width] = '\0';
    double seconds = (double)go_since(c->fetcher.start) / (double)GO_SEC;
    fprintf(stderr, "\r[%s] %zu of %zu, %zu under way, %zu failed, %.0f/s\033[K", bar, c->visited,
            c->pages.count, flying, c->failed, (double)c->visited / seconds);
}

void progress_clear(void)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K");
    }
}
