/* SPDX-License-Identifier: MIT */
/* prelude.h: what gort-vet puts in front of every file it reads. Built into the program.
 *
 * The macros of <gort.h> make a call with recorded arguments, an anonymous function or a guard out
 * of what each compiler offers. Here the same macros say to a reader of the syntax tree what they
 * mean: a call of goi_vet_NAME, and beside it the user's own expressions, each once.
 *
 *     go(f, a)            ({ goi_vet_go(); f(a); })           the goroutine's call comes after it
 *     go_do(a) { ... };   goi_vet_do(a); (void)^(a) { ... };  likewise the block
 *     defer(f, a);        ({ goi_vet_defer(); f(a); });
 *     with_lock(&m) { }   for (goi_vet_with_lock(&m); goi_vet_again();) { }   not a loop
 *
 * What else the headers define is read as it stands. */
#ifndef GORT_VET_PRELUDE_H
#define GORT_VET_PRELUDE_H

#define GO_LAX
#include <gort.h>

void goi_vet_go(void);
void goi_vet_wg_go(go_waitgroup *wg);
void goi_vet_group_go(go_group *g);
void goi_vet_later(void);
void goi_vet_do(int none, ...);
void goi_vet_defer(void);
void goi_vet_defer_block(void);
void goi_vet_guard(go_mutex *m);
void goi_vet_with_lock(go_mutex *m);
void goi_vet_once_do(go_once *o);
void goi_vet_blocking(void);
_Bool goi_vet_again(void);
_Bool goi_vet_once(go_once *o);
_Bool goi_vet_maybe(void);
int goi_vet_status(void);
_Bool goi_vet_recv_for(struct go_chan *c, void *v);
int goi_vet_select(int none, ...);
int goi_vet_case_recv(int id, struct go_chan *c, ...);
int goi_vet_case_send(int id, struct go_chan *c, ...);
int goi_vet_case_after(int id, go_duration d);
int goi_vet_case_default(void);

/* GOI_VET_CALL(fn, args...) calls it. */
#define GOI_VET_CALL(...) GOI_CAT(GOI_VET_CALL_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_VET_CALL_0(fn) (fn)()
#define GOI_VET_CALL_1(fn, ...) (fn)(__VA_ARGS__)

#undef go_spawn
#define go_spawn(...) __extension__({ goi_vet_go(); GOI_VET_CALL(__VA_ARGS__); (void)0; })
#undef go_with
#define go_with(opts, ...) \
    __extension__({ (void)(opts); goi_vet_go(); GOI_VET_CALL(__VA_ARGS__); (void)0; })
#undef go_wg_go
#define go_wg_go(wg, ...) \
    __extension__({ goi_vet_wg_go(wg); GOI_VET_CALL(__VA_ARGS__); (void)0; })
#undef go_group_go
#define go_group_go(g, ...) \
    __extension__({ goi_vet_group_go(g); GOI_VET_CALL(__VA_ARGS__); (void)0; })
#undef go_group_try_go
#define go_group_try_go(g, ...) \
    __extension__({ goi_vet_group_go(g); GOI_VET_CALL(__VA_ARGS__); goi_vet_maybe(); })
#undef go_group_go_until
#define go_group_go_until(g, deadline, ...) \
    __extension__({ (void)(deadline); goi_vet_group_go(g); GOI_VET_CALL(__VA_ARGS__); \
        goi_vet_status(); })
#undef go_after_func
#define go_after_func(d, ...) \
    __extension__({ go_duration GOI_CAT(goi_d_, __LINE__) = (d); \
        goi_vet_later(); GOI_VET_CALL(__VA_ARGS__); \
        goi_after_func(GOI_CAT(goi_d_, __LINE__), (struct goi_call *)0); })
#undef go_ctx_after_func
#define go_ctx_after_func(ctx, ...) \
    __extension__({ go_ctx *GOI_CAT(goi_ctx_, __LINE__) = (ctx); \
        goi_vet_later(); GOI_VET_CALL(__VA_ARGS__); \
        goi_ctx_after_func(GOI_CAT(goi_ctx_, __LINE__), (struct goi_call *)0); })
#undef go_try
#define go_try(out, ...) \
    __extension__({ (void)(out); GOI_VET_CALL(__VA_ARGS__); goi_vet_maybe(); })

#undef go_do
#define go_do(...) GOI_CAT(GOI_VET_DO, GOI_WHICH_DO(__VA_ARGS__))(__VA_ARGS__)
#define GOI_VET_DO_0(...) goi_vet_do(0); (void)^(void)
#define GOI_VET_DO_1(...) goi_vet_do(0, __VA_ARGS__); (void)^(GOI_PARAMS(__VA_ARGS__))

#undef go_defer
#define go_defer(...) __extension__({ goi_vet_defer(); GOI_VET_CALL(__VA_ARGS__); (void)0; })
#undef go_defer_block
#define go_defer_block for (goi_vet_defer_block(); goi_vet_again();)
#undef go_guard
#define go_guard(m) goi_vet_guard(m)
#undef go_with_lock
#define go_with_lock(m) for (goi_vet_with_lock(m); goi_vet_again();)
#undef go_once_do
#define go_once_do(o) for (goi_vet_once_do(o); goi_vet_again();)
#undef go_once_do_until
#define go_once_do_until(o, deadline, err) \
    for (*(err) = ((void)(deadline), goi_vet_once_do(o), 0); goi_vet_again();)
#undef go_blocking
#define go_blocking for (goi_vet_blocking(); goi_vet_again();)

#undef go_once_call
#define go_once_call(o, ...) \
    __extension__({ if (goi_vet_once(o)) { GOI_VET_CALL(__VA_ARGS__); } (void)0; })
#undef go_once_call_until
#define go_once_call_until(o, deadline, ...) \
    __extension__({ (void)(deadline); if (goi_vet_once(o)) { GOI_VET_CALL(__VA_ARGS__); } \
        goi_vet_status(); })
#undef go_once_value
#define go_once_value(o, place, ...) \
    __extension__({ if (goi_vet_once(o)) { *(place) = GOI_VET_CALL(__VA_ARGS__); } *(place); })
#undef go_once_value_until
#define go_once_value_until(o, place, deadline, ...) \
    __extension__({ (void)(deadline); \
        if (goi_vet_once(o)) { *(place) = GOI_VET_CALL(__VA_ARGS__); } goi_vet_status(); })

#undef go_chan_for
#define go_chan_for(v, c) for (go_chan_elem(c) v; goi_vet_recv_for(GOI_RAW(c), &v);)

#undef go_chan_select
#define go_chan_select(...) GOI_VET_SELECT(__COUNTER__, __VA_ARGS__)
#define GOI_VET_SELECT(N, ...) \
    (__extension__(enum { GOI_MAPX(GOI_NAME, N, __VA_ARGS__) }) \
         goi_vet_select(0 GOI_MAP(GOI_VET_CASE, __VA_ARGS__)))
#define GOI_VET_CASE(x) , GOI_VET_CASE_##x
#define GOI_VET_CASE_recv(name, ...) goi_vet_case_recv(name, GOI_VET_CHAN(__VA_ARGS__))
#define GOI_VET_CHAN(...) GOI_CAT(GOI_VET_CHAN_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_VET_CHAN_0(c) GOI_RAW(c)
#define GOI_VET_CHAN_1(c, ...) GOI_RAW(c), __VA_ARGS__
#define GOI_VET_CASE_send(name, c, ...) \
    goi_vet_case_send(name, GOI_RAW(c), (go_chan_elem(c)[1]){ __VA_ARGS__ })
#define GOI_VET_CASE_after(name, d) goi_vet_case_after(name, d)
#define GOI_VET_CASE_default goi_vet_case_default()

#endif
