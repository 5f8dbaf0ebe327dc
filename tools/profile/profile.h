/* SPDX-License-Identifier: MIT */
/* profile.h: the parts of gort-profile; why it is made so stands in main.c. */
#ifndef GORT_PROFILE_H
#define GORT_PROFILE_H
#include "top.h"
#include <time.h>

enum { FRAMES_MAX = 128, STACK_BYTES = 8 << 10 };

/* What the kernel says of one moment of a thread. */
struct sample {
    int tid;
    uint64_t time, sp;
    const char *stack;          /* what was in memory from sp on */
    size_t nstack;
    size_t n;
    uintptr_t pc[FRAMES_MAX];   /* the innermost first; callers' are of the call itself */
};

/* --- sample.c: the threads of a process, each with an event and a ring of its samples */

struct sampler;
struct sampler *sampler_new(int pid, int machine, int hertz);
/* Looks for new threads, and hands over what has been sampled. */
void sampler_poll(struct sampler *s, void (*take)(struct sample *one, void *arg), void *arg);
uint64_t sampler_lost(const struct sampler *s);

/* --- who.c: whose moment it was */

struct label { char *key, *value; };  /* both its own */

enum { LABELS_MAX = 24 };

struct who {
    uint64_t goroutine;         /* 0: a thread of the runtime, or unknown */
    size_t n;
    struct label label[LABELS_MAX];
    uintptr_t entry;            /* its function; 0: unknown, or main */
    const char *title;          /* its name, or that of its function, or of the thread */
};

/* Kept, and the same for the same; asks the process. */
const struct who *who_of(struct target *t, const struct sample *s);

/* --- collect.c: samples that are alike */

struct stack { const struct who *who; size_t n; const uintptr_t *pc; uint64_t count; };

struct profile {
    struct stack *stack;        /* a table by hash; n == 0: nothing there */
    size_t room, used;
    uint64_t samples;
    int hertz;
    struct timespec begin;
    double seconds;
};

void profile_add(struct profile *p, struct target *t, struct sample *s);

/* Both return false with errno. */
bool profile_write_pprof(const struct profile *p, struct target *t, const char *path);
bool profile_write_text(const struct profile *p, struct target *t, const char *path);

#endif
