/* SPDX-License-Identifier: MIT */
/* watch.c: counts what ThreadSanitizer reports. Not instrumented itself, so nothing here orders
 * anything, and nothing is seen. */
#include "races.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20 };

static int reports, strange, step;

const char *__tsan_default_options(void);
void __tsan_on_report(void *report);
extern int __tsan_get_report_data(void *report, const char **description, int *count,
                                  int *stack_count, int *mop_count, int *loc_count,
                                  int *mutex_count, int *thread_count, int *unique_tid_count,
                                  void **sleep_trace, unsigned long trace_size);

/* Reports are counted, not waited for; each counts; names are looked up only where they are read. */
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
    if (__tsan_get_report_data(report, &what, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6],
                               sleep, 1) == 0 || strcmp(what, "data-race") != 0) {
        __atomic_fetch_add(&strange, 1, __ATOMIC_RELAXED);
        fprintf(stderr, "not a data race: %s\n", what);
    }
    __atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
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

void races_check(void (*kernel)(struct vars *v), bool races)
{
    const char *procs = getenv("GOMAXPROCS");
    int rounds = races && procs != NULL && strcmp(procs, "1") != 0 ? ROUNDS : 1;
    for (int i = 0; i < rounds && __atomic_load_n(&reports, __ATOMIC_RELAXED) == 0; i++) {
        struct vars *v = calloc(1, sizeof *v); /* stays: what is freed may be forgotten */
        REQUIRE(v != NULL);
        reach(0);
        kernel(v);
        await_count(1);
    }
    int n = __atomic_load_n(&reports, __ATOMIC_RELAXED);
    if (races) {
        EXPECT_INT(n, >, 0);
    } else {
        EXPECT_EQ_INT(n, 0);
    }
    EXPECT_EQ_INT(strange, 0);
}
