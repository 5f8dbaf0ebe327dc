/* SPDX-License-Identifier: MIT */
/* context.h: cancellation, deadlines and values along a tree of calls (Go's package context).
 *
 * Pass a go_ctx * as the first argument; wait for ctx_done() in every select that may wait long.
 * Ending a context ends all contexts derived from it.
 *
 * Ownership. Whoever made a context frees it, once, when it is no longer wanted: go_ctx_free is
 * Go's `defer cancel()`. Whoever keeps a context for longer than the call that brought it takes a
 * reference of his own (go_ctx_ref). A parent is kept alive by its children, so both may be freed
 * in any order; freeing the parent ends the children, which stay valid until they are freed.
 *
 * For a goroutine that is started with a context the starter takes the reference, since the
 * goroutine may come too late for that, and the goroutine frees it:
 *
 *     go(work, go_ctx_ref(ctx));       in work: go_defer(go_ctx_free, ctx);
 *     ...
 *     go_ctx_cancel(ctx);              because the free is not the last one now
 *     go_ctx_free(ctx);
 *
 * None is needed where the starter waits for the goroutine's end before it frees (a wait group, a
 * group). A goroutine that waits needs none for the wait: a receive or a select on done, and every
 * call that takes a context as its limit, may have the context freed, and so ended, by another
 * meanwhile; they return as for a cancel and touch nothing that is gone. Afterwards the context may
 * not be used any more, not even to ask for its error, unless one has a reference.
 *
 * Unless said otherwise the functions may be called from any goroutine and any thread, do not park,
 * and must not be given NULL. */
#ifndef GO_CONTEXT_H
#define GO_CONTEXT_H

#include <gort/base.h>
#include <gort/chan.h>
#include <gort/time.h>

GO_BEGIN_DECLS

typedef struct go_ctx go_ctx;
typedef struct go_ctx_after go_ctx_after;

/* The roots: never end, have no deadline and no values, and need not be freed. */
GO_API go_ctx *go_ctx_background(void);
GO_API go_ctx *go_ctx_todo(void);

/* A child that ends when it is cancelled, when its deadline passes, or when the parent ends. Each
 * returns one reference; NULL when out of memory. NULL as the parent panics: `cannot create context
 * from nil parent`. A deadline that has passed ends the child before it is returned; one that is
 * not before the parent's changes nothing, and GO_FOREVER is none. A timeout that reaches beyond
 * the end of time is a deadline there, GO_FOREVER - 1. Waiting for a deadline takes no goroutine;
 * the end releases the timer. */
GO_NODISCARD GO_API go_ctx *go_ctx_with_cancel(go_ctx *parent);
GO_NODISCARD GO_API go_ctx *go_ctx_with_timeout(go_ctx *parent, go_duration d);
GO_NODISCARD GO_API go_ctx *go_ctx_with_deadline(go_ctx *parent, go_time t);
/* The same with the cause that go_ctx_cause gives should the deadline pass (err and why as for
 * go_ctx_cancel_cause); go_ctx_err is -ETIMEDOUT all the same. */
GO_NODISCARD GO_API go_ctx *go_ctx_with_timeout_cause(go_ctx *parent, go_duration d, int err,
                                                      const char *why);
GO_NODISCARD GO_API go_ctx *go_ctx_with_deadline_cause(go_ctx *parent, go_time t, int err,
                                                       const char *why);
/* A child with the parent's values that does not end with it, and has no deadline. */
GO_NODISCARD GO_API go_ctx *go_ctx_without_cancel(go_ctx *parent);

/* One more reference, returned; one less. free cancels first when this was the last one that a user
 * holds (as go_ctx_cancel, so it may park), and releases the memory when no child needs it. NULL
 * and the roots are allowed in both. */
GO_API go_ctx *go_ctx_ref(go_ctx *ctx);
GO_API void go_ctx_free(go_ctx *ctx);

/* Closed when the context ends. NULL, which never is ready, where nothing can end it: the roots and
 * without_cancel. Belongs to the context; go_chan_ref keeps it for longer. */
GO_API go_recv_chan(char) go_ctx_done(go_ctx *ctx);

/* 0 while it lasts, then -ECANCELED or -ETIMEDOUT. Not 0 exactly when done is closed. */
GO_API int go_ctx_err(go_ctx *ctx);

/* Ends the context and all below; again: no effect, the first end and its cause stand. When it
 * returns, all below have ended and waiting goroutines are runnable; for that it parks while
 * another goroutine is still ending the same context, or a part of it. It does not wait for what
 * they do then. With a cause: any negative error and a text, which is copied (NULL: the error's own
 * text); an error that is not negative is none and stands for -ECANCELED, as nil in Go; go_ctx_err
 * is -ECANCELED all the same. Children that have not ended end with the same error and cause. No
 * effect on the roots and on contexts of with_value and without_cancel, which have no end of their
 * own. */
GO_API void go_ctx_cancel(go_ctx *ctx);
GO_API void go_ctx_cancel_cause(go_ctx *ctx, int err, const char *why);

/* Why it ended: NULL and 0 before the end; the cause given, or "context canceled" with -ECANCELED,
 * or "context deadline exceeded" with -ETIMEDOUT. The text belongs to the context. */
GO_API const char *go_ctx_cause(go_ctx *ctx);
GO_API int go_ctx_cause_err(go_ctx *ctx);

/* Whether it has a deadline, its own or an ancestor's, and which; t may be NULL. */
GO_API bool go_ctx_deadline(go_ctx *ctx, go_time *t);

/* go_ctx_after *go_ctx_after_func(ctx, fn, args...): runs fn(args...) in a goroutine of its own
 * when ctx ends (at once if it has). NULL when out of memory. stop: true when that has been
 * prevented, false when fn has been started; it is not waited for. The handle belongs to the
 * context that ends: it is released by stop, at the latest with that context. So call stop once, or
 * never, and while you hold a reference to ctx. NULL is allowed in stop and gives false. Where
 * nothing can end ctx, the call is dropped at once, and stop is true. */
GO_API go_ctx_after *goi_ctx_after_func(go_ctx *ctx, struct goi_call *call);
GO_API bool go_ctx_after_stop(go_ctx_after *a);

/* The way from the root as text, "context.Background.WithCancel", of which the first n - 1 bytes
 * and a zero go to buf; returns the length of all of it. A deadline appears as the time and, in
 * brackets, how far it is from now, a value as the address of its key. */
GO_API size_t go_ctx_format(go_ctx *ctx, char *buf, size_t n);

/* The key's address tells it from others. The value is copied. NULL key: panics with `nil key`. */
GO_API go_ctx *goi_ctx_with_value(go_ctx *parent, const void *key, const void *value, size_t size);
GO_API const void *goi_ctx_value(go_ctx *ctx, const void *key);

GO_END_DECLS

/* static const go_ctx_key(T) name = 0;             a key, whose address identifies it
 * go_ctx *go_ctx_with_value(parent, name, value)   a child with a copy of the value
 * const T *go_ctx_value(ctx, name)                 the nearest one, or NULL; the context's */
#define go_ctx_key(...) __typeof__(__typeof__(__VA_ARGS__) (*)(struct go_ctx *))
#define GOI_KEY_T(key) __typeof__((key)((struct go_ctx *)0))
#define go_ctx_value(ctx, key) ((const GOI_KEY_T(key) *)goi_ctx_value((ctx), &(key)))

#if !defined(__cplusplus)
#define go_ctx_with_value(parent, key, ...) \
    goi_ctx_with_value((parent), &(key), (GOI_KEY_T(key)[1]){ __VA_ARGS__ }, \
                       sizeof(GOI_KEY_T(key)))
#define go_ctx_after_func(ctx, ...) GOI_CTX_AFTER(__COUNTER__, ctx, __VA_ARGS__)
#define GOI_CTX_AFTER(N, ctx, ...) __extension__({ \
        go_ctx *GOI_CAT(goi_ctx_, N) = (ctx); \
        struct goi_call *GOI_CAT(goi_call_, N) = NULL; \
        GOI_CALL(GOI_HEAD_CALL, (&GOI_CAT(goi_call_, N)), "ctx_after_func", __VA_ARGS__); \
        goi_ctx_after_func(GOI_CAT(goi_ctx_, N), GOI_CAT(goi_call_, N)); \
    })
#else
namespace goi {
template <class T>
go_ctx *cxx_ctx_with_value(go_ctx *parent, T (*const *key)(struct go_ctx *), const plain<T> &v)
{
    static_assert(std::is_trivially_copyable_v<T>, "context values must be trivially copyable");
    return goi_ctx_with_value(parent, key, &v, sizeof(T));
}
} // namespace goi
#define go_ctx_with_value(parent, key, ...) (goi::cxx_ctx_with_value((parent), &(key), __VA_ARGS__))
#define go_ctx_after_func(ctx, ...) \
    (goi_ctx_after_func((ctx), goi::make_call(GOI_SITE, __VA_ARGS__)))
#endif

#endif
