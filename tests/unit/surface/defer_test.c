/* SPDX-License-Identifier: MIT */
/* What happens at the end of a block: order, early evaluation, every way of leaving, guards.
 * Compiled as C and as C++. */
#include "harness.h"
#include <gort/short.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char log_text[256];

static void note(char c, double d)
{
    size_t n = strlen(log_text);
    log_text[n] = c;
    log_text[n + 1] = (char)('0' + (int)d);
    log_text[n + 2] = '\0';
}

static void mark(const char *s) { strcat(log_text, s); }

static int leaves(int how)
{
    int i = 1;
    defer(note, 'a', i);
    i = 2;
    defer(note, 'b', i); defer(note, 'c', 3); /* two on one line */
    for (int k = 0; k < 3; k++) {
        defer(note, 'l', k);
        if (k == 1) {
            continue;
        }
        if (k == 2) {
            break;
        }
    }
    char *p = (char *)malloc(10);
    defer(free, p);
    if (how == 1) {
        return 1;
    }
    {
        defer(mark, "(inner)");
        if (how == 2) {
            goto end;
        }
    }
    note('x', i);
end:
    return 0;
}

TEST(defer, runs_in_reverse_however_the_block_is_left)
{
    leaves(0);
    EXPECT_EQ_STR(log_text, "l0l1l2(inner)x2c3b2a1");
    log_text[0] = '\0';
    leaves(1);
    EXPECT_EQ_STR(log_text, "l0l1l2c3b2a1");
    log_text[0] = '\0';
    leaves(2);
    EXPECT_EQ_STR(log_text, "l0l1l2(inner)c3b2a1");
}

struct pair {
    long a, b;
};
struct triple {
    long a, b, c;
};

static void seven(int a, int b, int c, int d, int e, int f, int g, double h)
{
    EXPECT(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8.5);
    mark("seven");
}
static void values(struct pair p, long double d, float f, const char *s)
{
    EXPECT(p.a == 1 && p.b == 2 && d == 3 && f == 4.5f);
    EXPECT_EQ_STR(s, "s");
    mark("values");
}
#if defined(__x86_64__) || defined(__cplusplus)
static void large(struct triple t)
{
    EXPECT(t.a == 1 && t.b == 2 && t.c == 3);
    mark("large");
}
#endif

TEST(defer, takes_any_arguments)
{
    struct pair p = { 1, 2 };
    struct triple t = { 1, 2, 3 };
    {
        defer(seven, 1, 2, 3, 4, 5, 6, 7, 8.5);
        defer(values, p, 3, 4.5f, "s");
#if defined(__x86_64__) || defined(__cplusplus)
        defer(large, t);
#else
        mark("large");
#endif
        memset(&p, 0, sizeof p);
        memset(&t, 0, sizeof t);
    }
    EXPECT_EQ_STR(log_text, "largevaluesseven");
}

static int evaluations;
static int evaluated(void) { return ++evaluations; }
static void is_one(int n) { EXPECT_EQ_INT(n, 1); }

TEST(defer, evaluates_its_arguments_once_and_now)
{
    {
        defer(is_one, evaluated());
        EXPECT_EQ_INT(evaluations, 1);
        evaluations = 5;
    }
    EXPECT_EQ_INT(evaluations, 5);
}

#ifdef go_defer_block
static int block_sees(void)
{
    int i = 1;
    go_defer_block
    {
        note('d', i);
    };
    go_defer_block
    {
        i += 2;
    };
    i = 5;
    return i;
}

TEST(defer, block_sees_the_variables_at_the_end)
{
    EXPECT_EQ_INT(block_sees(), 5);
    EXPECT_EQ_STR(log_text, "d7");
}
#endif

static int deferred_in_deferred(void)
{
    defer(mark, "2");
    return 0;
}

static void nested(void)
{
    defer(mark, "3");
    deferred_in_deferred();
    mark("-");
}

TEST(defer, deferred_call_may_defer)
{
    {
        defer(mark, "!");
        defer(nested);
        mark("1");
    }
    EXPECT_EQ_STR(log_text, "12-3!");
}

/* ---- guards ---- */

static go_mutex mu;
static int n;

static int guarded(int early)
{
    guard(&mu);
    if (early) {
        return n++;
    }
    n += 10;
    return n;
}

static int in_block(void)
{
    with_lock(&mu) {
        if (n > 5) {
            return n;
        }
        n = 6;
    }
    return -1;
}

static bool is_free(void)
{
    if (!mutex_trylock(&mu)) {
        return false;
    }
    mutex_unlock(&mu);
    return true;
}

TEST(defer, guards_unlock_however_the_block_is_left)
{
    EXPECT_EQ_INT(guarded(1), 0);
    EXPECT(is_free());
    EXPECT_EQ_INT(guarded(0), 11);
    EXPECT(is_free());
    EXPECT_EQ_INT(in_block(), 11);
    EXPECT(is_free());
    n = 0;
    EXPECT_EQ_INT(in_block(), -1);
    EXPECT(is_free());
    for (int i = 0; i < 3; i++) {
        with_lock(&mu) {
            if (i == 0) {
                continue;
            }
            EXPECT(!is_free());
            break;
        }
        EXPECT(is_free());
        n++;
    }
    EXPECT_EQ_INT(n, 9);
}

static go_mutex second;

TEST(defer, two_guards_in_one_block)
{
    {
        guard(&mu); guard(&second);
        EXPECT(!is_free());
        EXPECT(!mutex_trylock(&second));
    }
    EXPECT(is_free());
    EXPECT(mutex_trylock(&second));
    mutex_unlock(&second);
}

static void adds(int by)
{
    for (int i = 0; i < 1000; i++) {
        with_lock(&mu) {
            n += by;
        }
    }
}

TEST(defer, with_lock_excludes_the_others)
{
    go_waitgroup wg = { 0, 0 };
    for (int i = 0; i < 8; i++) {
        wg_go(&wg, adds, 2);
    }
    wg_wait(&wg);
    EXPECT_EQ_INT(n, 16000);
}
