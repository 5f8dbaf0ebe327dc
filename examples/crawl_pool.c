/* SPDX-License-Identifier: MIT */
/* crawl_pool.c: a crawler whose results channel is closed by the right party.
 *
 * Several workers send results, so none of them may close the channel: another might still send.
 * One goroutine waits until all workers have ended and closes it then, which ends main's chan_for.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>

enum { WORKERS = 3 };

static const struct page {
    const char *url, *body;
} web[] = {
    { "example.org/", "welcome to the example, see the guide and the news" },
    { "example.org/guide", "first the basics, then the rest" },
    { "example.org/news", "nothing happened" },
    { "example.org/about", "written by hand" },
    { "example.org/empty", "" },
};

enum { PAGES = sizeof web / sizeof web[0] };

struct result {
    int page, words;
};

/* Stands for fetching and parsing: counts the words of the page. */
static int fetch(const char *body)
{
    int words = 0;
    for (const char *p = body + strspn(body, " "); *p; p += strspn(p, " ")) {
        words++;
        p += strcspn(p, " ");
    }
    go_sleep(GO_MS);
    return words;
}

static void worker(recv_chan(int) pages, send_chan(struct result) results)
{
    chan_for(page, pages) {
        struct result r = { page, fetch(web[page].body) };
        chan_send(results, r);
    }
}

static void close_when_done(go_waitgroup *workers, send_chan(struct result) results)
{
    wg_wait(workers);
    chan_close(results);
}

int main(void)
{
    chan(int) pages = chan_make(int, PAGES);
    chan(struct result) results = chan_make(struct result);
    go_waitgroup workers = { 0 };

    for (int w = 0; w < WORKERS; w++) {
        wg_go(&workers, worker, pages, results);
    }
    for (int i = 0; i < PAGES; i++) {
        chan_send(pages, i);
    }
    chan_close(pages);
    go(close_when_done, &workers, results);

    int words[PAGES] = { 0 }, count = 0;
    chan_for(r, results) {
        words[r.page] = r.words;
        count++;
    }
    for (int i = 0; i < PAGES; i++) {
        printf("%-18s %2d words\n", web[i].url, words[i]);
    }
    printf("%d pages\n", count);

    chan_free(pages);
    chan_free(results);
    return 0;
}
