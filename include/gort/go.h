/* SPDX-License-Identifier: MIT */
/* go.h: goroutines: start, end, identity, panics, and what happens when a block ends.
 *
 * A goroutine is a function that runs at the same time as its starter, on a stack of its own, moved
 * between a few threads by the library. The rules are those of the Go specification ("Go
 * statements", "Defer statements", "Handling panics") except where a comment says otherwise.
 *
 * Any thread may call anything here; a thread that the library does not know yet is adopted at its
 * first call. Functions that may park are marked so: afterwards the caller may be on another
 * thread.
 */
#ifndef GO_GO_H
#define GO_GO_H

#include <gort/base.h>
#include <gort/detail/call.h>

GO_BEGIN_DECLS

/* ---- starting ------------------------------------------------------------------------------- */

/* Options of go_with. Zero means the default. */
typedef struct go_opts {
    const char *name;   /* shown in dumps; copied; the first 31 bytes count */
    size_t stack;       /* bytes of stack, 64 KiB to 1 GiB; default: wide while few goroutines live,
                           narrower as they become many, never below 64 KiB */
} go_opts;

/* go_spawn(fn, args...): starts fn(args...) as a new goroutine.
 *
 * fn is any function or function pointer, with up to 15 arguments of any types; they are converted
 * as for a call, evaluated here and now, and copied. The result of fn is discarded. The goroutine
 * becomes runnable at once and runs when a processor is free. Does not park. A NULL fn is fatal:
 * `go of nil func value`. Running out of memory is fatal.
 *
 * Limits, all found by the compiler: results and AVX vectors of more than 16 bytes, more than 8 KiB
 * of arguments, and on aarch64 struct arguments of more than 16 bytes. A compound literal with
 * commas needs its own parentheses: go_spawn(f, ((struct point){ 1, 2 })). Under clang, a function
 * declared with __attribute__((noreturn)) makes the compiler drop the code after the statement;
 * _Noreturn and [[noreturn]] do not.
 *
 * go_with(GO_OPTS(.name = "crawler", .stack = GO_MIB), fn, args...): the same with options.
 *
 * go_do(i, ch) { ... };  an anonymous goroutine. The captured variables are listed, copied, and
 * have the same names inside. An array is captured as a pointer. The list may be empty. It is a
 * statement of its own: put braces around it after `if`. clang needs -fblocks.
 *     A local variable that is not listed does not compile, or does not link (clang); the message
 * is ..._go_do_uses_a_variable_that_it_does_not_list. Only gcc -O0 by itself takes it: then the
 * goroutine faults where it first uses the variable, with that message (not on aarch64, where it
 * reads what is there). `gort run -O0` and `gort build -O0` report it.
 *     For this gcc refuses trampolines in the whole file: nested functions of your own too, when
 * they use variables around them and their address is taken. Where you want one, put push, ignored
 * "-Wtrampolines" and pop (#pragma GCC diagnostic) around it. */

GO_API goi_fn goi_go_begin(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site);
GO_API goi_fn goi_go_begin_done(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site,
                                goi_done done, void *arg);
GO_API goi_fn goi_go_begin_with(goi_fn fn, size_t stack_bytes, unsigned flags, const char *site,
                                const go_opts *opts);
/* The same for a C++ closure: returns where to construct it; then start, or abandon when the
 * constructor threw. done and opts may be NULL. */
GO_API void *goi_closure_begin(const struct goi_closure_ops *ops, const char *site, goi_done done,
                               void *arg, const go_opts *opts);
GO_API void goi_closure_start(void *closure);
GO_API void goi_closure_abandon(void *closure);
GO_NORETURN GO_API void goi_go_of_null(void);

/* ---- the current goroutine ------------------------------------------------------------------ */

/* Lets other goroutines run (runtime.Gosched). Parks. */
GO_API void go_yield(void);

/* Ends the calling goroutine after running its deferred calls and guards, of all frames, the
 * innermost first, and C++ destructors (runtime.Goexit). C code needs no -fexceptions for that.
 * Passes through go_try. Called in the main goroutine it ends only that; the process goes on until
 * the others have ended, and then dies with `fatal error: no goroutines (main called
 * runtime.Goexit) - deadlock!`. pthread_exit in main does the same; in another goroutine it is
 * fatal. Must not be caught by C++ `catch (...)` without rethrowing. */
GO_NORETURN GO_API void go_exit(void);

/* The number of this goroutine, as dumps show it; main is 1. Never reused. */
GO_API uint64_t go_id(void);

/* A name and labels for dumps and traces, of the calling goroutine. Copied; NULL removes. The first
 * 31 bytes of a name count. A label set again is replaced. */
GO_API void go_set_name(const char *name);
GO_API void go_set_label(const char *key, const char *value);

/* The number of processors that run goroutines at the same time (GOMAXPROCS): sets it when n >= 1,
 * returns the previous value. The default is what the environment variable GOMAXPROCS says, or the
 * CPUs this process may use, from affinity and cgroup quota. */
GO_API int go_maxprocs(int n);

/* Goroutines that exist now, the caller included. CPUs this process may use at the start. */
GO_API int go_count(void);
GO_API int go_ncpu(void);

/* Keeps the goroutine on its present thread, and other goroutines off it, until as many unlocks
 * have followed (runtime.LockOSThread). A goroutine that ends while it is locked gives the thread
 * back to the others (in Go the thread ends). */
GO_API void go_lock_thread(void);
GO_API void go_unlock_thread(void);

/* ---- panics --------------------------------------------------------------------------------- */

enum { GO_PANIC_MESSAGE_MAX = 255 };

/* What go_try caught. */
typedef struct go_panic_info {
    char message[GO_PANIC_MESSAGE_MAX + 1]; /* cut off at this length; go_panic_caught is not */
} go_panic_info;

/* Starts a panic with a formatted message: runs the deferred calls of this goroutine, the innermost
 * first, up to the enclosing go_try, or all of them, and then the process ends with Go's crash
 * output on standard error (`panic: message`, the goroutines) and exit status 2. The misuses that
 * panic in Go (send on a closed channel) panic in the same way. */
GO_NORETURN GO_API void go_panic(const char *format, ...) GO_PRINTF(1, 2);

/* go_try(out, fn, args...): calls fn(args...) here. true when it returned; false when it panicked,
 * and then its deferred calls have run and *out says why (out is a go_panic_info *, or NULL). The
 * result of fn is discarded. go_exit passes through. C++ exceptions pass through as well. */

/* The whole text of what this goroutine's go_try has caught last: also that of a group's member
 * with its trace. Valid until a go_try of the goroutine catches the next one, or the goroutine
 * ends. NULL when there is none, or when there was no memory for it. */
GO_API const char *go_panic_caught(void);

struct goi_try {
    struct goi_record record;
    go_panic_info *out;
    bool ok;
};
GO_API goi_fn goi_try_begin(struct goi_try *t, goi_fn fn, size_t stack_bytes, unsigned flags,
                            go_panic_info *out);
GO_API bool goi_try_end(struct goi_try *t);
GO_API bool goi_try_closure(go_panic_info *out, void (*run)(void *), void *closure);

/* ---- when a block ends ---------------------------------------------------------------------- */

/* go_defer(fn, args...);  calls fn(args...) at the end of the enclosing *block* (in Go: function),
 * in reverse order, whichever way it is left: the end, break, return, goto, go_exit, go_panic. The
 * arguments are evaluated now. Not on longjmp and exit().
 *
 * go_defer_block { ... };  the same with a block, which sees the variables as they are then. For
 * gcc, C++, and clang with -fdefer-ts. In C without -fexceptions it does not run on go_exit and
 * panics.
 *
 * go_blocking { ... }  a hint that this block will sit in the kernel: the processor is passed on at
 * once if others wait for it. Without it that is noticed after about a millisecond. Leave it by
 * its end, break or return. */

struct goi_deferred {
    struct goi_cleanup cleanup;
    struct goi_record record;
};
GO_API goi_fn goi_defer_begin(struct goi_deferred *d, goi_fn fn, size_t stack_bytes, unsigned flags,
                              void *frame);
GO_API void goi_defer_end(void *d);     /* runs it; also for what was never completed */

struct goi_guard {
    struct goi_cleanup cleanup;
    void *object;
};
GO_API void goi_guard_end(struct goi_guard *g);
/* The processor is for the others until the next call of the library. Always true. */
GO_API bool goi_blocking_begin(void);
/* Not zero: some goroutine has used up its time slice. For inline paths that do not call. */
GO_API extern go_word goi_nudge;

/* Puts c on the calling goroutine's list; takes it off again (false when it was not on it). */
GO_API void goi_cleanup_push(struct goi_cleanup *c, void (*run)(struct goi_cleanup *), void *frame);
GO_API bool goi_cleanup_pop(struct goi_cleanup *c);
/* Takes it off and runs it, at the end of its block (false when it was not on the list). */
GO_API bool goi_cleanup_end(struct goi_cleanup *c);

/* ---- calls kept for later -------------------------------------------------------------------- */

/* A recorded call on the heap, for go_after_func and go_ctx_after_func. begin sets *out when the
 * call has been recorded; closure returns where to construct a C++ closure. Fatal when out of
 * memory. run calls it here, any number of times; start calls it in a new goroutine, shown as made
 * where the call was recorded; free drops it (a goroutine under way keeps what it needs). */
struct goi_call;
GO_API goi_fn goi_call_begin(struct goi_call **out, goi_fn fn, size_t stack_bytes, unsigned flags,
                             const char *site);
GO_API void *goi_call_closure(struct goi_call **out, const struct goi_closure_ops *ops,
                              const char *site);
GO_API void goi_call_run(struct goi_call *c);
GO_API void goi_call_start(struct goi_call *c);
GO_API void goi_call_free(struct goi_call *c);

/* ---- goroutine-local values ----------------------------------------------------------------- */

/* static go_local(T) key;          a variable of which every goroutine has its own, zero at first
 * T *go_local_get(key)             this goroutine's; valid until the goroutine ends
 * (A thread-local variable would change under the goroutine's feet when it changes its thread.) */
GO_API void *goi_local_get(const void *key, size_t size);

GO_END_DECLS

#define go_local(T) __typeof__(__typeof__(T) *(*)(struct goi_record *))
#define GOI_LOCAL_T(key) __typeof__(*(key)((struct goi_record *)0))
#define go_local_get(key) ((GOI_LOCAL_T(key) *)goi_local_get(&(key), sizeof(GOI_LOCAL_T(key))))

#define go_blocking GOI_BLOCKING(__COUNTER__)
#define GOI_BLOCKING(N) \
    for (bool GOI_CAT(goi_once_, N) = goi_blocking_begin(); GOI_CAT(goi_once_, N); \
         GOI_CAT(goi_once_, N) = false)

#include <gort/detail/go_do.h>
#if defined(__cplusplus)
#include <gort/detail/go_cxx.h>
#else

#define GOI_HEAD_GO(X, fn, bytes, flags) goi_go_begin(fn, bytes, flags, GOI_SITE)
#define GOI_HEAD_DONE(X, fn, bytes, flags) \
    goi_go_begin_done(fn, bytes, flags, GOI_SITE, GOI_UNPAREN X)
#define GOI_HEAD_WITH(X, fn, bytes, flags) \
    goi_go_begin_with(fn, bytes, flags, GOI_SITE, GOI_UNPAREN X)
#define GOI_HEAD_TRY(X, fn, bytes, flags) GOI_HEAD_TRY_(fn, bytes, flags, GOI_UNPAREN X)
#define GOI_HEAD_TRY_(fn, bytes, flags, ...) GOI_HEAD_TRY__(fn, bytes, flags, __VA_ARGS__)
#define GOI_HEAD_TRY__(fn, bytes, flags, t, out) \
    goi_try_begin(t, fn, bytes, flags, out)
#define GOI_HEAD_DEFER(X, fn, bytes, flags) \
    goi_defer_begin(GOI_UNPAREN X, fn, bytes, flags, __builtin_frame_address(0))

#define GOI_HEAD_CALL(X, fn, bytes, flags) \
    goi_call_begin(GOI_UNPAREN X, fn, bytes, flags, GOI_SITE)

#define go_spawn(...) GOI_CALL(GOI_HEAD_GO, (), "go", __VA_ARGS__)

#define GO_OPTS(...) (&(const go_opts){ __VA_ARGS__ })
#define go_with(opts, ...) GOI_CALL(GOI_HEAD_WITH, (opts), "go", __VA_ARGS__)

#define go_try(out, ...) GOI_TRY(__COUNTER__, out, __VA_ARGS__)
#define GOI_TRY(N, out, ...) __extension__({ \
        struct goi_try GOI_CAT(goi_try_, N); \
        GOI_CALL(GOI_HEAD_TRY, (&GOI_CAT(goi_try_, N), out), "go_try", __VA_ARGS__); \
        goi_try_end(&GOI_CAT(goi_try_, N)); \
    })

#define go_defer(...) GOI_DEFER(__COUNTER__, __VA_ARGS__)
#define GOI_DEFER(N, ...) GOI_CAT(GOI_DEFER_, GOI_MANY(__VA_ARGS__))(N, __VA_ARGS__)
/* fn is evaluated before the slot exists, because it may panic. */
#define GOI_DEFER_0(N, fn) \
    GOI_FNP(fn) GOI_CAT(goi_fn_, N) = (fn); \
    GO_CLEANUP(goi_defer_end) struct goi_deferred GOI_CAT(goi_deferred_, N); \
    GOI_CALL(GOI_HEAD_DEFER, (&GOI_CAT(goi_deferred_, N)), "defer", GOI_CAT(goi_fn_, N))
#define GOI_DEFER_1(N, fn, ...) \
    GOI_FNP(fn) GOI_CAT(goi_fn_, N) = (fn); \
    __extension__ GO_CLEANUP(goi_defer_end) struct { \
        struct goi_deferred d; \
        unsigned char rest[GOI_REC_BYTES(fn, __VA_ARGS__) + \
                           (GOI_REC_FLAGS(fn, __VA_ARGS__) ? GOI_REC_VEC_BYTES : 0)]; \
    } GOI_CAT(goi_deferred_, N); \
    GOI_CALL(GOI_HEAD_DEFER, (&GOI_CAT(goi_deferred_, N).d), "defer", GOI_CAT(goi_fn_, N), \
             __VA_ARGS__)

/* style: preproc-place because each compiler offers another kind of block. */
#if defined(__STDC_DEFER_TS25755__)
#define go_defer_block _Defer
#elif !defined(__clang__)
#define go_defer_block GOI_DEFER_BLOCK(__COUNTER__)
#define GOI_DEFER_BLOCK(N) \
    __extension__ auto void GOI_CAT(goi_deferred_, N)(char *); \
    GO_CLEANUP(GOI_CAT(goi_deferred_, N)) char GOI_CAT(goi_defer_here_, N); \
    __extension__ void GOI_CAT(goi_deferred_, N)(char *goi_unused GO_UNUSED)
#endif

#endif /* C */
#endif
