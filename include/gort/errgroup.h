/* SPDX-License-Identifier: MIT */
/* errgroup.h: goroutines that belong together and report the first error (x/sync/errgroup).
 *
 *     go_group g = go_group_with(ctx);
 *     for (int i = 0; i < n; i++) {
 *         go_group_go(&g, fetch, g.ctx, urls[i]);
 *     }
 *     int err = go_group_wait(&g);
 *
 * A member that panics does not end the process: its deferred calls run, the group's context is
 * cancelled, and when all members have ended go_group_wait panics, in the waiter. The message is
 * the member's crash report: what it said, and the trace of its goroutine as it was then. So the
 * waiter may catch it (go_try; go_panic_caught has the whole report), and if it does not, the
 * crash output shows both goroutines. The first panic counts, and it comes before any error. Faults
 * (SIGSEGV) and fatal errors end the process at once.
 *
 * Go went back and forth on this. What spoke against it there: the report hid the member's stack
 * (here it is the message), a panic is seen late (here the context ends at once, so members and a
 * starter who look at it come to the wait), and a parent may hang before it waits (it would hang as
 * well if the member had returned an error). What spoke for it: a group stands for a call of its
 * functions, and who calls may handle. For the other behaviour start members with go_wg_go. */
#ifndef GO_ERRGROUP_H
#define GO_ERRGROUP_H

#include <gort/base.h>
#include <gort/context.h>
#include <gort/sync.h>

GO_BEGIN_DECLS

/* Zeros are a group without a context. Do not copy it once goroutines run in it. */
typedef struct go_group {
    go_ctx *ctx;                /* read only, or NULL: ends with the first error and group_wait */
    go_waitgroup wg;
    go_sem slots;
    go_mutex mu;
    void *report;
    go_word limited;
    int err;
} go_group;

/* A group with a context derived from parent, which the first function that returns a non-zero
 * result cancels; that result is the cause (go_ctx_cause_err) when it is negative. go_group_wait
 * releases the context. Panics when out of memory. */
GO_NODISCARD GO_API go_group go_group_with(go_ctx *parent);

/* At most n goroutines of the group at a time (0: none can be started); n < 0: no limit. Only while
 * the group has no goroutines; otherwise panics with `errgroup: modify limit while N goroutines in
 * the group are still active`. */
GO_API void go_group_set_limit(go_group *g, int n);

/* Parks until all goroutines of the group have ended; cancels and releases the context, so that
 * g->ctx is NULL afterwards. The first non-zero result, or 0; a member that ended by go_exit counts
 * as 0. Panics if a member has (see above). Who wants to use g->ctx afterwards takes a reference of
 * his own before (go_ctx_ref). */
GO_NODISCARD GO_API int go_group_wait(go_group *g);
/* The same until a deadline: 0, and *result (or NULL) is what go_group_wait returns; or -ETIMEDOUT:
 * nothing has been cancelled or released, and the group must be waited for again. */
GO_NODISCARD GO_API int go_group_wait_until(go_group *g, int *result, go_time deadline);

/* go_group_go(&g, fn, args...): runs fn(args...) in a goroutine of the group; parks while the limit
 * is reached. fn must return int, which the compiler checks; 0 is success. Members may start more.
 * bool go_group_try_go(&g, fn, args...): the same; false, and the arguments not evaluated, when the
 * limit is reached.
 * int go_group_go_until(&g, deadline, fn, args...): parks until a deadline only: 0, or -ETIMEDOUT,
 * and the arguments not evaluated, when the limit was reached all the time. */
GO_API go_group *goi_group_enter(go_group *g);
GO_API int goi_group_enter_until(go_group *g, go_time deadline);
GO_API bool goi_group_try_enter(go_group *g);
GO_API void goi_group_done(void *g, int ret);

GO_END_DECLS

#if !defined(__cplusplus)

#define GOI_CHECK_INT(what, ...) \
    GOI_CAT(GOI_CHECK_INT_, GOI_MANY(__VA_ARGS__))(what, __VA_ARGS__)
#define GOI_CHECK_INT_0(what, fn) \
    GOI_CHECK(GOI_SAME(GOI_RET(fn, ), int), what ": the function must return int")
#define GOI_CHECK_INT_1(what, fn, ...) \
    GOI_CHECK(GOI_SAME(GOI_RET(fn, __VA_ARGS__), int), what ": the function must return int")

#define go_group_go(g, ...) GOI_GROUP_GO(__COUNTER__, g, __VA_ARGS__)
#define GOI_GROUP_GO(N, g, ...) __extension__({ \
        GOI_CHECK_INT("group_go", __VA_ARGS__); \
        go_group *GOI_CAT(goi_group_, N) = goi_group_enter(g); \
        GOI_CALL(GOI_HEAD_DONE, (goi_group_done, GOI_CAT(goi_group_, N)), "group_go", \
                 __VA_ARGS__); \
    })
#define go_group_try_go(g, ...) GOI_GROUP_TRY_GO(__COUNTER__, g, __VA_ARGS__)
#define GOI_GROUP_TRY_GO(N, g, ...) __extension__({ \
        GOI_CHECK_INT("group_try_go", __VA_ARGS__); \
        go_group *GOI_CAT(goi_group_, N) = (g); \
        bool GOI_CAT(goi_entered_, N) = goi_group_try_enter(GOI_CAT(goi_group_, N)); \
        if (GOI_CAT(goi_entered_, N)) { \
            GOI_CALL(GOI_HEAD_DONE, (goi_group_done, GOI_CAT(goi_group_, N)), "group_try_go", \
                     __VA_ARGS__); \
        } \
        GOI_CAT(goi_entered_, N); \
    })
#define go_group_go_until(g, deadline, ...) \
    GOI_GROUP_GO_UNTIL(__COUNTER__, g, deadline, __VA_ARGS__)
#define GOI_GROUP_GO_UNTIL(N, g, deadline, ...) __extension__({ \
        GOI_CHECK_INT("group_go_until", __VA_ARGS__); \
        go_group *GOI_CAT(goi_group_, N) = (g); \
        int GOI_CAT(goi_late_, N) = goi_group_enter_until(GOI_CAT(goi_group_, N), (deadline)); \
        if (GOI_CAT(goi_late_, N) == 0) { \
            GOI_CALL(GOI_HEAD_DONE, (goi_group_done, GOI_CAT(goi_group_, N)), "group_go_until", \
                     __VA_ARGS__); \
        } \
        GOI_CAT(goi_late_, N); \
    })

#else

namespace goi {
template <class F, class... A> constexpr void check_int()
{
    static_assert(
        std::is_same_v<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>, int>,
        "group_go: the function must return int");
}
template <class F, class... A> void cxx_group_go(const char *site, go_group *g, F &&f, A &&...a)
{
    check_int<F, A...>();
    spawn(site, nullptr, goi_group_done, goi_group_enter(g), std::forward<F>(f),
          std::forward<A>(a)...);
}
template <class F, class... A> bool cxx_group_try_go(const char *site, go_group *g, F &&f, A &&...a)
{
    check_int<F, A...>();
    if (!goi_group_try_enter(g)) {
        return false;
    }
    spawn(site, nullptr, goi_group_done, g, std::forward<F>(f), std::forward<A>(a)...);
    return true;
}
template <class F, class... A>
int cxx_group_go_until(const char *site, go_group *g, go_time deadline, F &&f, A &&...a)
{
    check_int<F, A...>();
    int late = goi_group_enter_until(g, deadline);
    if (late == 0) {
        spawn(site, nullptr, goi_group_done, g, std::forward<F>(f), std::forward<A>(a)...);
    }
    return late;
}
} // namespace goi
#define go_group_go_until(g, deadline, ...) \
    (goi::cxx_group_go_until(GOI_SITE, (g), (deadline), __VA_ARGS__))
#define go_group_go(g, ...) (goi::cxx_group_go(GOI_SITE, (g), __VA_ARGS__))
#define go_group_try_go(g, ...) (goi::cxx_group_try_go(GOI_SITE, (g), __VA_ARGS__))

#endif

#endif
