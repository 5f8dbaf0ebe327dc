/* SPDX-License-Identifier: MIT */
/* Starting goroutines: every kind of argument arrives as a call would pass it, is evaluated once
 * and now, and nothing is left behind when the evaluation does not end. Compiled as C and as
 * C++. */
#include "harness.h"
#include <gort/short.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#define LITERAL(T, ...) (T{ __VA_ARGS__ })
#define NORETURN [[noreturn]]
#else
#define NORETURN _Noreturn
#define LITERAL(T, ...) ((struct T){ __VA_ARGS__ })
#endif

enum color { RED, GREEN };
struct small {
    int a, b;
};
struct floats {
    float x, y;
};
struct doubles {
    double x, y;
};
struct mixed {
    int i;
    double d;
};
struct big {
    long a[6];
    double d;
};

static go_waitgroup wg;
static int calls;

static void called(void)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

static void nothing(void) { called(); }

static double converts(long a, double d, const char *s)
{
    EXPECT_EQ_INT(a, -1);
    EXPECT(d == 2.0);
    EXPECT_EQ_STR(s, "hello");
    called();
    return d;
}

TEST(go, converts_arguments_by_the_prototype)
{
    char array[] = "hello";
    wg_go(&wg, converts, -1, 2, array);
    wg_go(&wg, converts, -1L, 2.0f, "hello");
    wg_go(&wg, nothing);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 3);
}

static void pointers(const char *p, long q, void *r, int *array, void (*f)(void))
{
    EXPECT(p == NULL);
    EXPECT_EQ_INT(q, -7);
    EXPECT(r == NULL);
    EXPECT_EQ_INT(array[2], 3);
    f();
}

TEST(go, null_literals_arrays_and_functions_become_pointers)
{
    int array[] = { 1, 2, 3 };
#ifdef __cplusplus
    wg_go(&wg, pointers, nullptr, -7, nullptr, array, nothing);
#else
    wg_go(&wg, pointers, 0, -7, NULL, array, nothing);
#endif
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}

static void small_types(enum color c, bool b, char ch, float x, short s, unsigned char u,
                        long double ld, unsigned long long ull)
{
    EXPECT_EQ_INT(c, GREEN);
    EXPECT(b);
    EXPECT_EQ_INT(ch, 'x');
    EXPECT(x == 1.5f);
    EXPECT_EQ_INT(s, -3);
    EXPECT_EQ_INT(u, 255);
    EXPECT(ld == 3);
    EXPECT_EQ_UINT(ull, 1ull << 63);
    called();
}

TEST(go, small_types_and_long_double)
{
    wg_go(&wg, small_types, GREEN, true, 'x', 1.5f, (short)-3, (unsigned char)255, 3, 1ull << 63);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}

/* An int for a parameter that lies on the stack or takes two registers: C cannot ask for it. */
static void widened(long double a, __int128 b, void *p, __int128 c, void *q, double d)
{
    EXPECT(a == 1 && b == -2 && c == 3 && d == 4);
    EXPECT_EQ_PTR(p, &wg);
    EXPECT_EQ_PTR(q, &calls);
    called();
}

TEST(go, integers_widened_to_long_double_and_int128)
{
    wg_go(&wg, widened, 1, -2, &wg, 3, &calls, 4);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}

static void structs(struct small s, struct floats f, struct doubles d, struct mixed m)
{
    EXPECT(s.a == 1 && s.b == 2);
    EXPECT(f.x == 1.5f && f.y == 2.5f);
    EXPECT(d.x == 3 && d.y == 4);
    EXPECT(m.i == 5 && m.d == 6.5);
    called();
}

TEST(go, structs_by_value)
{
    struct small s = { 1, 2 };
    struct floats f = { 1.5f, 2.5f };
    struct doubles d = { 3, 4 };
    struct mixed m = { 5, 6.5 };
    wg_go(&wg, structs, s, f, d, m);
    s.a = 9;
    wg_go(&wg, structs, LITERAL(small, 1, 2), f, d, m);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 2);
}

#if defined(__x86_64__) || defined(__cplusplus)
static void big_struct(int before, struct big b, int z)
{
    EXPECT_EQ_INT(before, 1);
    EXPECT(b.a[0] == 10 && b.a[5] == 15 && b.d == 1.5);
    EXPECT_EQ_INT(z, 42);
    called();
}

TEST(go, struct_larger_than_two_registers)
{
    struct big b = { { 10, 11, 12, 13, 14, 15 }, 1.5 };
    wg_go(&wg, big_struct, 1, b, 42);
    memset(&b, 0, sizeof b);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}
#endif

static void fifteen(int a, int b, int c, int d, int e, int f, int g, double h, int i, double j,
                    double k, double l, double m, double n, long o)
{
    EXPECT(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8);
    EXPECT(i == 9 && j == 10 && k == 11 && l == 12 && m == 13 && n == 14 && o == 15);
    called();
}

static void eight(int a, int b, int c, int d, int e, int f, int g, int h)
{
    EXPECT(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8);
    called();
}

static void ten_doubles(double a, double b, double c, double d, double e, double f, double g,
                        double h, double i, double j)
{
    EXPECT(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8);
    EXPECT(i == 9 && j == 10);
    called();
}

TEST(go, more_arguments_than_registers)
{
    wg_go(&wg, fifteen, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    wg_go(&wg, eight, 1, 2, 3, 4, 5, 6, 7, 8);
    wg_go(&wg, ten_doubles, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 3);
}

static void variadic(int n, ...)
{
    va_list args;
    va_start(args, n);
    for (int i = 0; i < n; i++) {
        EXPECT(va_arg(args, double) == i + 0.5);
    }
    EXPECT_EQ_STR(va_arg(args, const char *), "end");
    va_end(args);
    called();
}

TEST(go, variadic_function)
{
    wg_go(&wg, variadic, 3, 0.5, 1.5, 2.5, "end");
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}

static struct small returns_struct(int x)
{
    EXPECT_EQ_INT(x, 5);
    called();
    struct small s = { 1, 2 };
    return s;
}

__attribute__((warn_unused_result)) static int must_use(int x)
{
    called();
    return x;
}

TEST(go, results_are_discarded)
{
    wg_go(&wg, returns_struct, 5);
    wg_go(&wg, must_use, 5);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 2);
}

static int evaluations;
static int evaluated(void) { return ++evaluations; }

struct ops {
    void (*call)(int, struct small);
};

static void through_pointer(int x, struct small s)
{
    EXPECT_EQ_INT(x, 1);
    EXPECT_EQ_INT(s.b, 9);
    called();
}

static void (*choose(void))(int, struct small)
{
    evaluations += 10;
    return through_pointer;
}

TEST(go, function_pointers_and_arguments_are_evaluated_once)
{
    struct ops ops = { through_pointer };
    wg_go(&wg, ops.call, evaluated(), LITERAL(small, 7, 9));
    wg_wait(&wg);
    EXPECT_EQ_INT(evaluations, 1);
    evaluations = 0;
    wg_go(&wg, choose(), 1, LITERAL(small, 7, 9));
    wg_wait(&wg);
    EXPECT_EQ_INT(evaluations, 10);
    EXPECT_EQ_INT(calls, 2);
}

static void takes_int(int x)
{
    __atomic_fetch_add(&calls, x, __ATOMIC_RELAXED);
}

TEST(go, is_an_expression)
{
    volatile int yes = 1;
    go_waitgroup *w = &wg;
    /* style: braces because the macro must do without them. */
    if (yes)
        wg_go(w, takes_int, 1);
    else /* style: braces because the macro must do without them. */
        wg_go(w, takes_int, 100);
    for (int i = 0; i < 3; wg_go(w, takes_int, 10), i++) {
    }
    wg_wait(w);
    EXPECT_EQ_INT(calls, 31);
}

/* ---- arguments that are not simple to evaluate ---- */

static void send_to(send_chan(int) c, int v) { chan_send(c, v); }

static int starts_another(chan(int) c)
{
    go(send_to, c, 4);
    return 3;
}

TEST(go, arguments_may_start_goroutines_and_park)
{
    chan(int) c = chan_make(int);
    chan(int) d = chan_make(int);
    go(send_to, c, starts_another(c));
    EXPECT_EQ_INT(chan_recv(c) + chan_recv(c), 7);
    go(send_to, c, 1);
    go(send_to, d, chan_recv(c) + 1);
    EXPECT_EQ_INT(chan_recv(d), 2);
    chan_free(c);
    chan_free(d);
}

static int panics(void) { go_panic("no argument"); }

static void start_with_panic(void)
{
    wg_go(&wg, takes_int, panics());
}

TEST(go, panic_in_an_argument_leaves_nothing_behind)
{
    go_panic_info info;
    for (int i = 0; i < 100; i++) {
        EXPECT(!go_try(&info, start_with_panic));
        EXPECT_EQ_STR(info.message, "no argument");
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(go_count(), 1);
    wg_go(&wg, takes_int, 1);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 1);
}

/* ---- ways to end ---- */

static void exits(int x)
{
    takes_int(x);
    go_exit();
}

TEST(go, wait_group_hears_of_an_exit)
{
    wg_go(&wg, exits, 2);
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, 2);
}

NORETURN static void never_returns(chan(int) c)
{
    chan_send(c, 1);
    go_exit();
}

TEST(go, code_after_a_function_that_never_returns)
{
    chan(int) c = chan_make(int);
    go(never_returns, c);
    EXPECT_EQ_INT(chan_recv(c), 1);
    chan_free(c);
}

DEATH_TEXT(go, of_null_is_fatal, 2, "fatal error: go of nil func value\n")
{
    void (*volatile f)(void) = NULL;
    go(f);
    go_yield();
}

/* ---- options ---- */

static void deep(size_t bytes)
{
    char page[4096];
    memset(page, 1, sizeof page);
    __asm__ volatile("" : : "r"(page) : "memory");
    if (bytes > sizeof page) {
        deep(bytes - sizeof page);
    }
    __asm__ volatile("" : : "r"(page) : "memory");
}

static void goes_deep(size_t bytes, chan(int) done)
{
    deep(bytes);
    chan_send(done, 1);
}

TEST(go, with_a_stack_of_its_own_size)
{
    chan(int) done = chan_make(int);
    go_with(GO_OPTS(.name = "deep", .stack = 8 * GO_MIB), goes_deep, 6 * GO_MIB, done);
    EXPECT_EQ_INT(chan_recv(done), 1);
    go_with(GO_OPTS(.name = "plain"), goes_deep, 4 * GO_KIB, done);
    EXPECT_EQ_INT(chan_recv(done), 1);
    chan_free(done);
}

static void say_id(send_chan(uint64_t) c) { chan_send(c, go_id()); }

TEST(go, ids_differ)
{
    chan(uint64_t) c = chan_make(uint64_t);
    EXPECT_EQ_UINT(go_id(), 1);
    go(say_id, c);
    go(say_id, c);
    uint64_t a = chan_recv(c);
    uint64_t b = chan_recv(c);
    EXPECT(a != b && a != 1 && b != 1);
    chan_free(c);
}

static go_local(int) depth;
static go_local(struct big) scratch;

static void own_values(int v, chan(int) c)
{
    EXPECT_EQ_INT(*go_local_get(depth), 0);
    *go_local_get(depth) = v;
    go_local_get(scratch)->a[5] = v;
    chan_send(c, 0);
    EXPECT_EQ_INT(*go_local_get(depth), v);
    EXPECT_EQ_INT(go_local_get(scratch)->a[5], v);
    chan_send(c, 0);
}

TEST(go, local_values_belong_to_one_goroutine)
{
    chan(int) c = chan_make(int);
    go(own_values, 1, c);
    go(own_values, 2, c);
    *go_local_get(depth) = 3;
    for (int i = 0; i < 4; i++) {
        chan_recv(c);
    }
    EXPECT_EQ_INT(*go_local_get(depth), 3);
    chan_free(c);
}

TEST(go, many_at_once)
{
    enum { N = 10000 };
    for (int i = 0; i < N; i++) {
        wg_go(&wg, takes_int, i % 3);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(calls, N / 3 * 3);
}

TEST(go, blocking_block_is_an_ordinary_block)
{
    int n = 0;
    for (int i = 0; i < 3; i++) {
        go_blocking {
            n++;
            if (i == 1) {
                break;
            }
            n += 10;
        }
    }
    EXPECT_EQ_INT(n, 23);
}
