/* SPDX-License-Identifier: MIT */
/* A thread's lock given back in time. */
#include <gort/short.h>
#include <pthread.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int n;

static void before(chan(int) c)
{
    pthread_mutex_lock(&mu);
    int v = n++;
    pthread_mutex_unlock(&mu);
    chan_send(c, v);
}

static void does_not_wait(chan(int) c)
{
    pthread_mutex_lock(&mu);
    if (!chan_try_send(c, 1)) {
        n++;
    }
    switch (chan_select(recv(got, c, &n), default)) {
    case got:
        break;
    default:
        break;
    }
    chan_close(c);
    pthread_mutex_unlock(&mu);
}

static void naps(void) { go_sleep(GO_MS); }

static void starts(void)
{
    pthread_mutex_lock(&mu);
    go(naps);
    go_do() { naps(); };
    pthread_mutex_unlock(&mu);
}

static void only_sometimes(bool shared)
{
    if (shared) {
        pthread_mutex_lock(&mu);
    }
    n++;
    if (shared) {
        pthread_mutex_unlock(&mu);
    }
    naps();
}

static void lets_go(void)
{
    pthread_mutex_lock(&mu);
    while (n > 0) {
        pthread_mutex_unlock(&mu);
        go_yield();
        pthread_mutex_lock(&mu);
    }
    pthread_mutex_unlock(&mu);
}

static void failed(void)
{
    if (pthread_mutex_trylock(&mu) != 0) {
        go_yield();
        return;
    }
    pthread_mutex_unlock(&mu);
}

int main(void)
{
    chan(int) c = chan_make(int, 2);
    before(c);
    does_not_wait(c);
    starts();
    only_sometimes(true);
    lets_go();
    failed();
}
