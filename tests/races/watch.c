/* SPDX-License-Identifier: MIT */
/* watch.c: counts what ThreadSanitizer reports. Not instrumented itself, so nothing here orders
 * anything, and nothing is seen. */
#include "races.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20, ROUNDS_ALONE = 3 };

static int reports, elsewhere, strange, step;
static struct vars *watched;

const char *__tsan_default_options(void);
void __tsan_on_report(void *report);
extern int __tsan_get_report_data(void *report, const char **description, int *count,
                                  int *stack_count, int *mop_count, int *loc_count,
                                  int *mutex_count, int *thread_count, int *unique_tid_count,
                                  void **sleep_trace, unsigned long trace_size);

extern int __tsan_get_report_mop(void *report, unsigned long i, int *tid, void **addr, int *size,
                                 int *write, int *atomic, void **trace, unsigned long trace_size);

/* Each report counts; names are looked up only where they are read. */
const char *__tsan_default_options(void)
{
    return "exitcode=0:atexit_sleep_ms=0:symbolize=0:report_thread_leaks=0:"
           "suppress_equal_stacks=0:suppress_equal_addresses=0";
}

void __tsan_on_report(void *report)
{
    const char *what = "";
    int n[8];
    void *sleep[1];
    void *at = NULL;
    if (__tsan_get_report_data(report, &what, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6],
                               sleep, 1) == 0 || strcmp(what, "data-race") != 0) {
        __atomic_fetch_add(&strange, 1, __ATOMIC_RELAXED);
        fprintf(stderr, "not a data race: %s\n", what);
    }
    (void)__tsan_get_report_mop(report, 0, &n[0], &at, &n[1], &n[2], &n[3], sleep, 1);
    bool inside = (uintptr_t)at - (uintptr_t)watched < sizeof *watched;
    __atomic_fetch_add(inside ? &reports : &elsewhere, 1, __ATOMIC_RELAXED);
}

void reach(int n) { __atomic_store_n(&step, n, __ATOMIC_RELEASE); }
void pass(void) { __atomic_fetch_add(&step, 1, __ATOMIC_ACQ_REL); }

void await(int n)
{
    while (__atomic_load_n(&step, __ATOMIC_ACQUIRE) < n) {
        go_yield();
    }
}

void await_count(int n)
{
    while (go_count() != n) {
        go_yield();
    }
}

void races_check(void (*kernel)(struct vars *v), enum races_where where)
{
    const char *procs = getenv("GOMAXPROCS");
    const int *wanted = where == RACES_ELSEWHERE ? &elsewhere : &reports;
    bool one = procs != NULL && strcmp(procs, "1") == 0;
    int rounds = where == RACES_NOWHERE ? 1 : one ? ROUNDS_ALONE : ROUNDS;
    for (int i = 0; i < rounds && __atomic_load_n(wanted, __ATOMIC_RELAXED) == 0; i++) {
        struct vars *v = calloc(1, sizeof *v); /* stays: what is freed may be forgotten */
        REQUIRE(v != NULL);
        watched = v;
        reach(0);
        kernel(v);
        await_count(1);
    }
    int n = __atomic_load_n(wanted, __ATOMIC_RELAXED);
    if (where == RACES_NOWHERE) {
        EXPECT_EQ_INT(n, 0);
    } else {
        EXPECT_INT(n, >, 0);
    }
    if (where == RACES_IN_VARS || where == RACES_NOWHERE) {
        EXPECT_EQ_INT(__atomic_load_n(&elsewhere, __ATOMIC_RELAXED), 0);
    }
    EXPECT_EQ_INT(strange, 0);
}
