/* SPDX-License-Identifier: MIT */
/* chan.h: typed channels.
 *
 *     go_chan(T)         chan T      sends and receives
 *     go_send_chan(T)    chan<- T    sends and closes
 *     go_recv_chan(T)    <-chan T    receives
 *
 * A channel variable is a reference; assigning and passing it copies the reference. A bidirectional
 * channel converts to either direction by itself; the reverse does not compile. NULL is Go's nil
 * channel: send and receive block for ever, close panics, in a select it is never ready. T is any
 * type that may be copied with memcpy, of no size too (Go's chan struct{}); its qualifiers do not
 * count. The rules are the Go specification's ("Channel types", "Send statements", "Receive
 * operator", "Close"); a send happens before the receive that takes it.
 *
 * The types are structural: go_chan(int) is the same type everywhere, with nothing to declare
 * first. The element type is the return type of a function that does not exist, the direction is a
 * qualifier that only conversions see.
 *
 * Ownership: go_chan_make returns one reference, go_chan_ref adds one, go_chan_free drops one. */
#ifndef GO_CHAN_H
#define GO_CHAN_H

#include <gort/base.h>
#include <gort/detail/call.h>
#include <gort/detail/chan_type.h>

struct go_chan;
struct go_ctx;

GO_BEGIN_DECLS

/* Of elements of `size` bytes, with room for `capacity` (0: unbuffered); type and site
 * ("file:line") are string constants for reports. NULL when out of memory. */
GO_API struct go_chan *goi_chan_make(size_t size, size_t capacity, const char *type,
                                     const char *site);

/* Copies one element from *v. Parks until somebody took it or there is room in the buffer. Panics
 * with `send on closed channel`. A NULL channel blocks for ever. */
GO_API void goi_chan_send(struct go_chan *c, const void *v);

/* Takes one element into *v (v may be NULL). Parks until there is one. False, and *v all zeros,
 * when the channel is closed and drained. A NULL channel blocks for ever. */
GO_API bool goi_chan_recv(struct go_chan *c, void *v);

/* The same without parking: false when it would have to wait (and for NULL). try_recv is true only
 * when a value came; on a closed and drained channel it is false and *v is all zeros. try_send
 * panics on a closed channel. */
GO_API bool goi_chan_try_send(struct go_chan *c, const void *v);
GO_API bool goi_chan_try_recv(struct go_chan *c, void *v);

/* The same until a deadline (a point in time; GO_FOREVER: none). 0, or -ETIMEDOUT, or -EPIPE when
 * the channel is closed (for recv: and drained). They do not panic. With a deadline in the past
 * they still succeed when they need not wait. */
GO_API int goi_chan_send_until(struct go_chan *c, const void *v, go_time deadline);
GO_API int goi_chan_recv_until(struct go_chan *c, void *v, go_time deadline);

/* The same until a context ends: 0, -EPIPE, or the context's error, which comes first when it had
 * ended before the call. ctx may be NULL: no limit. It is enough that the caller's reference to it
 * lasts until the call; it may be freed, and thereby ended, while the call waits. */
GO_API int goi_chan_send_ctx(struct go_ctx *ctx, struct go_chan *c, const void *v);
GO_API int goi_chan_recv_ctx(struct go_ctx *ctx, struct go_chan *c, void *v);

/* No more sends: receivers get what is buffered, then zeros. Wakes everybody who waits; waiting
 * senders panic. Panics with `close of nil channel`, `close of closed channel`. Does not park. */
GO_API void goi_chan_close(struct go_chan *c);

/* Elements buffered now; capacity. 0 for NULL. */
GO_API size_t goi_chan_len(const struct go_chan *c);
GO_API size_t goi_chan_cap(const struct go_chan *c);

/* One more reference, returned; one less. The last free releases the memory: while goroutines wait
 * on the channel that is `fatal error: free of channel in use`. A receiver may free the channel as
 * soon as it has the last value, even while the sender is on its way out of the send. NULL is
 * allowed in both. Who has been woken does not wait any more: a close may be followed by the free
 * at once. A channel of a context belongs to it. */
GO_API struct go_chan *goi_chan_ref(struct go_chan *c);
GO_API void goi_chan_free(struct go_chan *c);

GO_END_DECLS

/* The element type of a channel. */
#define go_chan_elem(c) GOI_CHAN_ELEM(__typeof__((**(c))((struct go_chan *)0)))

/* go_chan_make(T)      an unbuffered channel of T
 * go_chan_make(T, n)   one with a buffer of n elements */
#define go_chan_make(...) GOI_CAT(GOI_CHAN_MAKE_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_CHAN_MAKE_0(T) ((go_chan(T))goi_chan_make(GOI_CHAN_SIZE(T), 0, #T, GOI_SITE))
#define GOI_CHAN_MAKE_1(T, n) \
    ((go_chan(T))goi_chan_make(GOI_CHAN_SIZE(T), (size_t)(n), #T, GOI_SITE))

/* go_chan_send(c, v)                 v may be a {braced, initialiser}
 * T v = go_chan_recv(c)
 * bool ok = go_chan_recv_ok(c, &v)   the pointer may be NULL here and below
 * go_chan_for(v, c) { ... }          for every value until the channel is closed (Go: range)
 * bool go_chan_try_send(c, v)  bool go_chan_try_recv(c, &v)
 * int go_chan_send_until(c, v, deadline)  int go_chan_recv_until(c, &v, deadline)
 * int go_chan_send_ctx(ctx, c, v)         int go_chan_recv_ctx(ctx, c, &v)
 * go_chan_close(c)  size_t go_chan_len(c)  size_t go_chan_cap(c)
 * the same channel go_chan_ref(c)  go_chan_free(c) */
#if !defined(__cplusplus)

#define GOI_CHAN_ELEM(T) T
#define GOI_CHAN_SIZE(T) sizeof(T)
#define GOI_RAW(c) ((struct go_chan *)(uintptr_t)(c))
/* Whether it is a pointer to a pointer. */
#define GOI_IS_CHAN(c) \
    (GOI_ARG_IS_PTR(c) && \
     GOI_ARG_IS_PTR(*__builtin_choose_expr(GOI_ARG_IS_PTR(c), (c), (void **)0)))
#define GOI_IS_RECV_ONLY(c) GOI_SAME(__typeof__(c), __typeof__(**(c)) *volatile *)
#define GOI_IS_SEND_ONLY(c) GOI_SAME(__typeof__(c), __typeof__(**(c)) *const *)
#define GOI_SENDABLE(c) \
    (GOI_CHECK(!GOI_IS_RECV_ONLY(c), "send to receive-only channel " #c), GOI_RAW(c))
#define GOI_MAY_RECV(c) GOI_CHECK(!GOI_IS_SEND_ONLY(c), "receive from send-only channel " #c)
#define GOI_RECVABLE(c) (GOI_MAY_RECV(c), GOI_RAW(c))
#define GOI_CLOSEABLE(c) \
    (GOI_CHECK(!GOI_IS_RECV_ONLY(c), "close of receive-only channel " #c), GOI_RAW(c))
#define GOI_OUT(c, p) \
    (GOI_CHECK(GOI_SAME(__typeof__(((void)0, (p))), go_chan_elem(c) *) || \
                   GOI_SAME(__typeof__(((void)0, (p))), void *), \
               "cannot receive from " #c " into " #p ": the element type differs"), \
     (void *)(p))

/* "T v = ..." keeps the plain conversions of an assignment and accepts {braces}. */
#define GOI_SEND(N, call, c, ...) __extension__({ \
        GOI_STRICT go_chan_elem(c) GOI_CAT(goi_v_, N) = __VA_ARGS__; \
        GOI_STRICT_END \
        call; \
    })
#define go_chan_send(c, ...) GOI_CHAN_SEND(__COUNTER__, c, __VA_ARGS__)
#define GOI_CHAN_SEND(N, c, ...) \
    GOI_SEND(N, goi_chan_send(GOI_SENDABLE(c), &GOI_CAT(goi_v_, N)), c, __VA_ARGS__)
#define go_chan_try_send(c, ...) GOI_CHAN_TRY_SEND(__COUNTER__, c, __VA_ARGS__)
#define GOI_CHAN_TRY_SEND(N, c, ...) \
    GOI_SEND(N, goi_chan_try_send(GOI_SENDABLE(c), &GOI_CAT(goi_v_, N)), c, __VA_ARGS__)
#define go_chan_send_until(c, v, deadline) GOI_CHAN_SEND_UNTIL(__COUNTER__, c, v, deadline)
#define GOI_CHAN_SEND_UNTIL(N, c, v, deadline) \
    GOI_SEND(N, goi_chan_send_until(GOI_SENDABLE(c), &GOI_CAT(goi_v_, N), (deadline)), c, v)

/* A plain expression: the compound literal is the buffer, the comma makes an rvalue of it, and the
 * volatile read keeps a result that nobody uses from being reported. A struct without members has
 * nothing that {0} could initialise. */
static inline void *goi_chan_recv_into(struct go_chan *c, void *v)
{
    (void)goi_chan_recv(c, v);
    return v;
}
#define go_chan_recv(c) \
    ((void)0, *(__typeof__(go_chan_elem(c)) volatile *)goi_chan_recv_into( \
                  GOI_RECVABLE(c), __extension__(go_chan_elem(c)[1]){}))
#define go_chan_recv_ok(c, p) goi_chan_recv(GOI_RECVABLE(c), GOI_OUT(c, p))
#define go_chan_try_recv(c, p) goi_chan_try_recv(GOI_RECVABLE(c), GOI_OUT(c, p))
#define go_chan_recv_until(c, p, deadline) \
    goi_chan_recv_until(GOI_RECVABLE(c), GOI_OUT(c, p), (deadline))
#define go_chan_recv_ctx(ctx, c, p) goi_chan_recv_ctx((ctx), GOI_RECVABLE(c), GOI_OUT(c, p))
#define go_chan_send_ctx(ctx, c, ...) GOI_CHAN_SEND_CTX(__COUNTER__, ctx, c, __VA_ARGS__)
#define GOI_CHAN_SEND_CTX(N, ctx, c, ...) \
    GOI_SEND(N, goi_chan_send_ctx((ctx), GOI_SENDABLE(c), &GOI_CAT(goi_v_, N)), c, __VA_ARGS__)
#define go_chan_close(c) goi_chan_close(GOI_CLOSEABLE(c))
#define go_chan_for(v, c) GOI_CHAN_FOR(__COUNTER__, v, c)
#define GOI_CHAN_FOR(N, v, c) \
    for (__typeof__(((void)0, (c))) GOI_CAT(goi_c_, N) = (c), \
                                    *GOI_CAT(goi_k_, N) = &GOI_CAT(goi_c_, N); \
         GOI_CAT(goi_k_, N); GOI_CAT(goi_k_, N) = NULL) \
        for (go_chan_elem(c) v; \
             goi_chan_recv((GOI_MAY_RECV(c), GOI_RAW(GOI_CAT(goi_c_, N))), &v);)
#define go_chan_ref(c) ((__typeof__(((void)0, (c))))goi_chan_ref(GOI_RAW(c)))

#else

namespace goi {

inline struct go_chan *raw(const volatile void *c)
{
    return static_cast<struct go_chan *>(const_cast<void *>(c));
}
template <class T> using elem = std::remove_cv_t<T>; /* not deduced either */
template <class T> constexpr void check_elem()
{
    static_assert(std::is_trivially_copyable_v<T>, "channel elements must be trivially copyable");
}
template <class T> void cxx_chan_send(T (*const *c)(struct go_chan *), const elem<T> &v)
{
    check_elem<T>();
    goi_chan_send(raw(c), &v);
}
template <class T> bool cxx_chan_try_send(T (*const *c)(struct go_chan *), const elem<T> &v)
{
    check_elem<T>();
    return goi_chan_try_send(raw(c), &v);
}
template <class T>
int cxx_chan_send_until(T (*const *c)(struct go_chan *), const elem<T> &v, go_time deadline)
{
    check_elem<T>();
    return goi_chan_send_until(raw(c), &v, deadline);
}
template <class T>
int cxx_chan_send_ctx(struct go_ctx *ctx, T (*const *c)(struct go_chan *), const elem<T> &v)
{
    check_elem<T>();
    return goi_chan_send_ctx(ctx, raw(c), &v);
}
template <class T>
int cxx_chan_recv_ctx(struct go_ctx *ctx, T (*volatile *c)(struct go_chan *), elem<T> *v)
{
    return goi_chan_recv_ctx(ctx, raw(c), v);
}
template <class T> T cxx_chan_recv(T (*volatile *c)(struct go_chan *))
{
    elem<T> v;
    goi_chan_recv(raw(c), &v);
    return v;
}
template <class T> bool cxx_chan_recv_ok(T (*volatile *c)(struct go_chan *), elem<T> *v)
{
    return goi_chan_recv(raw(c), v);
}
template <class T> bool cxx_chan_try_recv(T (*volatile *c)(struct go_chan *), elem<T> *v)
{
    return goi_chan_try_recv(raw(c), v);
}
template <class T>
int cxx_chan_recv_until(T (*volatile *c)(struct go_chan *), elem<T> *v, go_time deadline)
{
    return goi_chan_recv_until(raw(c), v, deadline);
}
template <class T> void cxx_chan_close(T (*const *c)(struct go_chan *)) { goi_chan_close(raw(c)); }
template <class C> C cxx_chan_ref(C c) { return reinterpret_cast<C>(goi_chan_ref(raw(c))); }

} // namespace goi

#define GOI_CHAN_ELEM(T) goi::elem<T>
#define GOI_CHAN_SIZE(T) (std::is_empty_v<__typeof__(T)> ? 0 : sizeof(T)) /* as in C */
#define GOI_RAW(c) (goi::raw(c))
#define go_chan_send(c, ...) (goi::cxx_chan_send((c), __VA_ARGS__))
#define go_chan_try_send(c, ...) (goi::cxx_chan_try_send((c), __VA_ARGS__))
#define go_chan_send_until(c, v, deadline) (goi::cxx_chan_send_until((c), v, (deadline)))
#define go_chan_recv(c) (goi::cxx_chan_recv(c))
#define go_chan_recv_ok(c, p) (goi::cxx_chan_recv_ok((c), (p)))
#define go_chan_try_recv(c, p) (goi::cxx_chan_try_recv((c), (p)))
#define go_chan_recv_until(c, p, deadline) (goi::cxx_chan_recv_until((c), (p), (deadline)))
#define go_chan_send_ctx(ctx, c, ...) (goi::cxx_chan_send_ctx((ctx), (c), __VA_ARGS__))
#define go_chan_recv_ctx(ctx, c, p) (goi::cxx_chan_recv_ctx((ctx), (c), (p)))
#define go_chan_close(c) (goi::cxx_chan_close(c))
#define go_chan_for(v, c) GOI_CHAN_FOR(__COUNTER__, v, c)
#define GOI_CHAN_FOR(N, v, c) \
    if (auto GOI_CAT(goi_c_, N) = (c); false) { \
    } else \
        for (go_chan_elem(c) v; go_chan_recv_ok(GOI_CAT(goi_c_, N), &v);)
#define go_chan_ref(c) (goi::cxx_chan_ref(c))

#endif

#define go_chan_len(c) goi_chan_len(GOI_RAW(c))
#define go_chan_cap(c) goi_chan_cap(GOI_RAW(c))
#define go_chan_free(c) goi_chan_free(GOI_RAW(c))

/* Their names without parentheses are functions: go_defer(go_chan_close, c). */
typedef void goi_chan_fn(const volatile void *c);
GO_EXTERN_C goi_chan_fn go_chan_close __asm__("goi_chan_close");
GO_EXTERN_C goi_chan_fn go_chan_free __asm__("goi_chan_free");

#endif
