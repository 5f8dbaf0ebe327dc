/* SPDX-License-Identifier: MIT */
/* Anonymous goroutines: captures by value, by name, of every kind. Compiled as C (clang with
 * -fblocks) and as C++. */
#include "harness.h"
#include <gort/short.h>
#include <stdlib.h>

struct point {
    int x, y;
    double w;
};

TEST(go_do, captures_are_private_copies)
{
    chan(int) c = chan_make(int, 100);
    for (int i = 0; i < 10; i++) {
        double f = i * 0.5;
        go_do(i, f, c) {
            i += 100;
            if (f < 0) {
                return;
            }
            chan_send(c, i + (int)(2 * f));
        };
        go_do(c) {
            chan_send(c, 1);
        };
    }
    int s = 0;
    for (int i = 0; i < 20; i++) {
        s += chan_recv(c);
    }
    EXPECT_EQ_INT(s, 1000 + 45 + 45 + 10);
    chan_free(c);
}

static int recursive(int n)
{
    if (n == 0) {
        return 0;
    }
    chan(int) r = chan_make(int, 1);
    go_do(n, r) {
        chan_send(r, recursive(n - 1) + n);
    };
    int v = chan_recv(r);
    chan_free(r);
    return v;
}

TEST(go_do, may_start_itself)
{
    EXPECT_EQ_INT(recursive(20), 210);
}

static go_waitgroup wg;
static int global;

TEST(go_do, structs_constants_strings_and_globals)
{
    struct point p = { 1, 2, 3.5 };
    struct point *q = &p;
    const int k = 4;
    char text[] = "xy";
    char *s = text;
    wg_add(&wg, 1);
    go_do(q, k, s) {
        global = q->x + q->y + (int)q->w + k + (s[1] - s[0]);
        wg_done(&wg);
    };
    wg_wait(&wg);
    EXPECT_EQ_INT(global, 1 + 2 + 3 + 4 + 1);
    (void)k;
}

#if defined(__x86_64__) || defined(__cplusplus)
TEST(go_do, struct_by_value)
{
    struct point p = { 1, 2, 3.5 };
    wg_add(&wg, 1);
    go_do(p) {
        p.x++;
        global = p.x + p.y + (int)p.w;
        wg_done(&wg);
    };
    wg_wait(&wg);
    EXPECT_EQ_INT(global, 7);
    EXPECT_EQ_INT(p.x, 1);
}
#endif

static void adds(int n)
{
    __atomic_fetch_add(&global, n, __ATOMIC_RELAXED);
    wg_done(&wg);
}

TEST(go_do, two_on_one_line)
{
    int i = 1;
    wg_add(&wg, 2);
    go_do(i) { adds(i); }; go_do(i) { adds(i); };
    wg_wait(&wg);
    EXPECT_EQ_INT(global, 2);
}

TEST(go_do, body_may_defer_and_exit)
{
    int i = 2;
    wg_add(&wg, 1);
    go_do(i) {
        defer(go_wg_done, &wg);
        if (i == 2) {
            go_exit();
        }
    };
    wg_wait(&wg);
}

static go_waitgroup bare_wg;
static go_mutex bare_mu;
static int bare;

TEST(go_do, may_capture_nothing)
{
    for (int i = 0; i < 10; i++) {
        wg_add(&bare_wg, 2);
        go_do() { mutex_lock(&bare_mu); bare++; mutex_unlock(&bare_mu); wg_done(&bare_wg); };
        go_do() {
            go_yield();
            wg_done(&bare_wg);
        };
    }
    wg_wait(&bare_wg);
    EXPECT_EQ_INT(bare, 10);
}
