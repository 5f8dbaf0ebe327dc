/* SPDX-License-Identifier: MIT */
/* go_cxx.h: the macros of go.h for C++. Internal; included by go.h. */
#ifndef GO_DETAIL_GO_CXX_H
#define GO_DETAIL_GO_CXX_H

#include <functional>

namespace goi {

/* Gives the goroutine back when a constructor of the closure throws. */
struct unborn {
    void *place;
    ~unborn()
    {
        if (place != nullptr) {
            goi_closure_abandon(place);
        }
    }
};

template <class F, class... A>
void spawn(const char *site, const go_opts *opts, goi_done done, void *arg, F &&f, A &&...a)
{
    check_call<F, A...>();
    using C = closure<std::decay_t<F>, std::decay_t<A>...>;
    if constexpr (std::is_pointer_v<std::decay_t<F>>) {
        std::decay_t<F> pointer = f;
        if (pointer == nullptr) {
            goi_go_of_null();
        }
    }
    unborn u{goi_closure_begin(C::ops_once(), site, done, arg, opts)};
    ::new (u.place) C{std::forward<F>(f), {std::forward<A>(a)...}};
    void *place = u.place;
    u.place = nullptr;
    goi_closure_start(place);
}

struct starter {
    const char *site;
    template <class F> void operator+(F &&f) const
    {
        spawn(site, nullptr, nullptr, nullptr, std::forward<F>(f));
    }
};

template <class F, class... A> bool try_call(go_panic_info *out, F &&f, A &&...a)
{
    auto body = [&] { static_cast<void>(std::invoke(std::forward<F>(f), std::forward<A>(a)...)); };
    using B = decltype(body);
    return goi_try_closure(out, [](void *p) { (*static_cast<B *>(p))(); }, &body);
}

/* A call on the heap that may run any number of times. */
template <class F, class... A> goi_call *make_call(const char *site, F &&f, A &&...a)
{
    check_call<F, A...>();
    using C = closure<std::decay_t<F>, std::decay_t<A>...>;
    goi_call *call = nullptr;
    C c{std::forward<F>(f), {std::forward<A>(a)...}};
    void *place = goi_call_closure(&call, C::ops_again(), site);
    static_assert(std::is_nothrow_move_constructible_v<C>,
                  "the arguments must move without throwing");
    ::new (place) C(std::move(c));
    return call;
}

/* A deferred call. Its address is on the goroutine's list, so it is built in place. */
template <class F> struct deferred : goi_cleanup {
    F f;
    deferred(F &&fn, void *at) : goi_cleanup{nullptr, nullptr, nullptr}, f(std::move(fn))
    {
        goi_cleanup_push(
            this, [](goi_cleanup *c) { static_cast<deferred *>(c)->f(); }, at);
    }
    deferred(const deferred &) = delete;
    deferred &operator=(const deferred &) = delete;
    ~deferred() noexcept(false)
    {
        goi_cleanup_end(this);
    }
};

struct deferrer {
    void *frame;
    template <class F> deferred<F> operator+(F f) const { return {std::move(f), frame}; }
};

template <class F, class... A> auto defer_call(void *frame, F f, A... a)
{
    static_assert(std::is_invocable_v<F, A...>, "defer: the arguments do not match the function");
    return deferrer{frame} + [f = std::move(f), t = std::make_tuple(std::move(a)...)]() mutable {
        static_cast<void>(std::apply(std::move(f), std::move(t)));
    };
}

} // namespace goi

#define go_spawn(...) (goi::spawn(GOI_SITE, nullptr, nullptr, nullptr, __VA_ARGS__))
#define GOI_OPT_SET(x) goi_opts x;
#define GO_OPTS(...) ([&] { \
        go_opts goi_opts = {}; \
        GOI_MAP(GOI_OPT_SET, __VA_ARGS__) \
        return goi_opts; \
    }())
#define go_with(opts, ...) GOI_WITH(opts, __VA_ARGS__)
#define GOI_WITH(opts, ...) ([&](const go_opts &goi_with_opts) { \
        goi::spawn(GOI_SITE, &goi_with_opts, nullptr, nullptr, __VA_ARGS__); \
    }(opts))
#define go_try(...) (goi::try_call(__VA_ARGS__))
#define go_defer(...) GOI_DEFER(__COUNTER__, __VA_ARGS__)
#define GOI_DEFER(N, ...) \
    auto GOI_CAT(goi_deferred_, N) = goi::defer_call(__builtin_frame_address(0), __VA_ARGS__)
#define go_defer_block GOI_DEFER_BLOCK(__COUNTER__)
#define GOI_DEFER_BLOCK(N) \
    auto GOI_CAT(goi_deferred_, N) = goi::deferrer{ __builtin_frame_address(0) } + [&]

#endif
