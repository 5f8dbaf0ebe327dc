/* SPDX-License-Identifier: MIT */
/* libcurl's easy interface, which waits in poll(), in hundreds of goroutines at once; the server is
 * as many goroutines of the same process. */
#include "crowd.h"
#include <curl/curl.h>

enum { CROWD = 250, ROUNDS = 3, DELAY = 100 * GO_MS };

static go_listener *listener;

/* One request after another, each answered a while later with its path. */
static void serve(go_conn *c)
{
    char in[2048], out[256], path[64];
    size_t have = 0;
    for (;;) {
        ssize_t n = conn_read(c, in + have, sizeof in - 1 - have);
        if (n <= 0) {
            break;
        }
        have += (size_t)n;
        in[have] = '\0';
        if (strstr(in, "\r\n\r\n") == NULL) {
            continue;
        }
        have = 0;
        REQUIRE(sscanf(in, "GET %63s HTTP/1.1\r\n", path) == 1);
        go_sleep(DELAY);
        int size = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                            strlen(path), path);
        if (conn_write(c, out, (size_t)size) != size) {
            break;
        }
    }
    conn_close(c);
}

static void accept_all(go_waitgroup *serving)
{
    go_conn *c;
    while (go_accept(listener, &c) == 0) {
        wg_go(serving, serve, c);
    }
}

struct body {
    size_t size;
    char text[128];
};

static size_t take(char *data, size_t size, size_t n, void *arg)
{
    struct body *b = arg;
    if (b->size + size * n >= sizeof b->text) {
        return 0;
    }
    memcpy(b->text + b->size, data, size * n);
    b->size += size * n;
    b->text[b->size] = '\0';
    return size * n;
}

static void *open_easy(int id)
{
    (void)id;
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* as in every program with threads */
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 50L);
    return easy;
}

static bool fetch(void *thing, int id, int round)
{
    char url[128], path[64];
    struct body body = {0};
    long status = 0;
    snprintf(path, sizeof path, "/page/%d/%d", id, round);
    snprintf(url, sizeof url, "http://%s%s", listener_addr(listener), path);
    curl_easy_setopt(thing, CURLOPT_URL, url);
    curl_easy_setopt(thing, CURLOPT_WRITEDATA, &body);
    CURLcode code = curl_easy_perform(thing);
    curl_easy_getinfo(thing, CURLINFO_RESPONSE_CODE, &status);
    return EXPECT_EQ_INT(code, CURLE_OK) && EXPECT_EQ_INT(status, 200) &&
           EXPECT_EQ_STR(body.text, path);
}

static void nothing_else(long uses)
{
    (void)uses;
}

TEST_LONG(curl, easy_handles_block_in_hundreds_of_goroutines, 60)
{
    static const struct library curl = {open_easy, fetch, curl_easy_cleanup};
    go_waitgroup accepting = {0}, serving = {0};
    REQUIRE(curl_global_init(CURL_GLOBAL_ALL) == 0);
    REQUIRE_EQ_INT(go_listen("tcp", "127.0.0.1:0", &listener), 0);
    wg_go(&accepting, accept_all, &serving);
    /* From the last to the first: told, waited for, closed when nobody can call any more. */
    defer(listener_close, listener);
    defer(wg_wait, &serving);
    defer(wg_wait, &accepting);
    defer(go_listener_set_deadline, listener, 1);
    run_crowd(&curl, CROWD, ROUNDS, nothing_else);
}
