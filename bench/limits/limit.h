/* SPDX-License-Identifier: MIT */
#ifndef GORT_BENCH_LIMIT_H
#define GORT_BENCH_LIMIT_H

/* Serves until killed; returns only when it cannot start. */
int serve_echo(void);

#endif
