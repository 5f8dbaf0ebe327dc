/* SPDX-License-Identifier: MIT */
/* The packages: sync, time, context, groups, input and output. Compiled only. */
#include <gort/short.h>
#include <signal.h>

static int job(go_ctx *ctx, int id)
{
    (void)ctx;
    return id;
}
static void nothing(void) {}
static bool visit(go_map_key k, void *v, void *arg)
{
    (void)v;
    (void)arg;
    return k.number == 0;
}
static int flight(void *arg, void **result)
{
    *result = arg;
    return 0;
}
static void *make(void) { return 0; }

static const go_ctx_key(int) request_id = 0;
static go_waitgroup wg;
static go_mutex mu;
static go_rwmutex rw;
static go_cond cond;
static go_once once;
static go_map map;
static go_pool pool = { make, 0, { 0, 0 }, 0 };
static go_sem sem;
static go_single single;
static go_rate rate;

int synchronise(go_ctx *ctx);
int synchronise(go_ctx *ctx)
{
    wg_go(&wg, nothing);
    wg_go(&wg, job, ctx, 5);
    wg_add(&wg, 1);
    wg_done(&wg);
    wg_wait(&wg);
    if (wg_wait_until(&wg, GO_FOREVER) || mutex_lock_until(&mu, go_now()) || !mutex_trylock(&mu)) {
        return 1;
    }
    mutex_lock(&mu);
    mutex_unlock(&mu);
    rwmutex_lock(&rw);
    rwmutex_unlock(&rw);
    rwmutex_rlock(&rw);
    rwmutex_runlock(&rw);
    if (rwmutex_trylock(&rw) || rwmutex_tryrlock(&rw)) {
        return 1;
    }
    cond_wait(&cond, &mu);
    cond_wait_until(&cond, &mu, GO_FOREVER);
    cond_signal(&cond);
    cond_broadcast(&cond);
    once_do(&once) {
        nothing();
    }
    once_call(&once, nothing);
    once_call(&once, job, ctx, 3);

    int i = 3;
    void *v = 0;
    bool shared = false;
    map_init(&map, GO_MAP_STRING);
    map_store(&map, i, v);
    map_store(&map, 7u, v);
    map_store(&map, 0, v);
    map_store(&map, "key", &i);
    map_load(&map, i, &v);
    map_swap(&map, "key", v, (void **)0);
    map_load_or_store(&map, i, v, &v);
    map_load_and_delete(&map, i, &v);
    map_compare_and_swap(&map, i, v, v);
    map_compare_and_delete(&map, i, v);
    map_delete(&map, i);
    map_range(&map, visit, v);
    map_clear(&map);
    map_free(&map);
    pool_put(&pool, pool_get(&pool));
    sem.size = 3;
    if (sem_acquire(ctx, &sem, 1) || sem_try_acquire(&sem, 1)) {
        sem_release(&sem, 1);
    }
    rate_set(&rate, 10, 1);
    if (rate_allow(&rate) || rate_wait(ctx, &rate)) {
        go_sleep(rate_reserve(&rate));
    }
    go_reservation booked = rate_book(&rate, 2);
    rate_cancel(&rate, &booked);
    return single_do(&single, "key", flight, v, &v, &shared) + (int)map_len(&map);
}

int groups_and_times(chan(int) c, go_ctx *ctx);
int groups_and_times(chan(int) c, go_ctx *ctx)
{
    go_group g = group_with(ctx);
    group_set_limit(&g, 3);
    group_go(&g, job, g.ctx, 3);
    group_try_go(&g, job, g.ctx, 4);
    if (group_wait(&g)) {
        return 1;
    }
    go_timer *t = go_after_func(3 * GO_SEC, job, ctx, 4);
    timer_stop(t);
    timer_reset(t, GO_SEC);
    timer_free(t);
    go_ctx_after *a = ctx_after_func(ctx, nothing);
    ctx_after_stop(a);
    ctx_after_func(ctx, job, ctx, 3);
    go_ctx *k = ctx_with_value(ctx, request_id, 7);
    const int *id = ctx_value(k, request_id);
    if (!id || go_signal_notify(c, SIGINT, SIGTERM) || go_signal_notify(c)) {
        return 4;
    }
    go_ctx *s = go_signal_ctx(ctx, SIGINT);
    ctx_free(s);
    go_signal_stop(c);
    go_select_names(tick, quit);
    go_ticker *ticker = go_ticker_make(GO_SEC);
    switch (chan_select(recv(tick, ticker_c(ticker)), recv(quit, ctx_done(ctx)))) {
    case tick:
    case quit:
        break;
    }
    ticker_free(ticker);
    go_time now = chan_recv(go_after(GO_MS));
    return ctx_deadline(ctx, &now);
}

int talks(go_ctx *ctx);
int talks(go_ctx *ctx)
{
    char buf[10];
    go_conn *c = 0;
    go_listener *l = 0;
    go_addrs addrs;
    if (go_listen("tcp", ":0", &l) || go_accept(l, &c) || go_dial(ctx, "tcp", "localhost:1", &c)) {
        return listener_close(l);
    }
    ssize_t n = conn_read(c, buf, sizeof buf);
    if (conn_write(c, buf, sizeof buf) != n || go_fd_wait(conn_fd(c), GO_READ, GO_FOREVER)) {
        conn_set_deadline(c, go_now() + GO_SEC);
    }
    conn_close(c);
    go_dump(2);
    go_region("region") {
        go_trace_log(go_trace_enabled() ? "a" : "b");
    }
    if (go_trace_start("file") == 0) {
        go_trace_stop();
    }
    return go_lookup_host(ctx, "localhost", &addrs) + (go_version()[0] == '0');
}
