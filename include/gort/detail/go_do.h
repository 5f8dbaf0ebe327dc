/* SPDX-License-Identifier: MIT */
/* go_do.h: go_do(captures) { body }; in the three ways that the compilers offer. Internal.
 *
 * gcc: a nested function whose parameters have the captures' names. Its address is taken only where
 * that needs no trampoline (a trampoline would live on the starter's stack): with optimisation a
 * nested function that uses nothing of its frame is an ordinary one, and -Wtrampolines as an error
 * reports a variable that is not captured; the function's name is what the message says. At -O0 gcc
 * gives every nested function a static chain; there the body is reached by its assembler name, and
 * the replayed call passes a poisoned chain, so that a forgotten capture faults at once instead of
 * reading another stack. (`gort run -O0` compiles such a file once more, with optimisation, for
 * nothing but the message: tools/gort/build.c knows GOI_DO_ASM.)
 * clang: a block whose parameters are the captures, hence a global block; a forgotten capture makes
 * it a stack block. For the class object of those the assembler puts another name, which nobody
 * defines, and the linker says that name. (As it does of the blocks of a blocks runtime in the same
 * file, unless that defines GO_LAX.)
 * C++: a lambda. */
#ifndef GO_DETAIL_GO_DO_H
#define GO_DETAIL_GO_DO_H

#include <gort/detail/call.h>

#define GOI_PARAM(x) GOI_ARG_T(x) x
#define GOI_COMMA_PARAM(x) , GOI_PARAM(x)
#define GOI_PARAMS(...) GOI_CAT(GOI_PARAMS_, GOI_MANY(__VA_ARGS__))(__VA_ARGS__)
#define GOI_PARAMS_0(x) GOI_PARAM(x)
#define GOI_PARAMS_1(x, ...) GOI_PARAM(x) GOI_MAP(GOI_COMMA_PARAM, __VA_ARGS__)

/* The parameters have the names of the variables that they copy, which -Wshadow shall not
 * report. */
#define GOI_MAY_SHADOW \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#define GOI_MAY_SHADOW_END _Pragma("GCC diagnostic pop")

/* _0 for an empty list of captures, else _1. */
#define GOI_WHICH_DO(...) GOI_SECOND(GOI_DO_LIST(__VA_ARGS__, ), _1, )
#define GOI_DO_LIST(first, ...) GOI_DO_LIST_##first
#define GOI_DO_LIST_ ~, _0
#define GOI_SECOND(...) GOI_SECOND_(__VA_ARGS__)
#define GOI_SECOND_(a, b, ...) b

/* style: preproc-place because each compiler offers another kind of anonymous function. */
#if defined(__cplusplus) && defined(__clang__)
/* A constant need not be captured, but may be listed. */
#define go_do(...) \
    goi::starter{ GOI_SITE } + GOI_MAY_BE_UNUSED [__VA_ARGS__] GOI_MAY_SHADOW_END() mutable
#define GOI_MAY_BE_UNUSED \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wunused-lambda-capture\"")
#elif defined(__cplusplus)
#define go_do(...) goi::starter{ GOI_SITE } + [__VA_ARGS__]() mutable
#elif defined(__clang__)
#if defined(__BLOCKS__)
struct goi_block {
    void *isa;
    int flags, reserved;
    goi_fn invoke;
};
/* The class object of blocks that capture nothing. Nobody looks into it, so no blocks runtime is
 * needed; there is no such thing for stack blocks, and that is what reports a forgotten capture.
 * A pointer and not an array, because clang has its own idea of the type of this symbol, and 14
 * crashes when the two differ and a static function with a go_do comes late. */
GO_HIDDEN GO_WEAK void *goi_block_class __asm__("_NSConcreteGlobalBlock");
#define GOI_BLOCK(b) ((struct goi_block *)(void *)(b))
#if defined(GO_LAX)
#define GOI_NO_BLOCK NULL
#else
#define GOI_NO_BLOCK \
    __extension__({ \
        __asm__(".set _NSConcreteStackBlock, go_do_uses_a_variable_that_it_does_not_list"); \
        NULL; \
    })
#endif
#define go_do(...) GOI_CAT(GOI_DO, GOI_WHICH_DO(__VA_ARGS__))(__COUNTER__, __VA_ARGS__)
/* The invoke function's first argument is the block itself. */
#define GOI_DO_1(N, ...) \
    for (void (^GOI_CAT(goi_block_, N))(GOI_PARAMS(__VA_ARGS__)) = GOI_NO_BLOCK; \
         !GOI_CAT(goi_block_, N); \
         ((void (*)(void *, GOI_PARAMS(__VA_ARGS__)))goi_go_begin( \
             GOI_BLOCK(GOI_CAT(goi_block_, N))->invoke, 16 GOI_MAP(GOI_PLUS_BYTES, __VA_ARGS__), \
             (unsigned)GOI_REC_VEC, GOI_SITE))((void *)GOI_CAT(goi_block_, N), __VA_ARGS__)) \
    GOI_CAT(goi_block_, N) = GOI_MAY_SHADOW ^(GOI_PARAMS(__VA_ARGS__) GOI_MAY_SHADOW_END)
#define GOI_DO_0(N, ...) \
    for (void (^GOI_CAT(goi_block_, N))(void) = GOI_NO_BLOCK; \
         !GOI_CAT(goi_block_, N); \
         ((void (*)(void *))goi_go_begin(GOI_BLOCK(GOI_CAT(goi_block_, N))->invoke, 16, \
                                         (unsigned)GOI_REC_VEC, GOI_SITE))( \
             (void *)GOI_CAT(goi_block_, N))) \
    GOI_CAT(goi_block_, N) = ^(void)
#endif
#else
/* A pragma may stand inside a statement expression, and that inside the type of a parameter: the
 * last one, of which nobody speaks, ends the suppression before the body begins. */
#define GOI_LAST_PARAM(N) \
    __typeof__(__extension__({ \
        GOI_MAY_SHADOW_END(char)0; \
    })) GOI_CAT(goi_last_, N) GO_UNUSED
/* For the whole file, and so for the user's own nested functions (go.h says how to have one). Push
 * and pop around the name would do for gcc 12; but where a macro's pragma stands when the function
 * has been compiled, which is when gcc warns, is promised by no version. */
#pragma GCC diagnostic error "-Wtrampolines"
/* The function's name begins with that of the first capture: so it stands in the user's file for
 * gcc, which says nothing about functions written in a system's header. The rest is read by whoever
 * has forgotten a capture. */
#define GOI_FAULT(N) GOI_CAT(_go_do_uses_a_variable_that_it_does_not_list_, N)
#define GOI_BODY(N, first, ...) GOI_CAT(first, GOI_FAULT(N))
/* (Without captures there is no such name: a forgotten one is reported unless the header is a
 * system's; then the linker warns of an executable stack.) */
#define GOI_BODY_0(N) GOI_CAT(this, GOI_FAULT(N))
#define go_do(...) GOI_CAT(GOI_DO, GOI_WHICH_DO(__VA_ARGS__))(__COUNTER__, __VA_ARGS__)
#if defined(__OPTIMIZE__)
#define GOI_DO_1(N, ...) \
    GOI_MAY_SHADOW __extension__ auto void GOI_BODY(N, __VA_ARGS__, )( \
        GOI_PARAMS(__VA_ARGS__), char); \
    go_spawn(GOI_BODY(N, __VA_ARGS__, ), __VA_ARGS__, (char)0); \
    __extension__ void GOI_BODY(N, __VA_ARGS__, )(GOI_PARAMS(__VA_ARGS__), GOI_LAST_PARAM(N))
#define GOI_DO_0(N, ...) \
    __extension__ auto void GOI_BODY_0(N)(char); \
    go_spawn(GOI_BODY_0(N), (char)0); \
    __extension__ void GOI_BODY_0(N)(char GOI_CAT(goi_last_, N) GO_UNUSED)
#else
#define GOI_DO_ASM(N) __asm__("go_do_unoptimised_" GOI_STR(N))
#define GOI_DO_1(N, ...) \
    GOI_MAY_SHADOW GO_HIDDEN extern void GOI_CAT(goi_named_, N)(GOI_PARAMS(__VA_ARGS__), char) \
        GOI_DO_ASM(N); \
    __extension__ auto void GOI_BODY(N, __VA_ARGS__, )(GOI_PARAMS(__VA_ARGS__), char) \
        GOI_DO_ASM(N); \
    go_spawn(GOI_CAT(goi_named_, N), __VA_ARGS__, (char)0); \
    __extension__ GO_USED void GOI_BODY(N, __VA_ARGS__, )( \
        GOI_PARAMS(__VA_ARGS__), GOI_LAST_PARAM(N))
#define GOI_DO_0(N, ...) \
    GO_HIDDEN extern void GOI_CAT(goi_named_, N)(char) GOI_DO_ASM(N); \
    __extension__ auto void GOI_BODY_0(N)(char) GOI_DO_ASM(N); \
    go_spawn(GOI_CAT(goi_named_, N), (char)0); \
    __extension__ GO_USED void GOI_BODY_0(N)(char GOI_CAT(goi_last_, N) GO_UNUSED)
#endif
#endif

#endif
