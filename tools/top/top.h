/* SPDX-License-Identifier: MIT */
/* top.h: the parts of gort-top. What it reads, and why in this way: src/debug/top.h. */
#ifndef GORT_TOP_H
#define GORT_TOP_H
#include "debug/top.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

/* Exit statuses. */
enum { TOP_FAILED = 1, TOP_USAGE = 2 };

/* "gort top" and its text of help: each program that looks in has its own. */
extern const char top_command[], top_usage_text[];
_Noreturn void top_die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- args.c */

_Noreturn void top_usage(const char *why, const char *what);
/* Or it ends with top_usage(what, text): not a number, or outside of its limits. */
double top_number(const char *text, double least, double most, const char *what);

/* --- target.c: the process */

struct mapping {
    uintptr_t lo, hi, offset;
    bool writable, from_file;
    char *path;
};

struct target {
    int pid;
    char name[32];
    struct mapping *map;
    size_t maps;
    uintptr_t top;              /* its goi_top */
    struct goi_top at;          /* a copy of it */
    int machine;                /* e_machine of its executable */
};

/* Finds libgort in the process, or dies saying why not. */
void target_open(struct target *t, int pid);
/* The same for a process that has only begun: false while it has not called libgort. */
bool target_try(struct target *t, int pid);
/* False: it is not there (any more). */
bool target_read(const struct target *t, uintptr_t at, void *to, size_t n);
/* Reads piece i of `remote` to piece i of `local`; a piece that cannot be read has its iov_len in
 * `local` set to 0. */
void target_read_all(const struct target *t, struct iovec *local, const struct iovec *remote,
                     size_t n);
bool target_lives(const struct target *t);
void target_read_maps(struct target *t);

/* --- symbol.c: functions of the process */

/* A function by its name, or "file+0x12" without one, which lives as long as this program. */
struct function { const char *name; bool library; };
struct function symbol_of(struct target *t, uintptr_t pc);

/* --- snapshot.c: what is read at one time */

enum { GROUPS_MAX = 4096, PROCS_SHOWN = 64 };

struct group {                  /* goroutines that are alike */
    uint32_t state, reason;
    const char *where;          /* function that called the library; NULL: unknown */
    const char *entry;          /* function of the go statement */
    uintptr_t site;             /* text "file:line" in the process */
    uint64_t count;
};

struct proc {
    int id, tid;
    bool held, idle;
    uint64_t g;                 /* goroutine on it; 0: none */
    uintptr_t entry;
    uint32_t queue, picks;
};

struct snapshot {
    int64_t now;
    int procs, idle_procs, threads, idle_threads, searching, foreign;
    uint64_t started, ended, states[GOI_G_STATES], not_in_go, looked_at, left_out;
    uint64_t picks, steals, handoffs, wakes, io_polls, io_ready, parks, mutex_ns;
    uint64_t latency[GOI_LATENCY_BOUNDS + 1];
    uint32_t io_waiters;
    struct proc proc[PROCS_SHOWN];
    size_t nproc;
    struct group *group;
    size_t groups;
};

/* False: the process has gone. `s` is reused. */
bool snapshot_take(struct target *t, struct snapshot *s);
/* The text of a state or a reason. */
const char *snapshot_state(struct target *t, const struct group *g);
/* A text in the process, kept; "?" for none. */
const char *snapshot_text(struct target *t, uintptr_t at);

/* --- show.c */
void show(FILE *to, struct target *t, const struct snapshot *now, const struct snapshot *before,
          int lines, int columns);

#endif
