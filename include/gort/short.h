/* SPDX-License-Identifier: MIT */
/* short.h: the short names, for .c files only: never include it from a header.
 *
 * The short name is the long one without go_, for the families below. They are function-like
 * macros: a field, a variable or a label called `go` or `chan` is left alone unless a parenthesis
 * follows. What one defers or starts is a function as well: defer(wg_done, &wg). */
#ifndef GO_SHORT_H
#define GO_SHORT_H

#include <gort.h>

#define go(...) go_spawn(__VA_ARGS__)
#define defer(...) go_defer(__VA_ARGS__)
#define guard(m) go_guard(m)
#define with_lock(m) go_with_lock(m)

#define chan(...) go_chan(__VA_ARGS__)
#define send_chan(...) go_send_chan(__VA_ARGS__)
#define recv_chan(...) go_recv_chan(__VA_ARGS__)

#define chan_make(...) go_chan_make(__VA_ARGS__)
#define chan_send(...) go_chan_send(__VA_ARGS__)
#define chan_recv(c) go_chan_recv(c)
#define chan_recv_ok(c, p) go_chan_recv_ok(c, p)
#define chan_for(v, c) go_chan_for(v, c)
#define chan_try_send(...) go_chan_try_send(__VA_ARGS__)
#define chan_try_recv(c, p) go_chan_try_recv(c, p)
#define chan_send_until(c, v, deadline) go_chan_send_until(c, v, deadline)
#define chan_recv_until(c, p, deadline) go_chan_recv_until(c, p, deadline)
#define chan_send_ctx(ctx, c, v) go_chan_send_ctx(ctx, c, v)
#define chan_recv_ctx(ctx, c, p) go_chan_recv_ctx(ctx, c, p)
#define chan_close(c) go_chan_close(c)
#define chan_len(c) go_chan_len(c)
#define chan_cap(c) go_chan_cap(c)
#define chan_ref(c) go_chan_ref(c)
#define chan_free(c) go_chan_free(c)
#define chan_select(...) go_chan_select(__VA_ARGS__)

#define wg_add(wg, n) go_wg_add(wg, n)
#define wg_done(wg) go_wg_done(wg)
#define wg_wait(wg) go_wg_wait(wg)
#define wg_wait_until(wg, deadline) go_wg_wait_until(wg, deadline)
#define wg_wait_ctx(ctx, wg) go_wg_wait_ctx(ctx, wg)
#define wg_go(...) go_wg_go(__VA_ARGS__)

#define mutex_lock(m) go_mutex_lock(m)
#define mutex_unlock(m) go_mutex_unlock(m)
#define mutex_trylock(m) go_mutex_trylock(m)
#define mutex_lock_until(m, deadline) go_mutex_lock_until(m, deadline)
#define mutex_lock_ctx(ctx, m) go_mutex_lock_ctx(ctx, m)

#define rwmutex_lock(m) go_rwmutex_lock(m)
#define rwmutex_unlock(m) go_rwmutex_unlock(m)
#define rwmutex_rlock(m) go_rwmutex_rlock(m)
#define rwmutex_runlock(m) go_rwmutex_runlock(m)
#define rwmutex_trylock(m) go_rwmutex_trylock(m)
#define rwmutex_tryrlock(m) go_rwmutex_tryrlock(m)
#define rwmutex_lock_until(m, deadline) go_rwmutex_lock_until(m, deadline)
#define rwmutex_rlock_until(m, deadline) go_rwmutex_rlock_until(m, deadline)
#define rwmutex_lock_ctx(ctx, m) go_rwmutex_lock_ctx(ctx, m)
#define rwmutex_rlock_ctx(ctx, m) go_rwmutex_rlock_ctx(ctx, m)

#define cond_wait(c, m) go_cond_wait(c, m)
#define cond_wait_until(c, m, deadline) go_cond_wait_until(c, m, deadline)
#define cond_wait_ctx(ctx, c, m) go_cond_wait_ctx(ctx, c, m)
#define cond_signal(c) go_cond_signal(c)
#define cond_broadcast(c) go_cond_broadcast(c)

#define once_do(o) go_once_do(o)
#define once_call(...) go_once_call(__VA_ARGS__)
#define once_value(...) go_once_value(__VA_ARGS__)
#define once_do_until(o, deadline, err) go_once_do_until(o, deadline, err)
#define once_call_until(...) go_once_call_until(__VA_ARGS__)
#define once_value_until(...) go_once_value_until(__VA_ARGS__)
#define once_free(o) go_once_free(o)

#define map_init(m, kind) go_map_init(m, kind)
#define map_free(m) go_map_free(m)
#define map_len(m) go_map_len(m)
#define map_clear(m) go_map_clear(m)
#define map_load(m, k, v) go_map_load(m, k, v)
#define map_store(m, k, v) go_map_store(m, k, v)
#define map_load_or_store(m, k, v, actual) go_map_load_or_store(m, k, v, actual)
#define map_load_and_delete(m, k, v) go_map_load_and_delete(m, k, v)
#define map_swap(m, k, v, old) go_map_swap(m, k, v, old)
#define map_compare_and_swap(m, k, old, v) go_map_compare_and_swap(m, k, old, v)
#define map_compare_and_delete(m, k, old) go_map_compare_and_delete(m, k, old)
#define map_delete(m, k) go_map_delete(m, k)
#define map_range(m, visit, arg) go_map_range(m, visit, arg)

#define pool_get(p) go_pool_get(p)
#define pool_put(p, object) go_pool_put(p, object)
#define pool_clear(p) go_pool_clear(p)

#define sem_acquire(ctx, s, n) go_sem_acquire(ctx, s, n)
#define sem_acquire_until(s, n, deadline) go_sem_acquire_until(s, n, deadline)
#define sem_try_acquire(s, n) go_sem_try_acquire(s, n)
#define sem_release(s, n) go_sem_release(s, n)

#define single_do(...) go_single_do(__VA_ARGS__)
#define single_do_until(...) go_single_do_until(__VA_ARGS__)
#define single_do_ctx(...) go_single_do_ctx(__VA_ARGS__)
#define single_forget(s, key) go_single_forget(s, key)

#define rate_set(r, per_second, burst) go_rate_set(r, per_second, burst)
#define rate_allow(r) go_rate_allow(r)
#define rate_allow_n(r, n) go_rate_allow_n(r, n)
#define rate_wait(ctx, r) go_rate_wait(ctx, r)
#define rate_wait_n(ctx, r, n) go_rate_wait_n(ctx, r, n)
#define rate_wait_until(r, deadline) go_rate_wait_until(r, deadline)
#define rate_wait_n_until(r, n, deadline) go_rate_wait_n_until(r, n, deadline)
#define rate_reserve(r) go_rate_reserve(r)
#define rate_reserve_n(r, n) go_rate_reserve_n(r, n)
#define rate_book(r, n) go_rate_book(r, n)
#define rate_cancel(r, v) go_rate_cancel(r, v)
#define rate_tokens(r) go_rate_tokens(r)

#define ctx_background() go_ctx_background()
#define ctx_todo() go_ctx_todo()
#define ctx_with_cancel(parent) go_ctx_with_cancel(parent)
#define ctx_with_timeout(parent, d) go_ctx_with_timeout(parent, d)
#define ctx_with_deadline(parent, t) go_ctx_with_deadline(parent, t)
#define ctx_with_timeout_cause(parent, d, err, why) go_ctx_with_timeout_cause(parent, d, err, why)
#define ctx_with_deadline_cause(parent, t, err, why) go_ctx_with_deadline_cause(parent, t, err, why)
#define ctx_without_cancel(parent) go_ctx_without_cancel(parent)
#define ctx_with_value(...) go_ctx_with_value(__VA_ARGS__)
#define ctx_value(ctx, key) go_ctx_value(ctx, key)
#define ctx_done(ctx) go_ctx_done(ctx)
#define ctx_err(ctx) go_ctx_err(ctx)
#define ctx_cancel(ctx) go_ctx_cancel(ctx)
#define ctx_cancel_cause(ctx, err, why) go_ctx_cancel_cause(ctx, err, why)
#define ctx_cause(ctx) go_ctx_cause(ctx)
#define ctx_cause_err(ctx) go_ctx_cause_err(ctx)
#define ctx_deadline(ctx, t) go_ctx_deadline(ctx, t)
#define ctx_after_func(...) go_ctx_after_func(__VA_ARGS__)
#define ctx_after_stop(a) go_ctx_after_stop(a)
#define ctx_format(ctx, buf, n) go_ctx_format(ctx, buf, n)
#define ctx_ref(ctx) go_ctx_ref(ctx)
#define ctx_free(ctx) go_ctx_free(ctx)

#define group_with(ctx) go_group_with(ctx)
#define group_set_limit(g, n) go_group_set_limit(g, n)
#define group_go(...) go_group_go(__VA_ARGS__)
#define group_try_go(...) go_group_try_go(__VA_ARGS__)
#define group_go_until(...) go_group_go_until(__VA_ARGS__)
#define group_wait(g) go_group_wait(g)
#define group_wait_until(g, result, deadline) go_group_wait_until(g, result, deadline)

#define timer_c(t) go_timer_c(t)
#define timer_stop(t) go_timer_stop(t)
#define timer_reset(t, d) go_timer_reset(t, d)
#define timer_free(t) go_timer_free(t)

#define ticker_c(t) go_ticker_c(t)
#define ticker_stop(t) go_ticker_stop(t)
#define ticker_reset(t, d) go_ticker_reset(t, d)
#define ticker_free(t) go_ticker_free(t)

#define conn_open(fd, out) go_conn_open(fd, out)
#define conn_read(c, buf, n) go_conn_read(c, buf, n)
#define conn_write(c, buf, n) go_conn_write(c, buf, n)
#define conn_writev(c, iov, n) go_conn_writev(c, iov, n)
#define conn_sendfile(c, fd, offset, n) go_conn_sendfile(c, fd, offset, n)
#define conn_close(c) go_conn_close(c)
#define conn_close_write(c) go_conn_close_write(c)
#define conn_set_deadline(c, t) go_conn_set_deadline(c, t)
#define conn_set_read_deadline(c, t) go_conn_set_read_deadline(c, t)
#define conn_set_write_deadline(c, t) go_conn_set_write_deadline(c, t)
#define conn_local_addr(c) go_conn_local_addr(c)
#define conn_remote_addr(c) go_conn_remote_addr(c)
#define conn_fd(c) go_conn_fd(c)

#define listener_close(l) go_listener_close(l)
#define listener_addr(l) go_listener_addr(l)
#define listener_fd(l) go_listener_fd(l)
#define listener_set_deadline(l, t) go_listener_set_deadline(l, t)

#define packet_read_from(p, buf, n, from) go_packet_read_from(p, buf, n, from)
#define packet_write_to(p, buf, n, to) go_packet_write_to(p, buf, n, to)
#define packet_close(p) go_packet_close(p)
#define packet_addr(p) go_packet_addr(p)
#define packet_fd(p) go_packet_fd(p)
#define packet_set_deadline(p, t) go_packet_set_deadline(p, t)

/* Of <gort/http.h>, which is a library of its own. */
#define ws_read(ws, buf, n, kind) go_ws_read(ws, buf, n, kind)
#define ws_write(ws, kind, buf, n) go_ws_write(ws, kind, buf, n)
#define ws_ping(ws) go_ws_ping(ws)
#define ws_close(ws, code, why) go_ws_close(ws, code, why)
#define ws_close_code(ws) go_ws_close_code(ws)
#define ws_ref(ws) go_ws_ref(ws)
#define ws_free(ws) go_ws_free(ws)

/* The functions behind names that stand without parentheses: other names for the same symbols. */
#define GOI_SHORT_AS(name, symbol) \
    typedef __typeof__(go_##name) goi_short_##name; \
    GO_EXTERN_C goi_short_##name name __asm__(symbol)
#define GOI_SHORT(name) GOI_SHORT_AS(name, "go_" #name)
GOI_SHORT_AS(chan_close, "goi_chan_close");
GOI_SHORT_AS(chan_free, "goi_chan_free");
GOI_SHORT(wg_done);
GOI_SHORT(wg_wait);
GOI_SHORT(mutex_lock);
GOI_SHORT(mutex_unlock);
GOI_SHORT(rwmutex_lock);
GOI_SHORT(rwmutex_unlock);
GOI_SHORT(rwmutex_rlock);
GOI_SHORT(rwmutex_runlock);
GOI_SHORT(cond_signal);
GOI_SHORT(cond_broadcast);
GOI_SHORT(map_clear);
GOI_SHORT(map_free);
GOI_SHORT(pool_clear);
GOI_SHORT(pool_put);
GOI_SHORT(sem_release);
GOI_SHORT(ctx_cancel);
GOI_SHORT(ctx_free);
GOI_SHORT(group_wait);
GOI_SHORT(timer_stop);
GOI_SHORT(timer_free);
GOI_SHORT(ticker_stop);
GOI_SHORT(ticker_free);
GOI_SHORT(conn_close);
GOI_SHORT(listener_close);
GOI_SHORT(packet_close);

#endif
