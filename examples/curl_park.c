/* SPDX-License-Identifier: MIT */
/* libcurl with its waiting replaced: its multi socket interface says which sockets it waits for and
 * until when, and leaves the waiting to its caller. Each goroutine here has a few transfers at
 * once, with their sockets in an epoll descriptor, which is one that go_fd_wait can park on.
 *
 *     gort run examples/curl_park.c -lcurl
 *
 * The easy interface works as well; then each wait holds a thread (tests/libs does that). */
#include <curl/curl.h>
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { FETCHERS = 50, PAGES = 4 };

struct waiting {
    int epoll;
    go_time until; /* when libcurl wants to be called at the latest */
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct waiting *w = arg;
    unsigned events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    struct epoll_event e = { .events = events, .data.fd = fd };
    (void)easy, (void)known;
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL); /* if it was there */
    return what == CURL_POLL_REMOVE ? 0 : epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct waiting *w = arg;
    (void)multi;
    w->until = ms < 0 ? GO_FOREVER : go_now() + ms * GO_MS;
    return 0;
}

/* Drives all transfers of a handle to their end; parks whenever there is nothing to do. */
static void perform(CURLM *multi, struct waiting *w)
{
    struct epoll_event ready[PAGES];
    int running = 0;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    while (running > 0) {
        int r = go_fd_wait(w->epoll, GO_READ, w->until);
        if (r == -ETIMEDOUT) {
            w->until = GO_FOREVER;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        int n = epoll_wait(w->epoll, ready, PAGES, 0); /* does not wait */
        for (int i = 0; i < n; i++) {
            curl_multi_socket_action(multi, ready[i].data.fd, 0, &running); /* it looks itself */
        }
    }
}

static size_t take(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    *(size_t *)arg += size * n;
    return size * n;
}

/* Fetches some pages at the same time, and counts the bytes. */
static void fetch(const char *url, send_chan(size_t) fetched)
{
    CURL *easy[PAGES];
    size_t bytes = 0;
    CURLM *multi = curl_multi_init();
    struct waiting w = { .epoll = epoll_create1(EPOLL_CLOEXEC), .until = GO_FOREVER };
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, &w);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, &w);
    for (int i = 0; i < PAGES; i++) {
        easy[i] = curl_easy_init();
        curl_easy_setopt(easy[i], CURLOPT_URL, url);
        curl_easy_setopt(easy[i], CURLOPT_NOPROXY, "*");
        curl_easy_setopt(easy[i], CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(easy[i], CURLOPT_WRITEDATA, &bytes);
        curl_multi_add_handle(multi, easy[i]);
    }
    perform(multi, &w);
    for (int i = 0; i < PAGES; i++) {
        curl_multi_remove_handle(multi, easy[i]);
        curl_easy_cleanup(easy[i]);
    }
    curl_multi_cleanup(multi);
    close(w.epoll);
    chan_send(fetched, bytes);
}

/* The other side: keeps everybody waiting until all have asked, and we have looked. */
static void answer(go_conn *c, go_waitgroup *asked, recv_chan(bool) looked)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello, world\n";
    char in[2048];
    if (conn_read(c, in, sizeof in) > 0) { /* a request this short comes in one piece */
        wg_done(asked);
        chan_recv(looked);
        (void)!conn_write(c, text, sizeof text - 1);
    }
    conn_close(c);
}

int main(void)
{
    char url[64];
    go_listener *l;
    go_waitgroup asked = { 0 };
    chan(bool) looked = chan_make(bool);
    chan(size_t) fetched = chan_make(size_t);
    curl_global_init(CURL_GLOBAL_ALL);
    if (go_listen("tcp", "127.0.0.1:0", &l) != 0) {
        return 1;
    }
    snprintf(url, sizeof url, "http://%s/", listener_addr(l));
    wg_add(&asked, FETCHERS * PAGES);
    for (int i = 0; i < FETCHERS; i++) {
        go(fetch, url, fetched);
    }
    for (int i = 0; i < FETCHERS * PAGES; i++) {
        go_conn *c;
        if (go_accept(l, &c) == 0) {
            go(answer, c, &asked, looked);
        }
    }
    wg_wait(&asked);
    int threads = 0;
    FILE *f = fopen("/proc/self/status", "re");
    for (char line[128]; threads == 0 && fgets(line, sizeof line, f) != NULL;) {
        (void)!sscanf(line, "Threads: %d", &threads);
    }
    fclose(f);
    printf("%d transfers wait in %d goroutines; a thread for each: %s\n", FETCHERS * PAGES,
           FETCHERS, threads < FETCHERS / 2 ? "no" : "yes");
    chan_close(looked);
    size_t sum = 0;
    for (int i = 0; i < FETCHERS; i++) {
        sum += chan_recv(fetched);
    }
    printf("%zu bytes\n", sum);
    listener_close(l);
    chan_free(fetched);
}
