/* SPDX-License-Identifier: MIT */
/* call.h: the call recorder, the part of `go`, `defer`, `go_try` and `go_after_func` that takes a
 * function and its arguments. Internal.
 *
 * C has no way to store "a call with any arguments". The recorder lets the compiler make the call:
 *
 *     goi_go_begin(fn, ...)      notes fn in a pending record and returns the address of a stub,
 *     ((type of fn)stub)(args)   which is called with fn's own prototype.
 *
 * So the compiler checks the arguments against fn's prototype, converts them as for any call, and
 * evaluates them once, here and now. The stub (src/arch/<cpu>/record.S) copies the argument
 * registers and the stack arguments into the record; later the same call is replayed. Pending
 * records form a stack of the goroutine, because an argument may itself contain `go` or block.
 *
 * What the macros find out about the call at compile time:
 *   stack bytes  an upper bound of what the arguments occupy on the stack, 0 for the usual call;
 *   GOI_REC_VEC  some argument may travel in a vector register, so that those must be copied too.
 * An integer argument may be converted to long double or __int128 by the prototype, which C cannot
 * ask for; therefore only pointers, and integers that match the prototype exactly, count as known.
 */
#ifndef GO_DETAIL_CALL_H
#define GO_DETAIL_CALL_H

#include <gort/base.h>

/* A recorded call. The arguments in vector registers (128 bytes, with GOI_REC_VEC only) and the
 * stack arguments follow it. */
struct goi_record {
    struct goi_record *next;    /* the pending record below */
    goi_fn fn;
    void *frame;                /* an address in the frame that records */
    void *owner;                /* what the record is part of: goroutine, call, try frame */
    uint32_t stack_bytes;
    uint16_t kind;
    uint16_t flags;             /* GOI_REC_* */
    uint64_t reserved;
    uint64_t gp[8];             /* rdi rsi rdx rcx r8 r9 rax - | x0 .. x7 */
} GO_ALIGNED(16);

enum { GOI_REC_VEC = 1 };
enum { GOI_REC_VEC_BYTES = 128, GOI_REC_STACK_MAX = 8192 };

/* An entry of the goroutine's list of things to do when a block ends, however it ends: normally,
 * by go_exit, by a panic. */
struct goi_cleanup {
    struct goi_cleanup *next;
    void (*run)(struct goi_cleanup *);  /* NULL: not on the list */
    void *frame;                        /* an address in the frame that owns it */
};

/* Runs a C++ closure, and destroys it. */
struct goi_closure_ops {
    size_t size, align;
    void (*run)(void *closure);
    int (*run_int)(void *closure);      /* instead of run, when the result counts */
    void (*destroy)(void *closure);
};

#if !defined(__cplusplus)
/* ---- C ------------------------------------------------------------------------------------- */

#define GOI_CHECK(condition, message) ((void)__extension__({ \
        _Static_assert(condition, message); \
        0; \
    }))
#define GOI_SAME(A, B) __builtin_types_compatible_p(A, B)

/* Inside the macros the conversions that C allows with a warning only are errors, and functions
 * whose result must not be ignored may be started. */
/* style: preproc-place because the macros need the compiler's own words here. */
#if defined(__clang__)
#define GOI_STRICT \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wunused-result\"") \
        _Pragma("GCC diagnostic error \"-Wint-conversion\"") \
            _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"") _Pragma( \
                "GCC diagnostic error \"-Wincompatible-pointer-types-discards-qualifiers\"")
#else
#define GOI_STRICT \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wunused-result\"") \
        _Pragma("GCC diagnostic error \"-Wint-conversion\"") \
            _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"") \
                _Pragma("GCC diagnostic error \"-Wdiscarded-qualifiers\"")
#endif
#define GOI_STRICT_END _Pragma("GCC diagnostic pop")

/* Pointer to fn's function type. For gcc `typeof(&*fn)` would carry noreturn and const along, and
 * the code after `go` would be deleted. fn may be a function or a pointer to one. */
#define GOI_IS_FN(fn) GOI_SAME(__typeof__(fn), __typeof__(*(fn)))
#define GOI_FNP(fn) \
    __typeof__(__extension__ __builtin_choose_expr(GOI_IS_FN(fn), (__typeof__(fn) *)0, &*(fn)))
#define GOI_RET(fn, ...) __typeof__((fn)(__VA_ARGS__))

/* An argument's type after decay, its size and its class. */
#define GOI_ARG_T(a) __typeof__(((void)0, (a)))
#define GOI_ARG_COMMA_T(a) , GOI_ARG_T(a)
#define GOI_ARG_T_LIST(...) GOI_CAT(GOI_ARG_T_LIST_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_ARG_T_LIST_0(a) GOI_ARG_T(a)
#define GOI_ARG_T_LIST_1(a, ...) GOI_ARG_T(a) GOI_MAP(GOI_ARG_COMMA_T, __VA_ARGS__)
#define GOI_ARG_CLASS(a) __builtin_classify_type(((void)0, (a)))
#define GOI_ARG_IS_PTR(a) (GOI_ARG_CLASS(a) == 5)
#define GOI_ARG_IS_GP(a) \
    (GOI_ARG_CLASS(a) >= 1 && GOI_ARG_CLASS(a) <= 5 && sizeof(GOI_ARG_T(a)) <= 8)
#define GOI_ARG_IS_SCALAR(a) \
    (GOI_ARG_IS_GP(a) || (GOI_ARG_CLASS(a) == 8 && sizeof(GOI_ARG_T(a)) <= 8))
#define GOI_AND_PTR(a) &&GOI_ARG_IS_PTR(a)
#define GOI_AND_GP(a) &&GOI_ARG_IS_GP(a)
#define GOI_AND_SCALAR(a) &&GOI_ARG_IS_SCALAR(a)
#define GOI_PLUS_BYTES(a) +((sizeof(GOI_ARG_T(a)) + 15) & ~(size_t)15)
#define GOI_PLUS_UNKNOWN(a) +(GOI_ARG_IS_PTR(a) ? (size_t)0 : (size_t)16)

/* The prototype says exactly what the arguments are, so nothing is converted. */
#define GOI_EXACT(fn, ...) \
    GOI_SAME(GOI_FNP(fn), GOI_RET(fn, __VA_ARGS__)(*)(GOI_ARG_T_LIST(__VA_ARGS__)))
#define GOI_REC_FLAGS(fn, ...) \
    (((1 GOI_MAP(GOI_AND_PTR, __VA_ARGS__)) || \
      (GOI_EXACT(fn, __VA_ARGS__) GOI_MAP(GOI_AND_GP, __VA_ARGS__))) \
         ? 0u \
         : (unsigned)GOI_REC_VEC)
#define GOI_REC_BYTES(fn, ...) \
    ((GOI_NARGS(__VA_ARGS__) <= 6 GOI_MAP(GOI_AND_SCALAR, __VA_ARGS__)) \
         ? (GOI_EXACT(fn, __VA_ARGS__) ? (size_t)0 \
                                       : (size_t)0 GOI_MAP(GOI_PLUS_UNKNOWN, __VA_ARGS__)) \
         : (size_t)0 GOI_MAP(GOI_PLUS_BYTES, __VA_ARGS__))

/* A place of that type, never evaluated; of char for void. */
#define GOI_PLACE(T) (*(__typeof__(__builtin_choose_expr(GOI_SAME(T, void), (char *)0, (T *)0)))0)
#define GOI_IS_STRUCT(a) (GOI_ARG_CLASS(a) == 12 || GOI_ARG_CLASS(a) == 13)

/* style: preproc-place because the calling conventions differ in what can be copied. */
#if defined(__aarch64__)
/* AAPCS64 passes structs of more than 16 bytes as a pointer to a temporary of the caller. */
#define GOI_AND_ARG_OK(a) &&(sizeof(GOI_ARG_T(a)) <= 16 || GOI_ARG_CLASS(a) == 9)
#define GOI_RET_OK(T) 1
#define GOI_ARG_COMPLAINT ": a struct argument is larger than 16 bytes; pass a pointer"
#else
/* The System V convention copies structs; over-aligned and AVX arguments are not recorded. gcc
 * takes the alignment of a vector that the processor lacks for 16, so its size decides; what else
 * is larger than 16 bytes is a complex long double (9). Results of the x87 unit would stay on its
 * stack; a struct of that size and alignment holds nothing else worth returning. */
#define GOI_AND_ARG_OK(a) \
    &&(_Alignof(GOI_ARG_T(a)) <= 16 && \
       (sizeof(GOI_ARG_T(a)) <= 16 || GOI_IS_STRUCT(a) || GOI_ARG_CLASS(a) == 9))
#define GOI_RET_OK(T) \
    (!GOI_SAME(T, long double) && \
     !(GOI_IS_STRUCT(GOI_PLACE(T)) && _Alignof(__typeof__(GOI_PLACE(T))) == 16))
#define GOI_ARG_COMPLAINT ": an argument is over-aligned (AVX); pass a pointer"
#endif
#define GOI_CHECK_ARGS(what, ...) \
    GOI_CHECK(1 GOI_MAP(GOI_AND_ARG_OK, __VA_ARGS__), what GOI_ARG_COMPLAINT), \
        GOI_CHECK((0 GOI_MAP(GOI_PLUS_BYTES, __VA_ARGS__)) <= GOI_REC_STACK_MAX, \
                  what ": the arguments take more than 8 KiB; pass a pointer")
#define GOI_CHECK_RET(what, fn, ...) \
    GOI_CHECK(__extension__ sizeof(GOI_RET(fn, __VA_ARGS__)) <= 16, \
              what ": the function returns a struct of more than 16 bytes; wrap it"), \
        GOI_CHECK(__extension__ GOI_RET_OK(GOI_RET(fn, __VA_ARGS__)), \
                  what ": the function returns a long double; wrap it")

/* GOI_CALL(HEAD, X, what, fn, args...): HEAD(X, fn, bytes, flags) must call a goi_..._begin, X is
 * a list in parentheses that HEAD understands, what is the name for messages. Of type void. */
#define GOI_CALL(HEAD, X, what, ...) \
    GOI_CAT(GOI_CALL_, GOI_MANY(__VA_ARGS__))(HEAD, X, what, __VA_ARGS__)
#define GOI_CALL_0(HEAD, X, what, fn) __extension__({ \
        GOI_STRICT GOI_CHECK_RET(what, fn, ); \
        ((GOI_FNP(fn))HEAD(X, (goi_fn)(fn), 0, 0u))(); \
        GOI_STRICT_END(void)0; \
    })
#define GOI_CALL_1(HEAD, X, what, fn, ...) __extension__({ \
        GOI_STRICT GOI_CHECK_RET(what, fn, __VA_ARGS__); \
        GOI_CHECK_ARGS(what, __VA_ARGS__); \
        ((GOI_FNP(fn))HEAD(X, (goi_fn)(fn), GOI_REC_BYTES(fn, __VA_ARGS__), \
                           GOI_REC_FLAGS(fn, __VA_ARGS__)))(__VA_ARGS__); \
        GOI_STRICT_END(void)0; \
    })

#else
/* ---- C++ ----------------------------------------------------------------------------------- */
/* C++ stores the call as a closure, constructed in place; nothing is recorded. */
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace goi {

template <class T> struct identity { using type = T; };
template <class T> using plain = typename identity<T>::type; /* not deduced */

/* fn and its arguments, decayed and stored by value, as std::thread does. */
template <class F, class... A> struct closure {
    using result = std::invoke_result_t<F, A...>;
    F f;
    std::tuple<A...> args;

    /* Once: the arguments are moved out, and destroyed also when the goroutine is unwound. */
    static void run_once(void *p)
    {
        struct guard {
            closure *c;
            ~guard() noexcept(false) { c->~closure(); }
        } g{static_cast<closure *>(p)};
        static_cast<void>(std::apply(std::move(g.c->f), std::move(g.c->args)));
    }
    static int run_int_once(void *p)
    {
        struct guard {
            closure *c;
            ~guard() noexcept(false) { c->~closure(); }
        } g{static_cast<closure *>(p)};
        if constexpr (std::is_same_v<result, int>) {
            return std::apply(std::move(g.c->f), std::move(g.c->args));
        } else {
            static_cast<void>(std::apply(std::move(g.c->f), std::move(g.c->args)));
            return 0;
        }
    }
    /* Any number of times. */
    static void run_again(void *p)
    {
        closure *c = static_cast<closure *>(p);
        static_cast<void>(std::apply(c->f, c->args));
    }
    static void destroy(void *p) { static_cast<closure *>(p)->~closure(); }

    static const goi_closure_ops *ops_once()
    {
        static const goi_closure_ops ops = {sizeof(closure), alignof(closure), nullptr,
                                            &closure::run_int_once, &closure::destroy};
        return &ops;
    }
    static const goi_closure_ops *ops_again()
    {
        static const goi_closure_ops ops = {sizeof(closure), alignof(closure), &closure::run_again,
                                            nullptr, &closure::destroy};
        return &ops;
    }
};

template <class F, class... A> constexpr void check_call()
{
    static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<A>...>,
                  "go: the arguments do not match the function");
    static_assert((sizeof(std::decay_t<A>) + ... + sizeof(std::decay_t<F>)) <= GOI_REC_STACK_MAX,
                  "go: the arguments take more than 8 KiB; pass a pointer");
}

} // namespace goi
#endif

#endif
