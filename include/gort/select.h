/* SPDX-License-Identifier: MIT */
/* select.h: waiting for several channels at once.
 *
 *     switch (go_chan_select(recv(got, in, &v), send(put, out, x), after(late, d), default)) {
 *     case got: ...
 *     case put: ...
 *     case late: ...
 *     default: ...
 *     }
 *
 * Performs one of the cases that can proceed, chosen at random when there are several; parks until
 * one can; with `default` it does not wait. The rules are the Go specification's ("Select
 * statements"): channel and value expressions are evaluated once, on entering.
 *
 *   recv(name, c)  recv(name, c, &v)  recv(name, c, &v, &ok)    the pointers may be NULL
 *   send(name, c, value)                                        panics when c is closed
 *   after(name, duration)                                       that long after entering
 *   default
 *
 * These words mean something only inside the macro. The names become enumerators of the switch, so
 * that a forgotten case is reported by -Wswitch, unless there is a `default:` label: as an error
 * by clang (not with GO_LAX), as a warning by gcc, where that is part of -Wall and -Werror=switch
 * makes it an error. A NULL channel is never ready. break leaves the switch; continue, return and
 * goto are yours. Up to 24 cases. The names are scoped to the switch or if; used as a plain
 * statement, to the block. In C++ they must be declared before, by go_select_names(got, put,
 * late); which does nothing in C; a forgotten case is not reported there. Go's select {} is
 * go_select_cases(NULL, 0). */
#ifndef GO_SELECT_H
#define GO_SELECT_H

#include <gort/base.h>
#include <gort/chan.h>

enum go_case_op { GO_CASE_RECV, GO_CASE_SEND, GO_CASE_AFTER, GO_CASE_DEFAULT };

/* One case. Made by the go_case_... macros below or by go_chan_select. */
struct go_case {
    struct go_chan *c;          /* NULL: never ready */
    void *value;                /* recv: where to, or NULL; send: where from */
    bool *ok;                   /* recv: false when closed and drained; or NULL */
    go_duration after;
    int id;                     /* what goi_select returns for this case */
    enum go_case_op op;
};

GO_BEGIN_DECLS

/* Performs one of n cases; returns its id. Parks unless there is a default. n may be 0: for
 * ever. */
GO_API int goi_select(struct go_case *cases, size_t n);

GO_END_DECLS

/* Cases built at run time: as go_chan_select, but returns the index of the case performed. The
 * array's ids are overwritten. Parks unless there is a default among them. At most 65536 cases. */
static inline int go_select_cases(struct go_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cases[i].id = (int)i;
    }
    return goi_select(cases, n);
}

#if !defined(__cplusplus)

#define go_select_names(...) _Static_assert(1, "the names are made by go_chan_select")

#define go_chan_select(...) GOI_SELECT(__COUNTER__, __VA_ARGS__)
#define GOI_SELECT(N, ...) \
    GOI_ALL_CASES( \
        (__extension__(enum { GOI_MAPX(GOI_NAME, N, __VA_ARGS__) }) goi_select( \
            (struct go_case[]){ GOI_MAP(GOI_CASE, __VA_ARGS__) }, GOI_NARGS(__VA_ARGS__))))
/* clang places -Wswitch at the expression, gcc at the word `switch`, which no macro reaches. */
/* style: preproc-place because the compilers differ in where a warning stands. */
#if defined(__clang__) && !defined(GO_LAX)
#define GOI_ALL_CASES(...) \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic error \"-Wswitch\"") \
        _Pragma("GCC diagnostic ignored \"-Wunused-value\"") __VA_ARGS__ \
            _Pragma("GCC diagnostic pop")
#else
#define GOI_ALL_CASES(...) __VA_ARGS__
#endif
#define GOI_NAME(N, x) GOI_NAME_(N, #x, GOI_NAME_##x)
#define GOI_NAME_(N, text, ...) \
    GOI_CAT(GOI_NAME_, GOI_MANY(__VA_ARGS__))(N, text, __VA_ARGS__)
/* A word that is none of the four has not become two arguments. */
#define GOI_NAME_0(N, text, x) \
    GOI_CAT(goi_unknown_, N) = sizeof(struct { \
        _Static_assert(0, "chan_select: neither recv, send, after nor default: " text); \
        int none; \
    }),
#define GOI_NAME_1(N, text, ...) GOI_NAME__(N, __VA_ARGS__)
#define GOI_NAME__(N, kind, ...) kind(N, __VA_ARGS__)
#define GOI_NAME_recv(name, ...) GOI_NAME_IS, name
#define GOI_NAME_send(name, ...) GOI_NAME_IS, name
#define GOI_NAME_after(name, ...) GOI_NAME_IS, name
#define GOI_NAME_default GOI_NAME_DEFAULT, -
#define GOI_NAME_IS(N, name) name,
/* Negative, so that the enumeration is signed and can hold it; named, so that a switch without a
 * `default:` label is reported. */
#define GOI_NAME_DEFAULT(N, unused) GOI_CAT(go_default_, N) = -1,
#define GOI_CASE(x) GOI_CASE_##x,
#define GOI_CASE_recv(name, ...) GOI_CAT(GOI_CASE_RECV_, GOI_NARGS(__VA_ARGS__))(name, __VA_ARGS__)
#define GOI_CASE_RECV_1(name, ch) \
    { .op = GO_CASE_RECV, .id = GOI_ID("recv", name, ch), .c = GOI_RECVABLE(ch) }
#define GOI_CASE_RECV_2(name, ch, p) \
    { .op = GO_CASE_RECV, .id = GOI_ID("recv", name, ch), .c = GOI_RECVABLE(ch), \
      .value = GOI_OUT(ch, p) }
#define GOI_CASE_RECV_3(name, ch, p, okp) \
    { .op = GO_CASE_RECV, .id = GOI_ID("recv", name, ch), .c = GOI_RECVABLE(ch), \
      .value = GOI_OUT(ch, p), .ok = (okp) }
#define GOI_CASE_send(name, ch, ...) \
    { .op = GO_CASE_SEND, .id = GOI_ID("send", name, ch), .c = GOI_SENDABLE(ch), \
      .value = GOI_VALUE(ch, __VA_ARGS__) }
/* Whoever leaves the name out, puts something in the place of the channel. */
#define GOI_ID(word, name, ch) \
    (GOI_CHECK(GOI_IS_CHAN(ch), "chan_select: " #ch " in the place of the channel; write " word \
                                "(name, channel, ...)"), \
     name)
#define GOI_CASE_after(name, d) { .op = GO_CASE_AFTER, .id = name, .after = (d) }
#define GOI_CASE_default { .op = GO_CASE_DEFAULT, .id = -1 }
/* The value in an object of the element's type, which lives as long as the select. */
#define GOI_VALUE(ch, ...) \
    ((void)sizeof(((char (*)(go_chan_elem(ch)))0)(__VA_ARGS__)), \
     (go_chan_elem(ch)[1]){ __VA_ARGS__ })

#define go_case_recv(ch, p, okp) \
    ((struct go_case){ .op = GO_CASE_RECV, .c = GOI_RECVABLE(ch), .value = GOI_OUT(ch, p), \
                       .ok = (okp) })
#define go_case_send(ch, p) \
    ((struct go_case){ .op = GO_CASE_SEND, .c = GOI_SENDABLE(ch), .value = GOI_IN(ch, p) })
#define GOI_IN(ch, p) \
    (GOI_CHECK(GOI_SAME(__typeof__(((void)0, (p))), go_chan_elem(ch) *) || \
                   GOI_SAME(__typeof__(((void)0, (p))), const go_chan_elem(ch) *), \
               "cannot send " #p " to " #ch ": the element type differs"), \
     (void *)(uintptr_t)(p))
#define go_case_after(d) ((struct go_case){ .op = GO_CASE_AFTER, .after = (d) })
#define go_case_default() ((struct go_case){ .op = GO_CASE_DEFAULT, .id = -1 })

#else

namespace goi {

template <class T>
go_case case_recv(int id, T (*volatile *c)(struct go_chan *), elem<T> *v = nullptr,
                  bool *ok = nullptr)
{
    return {raw(c), v, ok, 0, id, GO_CASE_RECV};
}
template <class T> go_case case_send(int id, T (*const *c)(struct go_chan *), const elem<T> &v)
{
    check_elem<T>();
    return {raw(c), const_cast<elem<T> *>(&v), nullptr, 0, id, GO_CASE_SEND};
}
template <class T> go_case case_send_from(T (*const *c)(struct go_chan *), const elem<T> *v)
{
    check_elem<T>();
    return {raw(c), const_cast<elem<T> *>(v), nullptr, 0, 0, GO_CASE_SEND};
}
inline go_case case_after(int id, go_duration d)
{
    return {nullptr, nullptr, nullptr, d, id, GO_CASE_AFTER};
}
inline go_case case_default() { return {nullptr, nullptr, nullptr, 0, -1, GO_CASE_DEFAULT}; }
template <size_t N> int select(go_case (&&cases)[N]) { return goi_select(cases, N); }

} // namespace goi

#define go_select_names(...) enum { __VA_ARGS__ }
#define go_chan_select(...) (goi::select({ GOI_MAP(GOI_CASE, __VA_ARGS__) }))
#define GOI_CASE(x) GOI_CASE_##x,
#define GOI_CASE_recv(...) goi::case_recv(__VA_ARGS__)
#define GOI_CASE_send(name, c, ...) goi::case_send(name, c, __VA_ARGS__)
#define GOI_CASE_after(...) goi::case_after(__VA_ARGS__)
#define GOI_CASE_default goi::case_default()

#define go_case_recv(c, p, okp) (goi::case_recv(0, (c), (p), (okp)))
#define go_case_send(c, p) (goi::case_send_from((c), (p)))
#define go_case_after(d) (goi::case_after(0, (d)))
#define go_case_default() (goi::case_default())

#endif

#endif
