/* SPDX-License-Identifier: MIT */
/* show.c: one picture. Lines are cut at the screen's edge; without a screen they are whole. */
#include "top.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 512 };

struct screen { FILE *to; int lines, columns; };

__attribute__((format(printf, 2, 3))) static void line(struct screen *s, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list ap;
    if (s->lines == 0) {
        return;
    }
    s->lines -= s->lines > 0;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    int n = s->columns > 0 ? s->columns : LINE_MAX_BYTES;
    fprintf(s->to, "%.*s%s\n", n, text, s->columns > 0 ? "\033[K" : "");
}

/* The interval, in seconds. */
static double seconds(const struct snapshot *now, const struct snapshot *before)
{
    int64_t ns = now->now - before->now;
    return ns > 0 ? (double)ns * 1e-9 : 1;
}

static double rate(uint64_t now, uint64_t before, double interval)
{
    return now > before ? (double)(now - before) / interval : 0;
}

static uint32_t picks_since(const struct proc *p, const struct snapshot *before)
{
    for (size_t i = 0; i < before->nproc; i++) {
        if (before->proc[i].id == p->id) {
            return p->picks - before->proc[i].picks; /* it wraps */
        }
    }
    return 0;
}

static const char *short_time(uint64_t ns, char text[32])
{
    static const struct { uint64_t ns; const char *unit; } units[] = {
        {1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    size_t i = 0;
    while (ns < units[i].ns && i + 1 < goi_countof(units)) {
        i++;
    }
    snprintf(text, 32, "%.3g %s", (double)ns / (double)units[i].ns, units[i].unit);
    return text;
}

static uint64_t waits(const struct snapshot *now, const struct snapshot *before)
{
    uint64_t all = 0;
    for (size_t i = 0; i < goi_countof(now->latency); i++) {
        all += now->latency[i] - before->latency[i];
    }
    return all;
}

/* The bound below which `part` of those since `before` lie. */
static const char *quantile(const struct snapshot *now, const struct snapshot *before, double part,
                            char text[32])
{
    uint64_t all = waits(now, before);
    uint64_t sum = 0;
    size_t i = 0;
    if (all == 0) {
        return "-";
    }
    for (; i < GOI_LATENCY_BOUNDS; i++) {
        sum += now->latency[i] - before->latency[i];
        if ((double)sum >= part * (double)all) {
            break;
        }
    }
    return short_time((uint64_t)GOI_LATENCY_FIRST_NS << i, text);
}

static void show_head(struct screen *s, const struct target *t, const struct snapshot *now,
                      const struct snapshot *before)
{
    static const struct snapshot nothing;
    const struct snapshot *since = waits(now, before) > 0 ? before : &nothing;
    double dt = seconds(now, before);
    char half[32];
    char most[32];
    uint64_t switches = 0;
    uint64_t live = now->states[GOI_G_RUNNING] + now->states[GOI_G_RUNNABLE] +
                    now->states[GOI_G_WAITING];
    for (size_t i = 0; i < now->nproc; i++) {
        switches += picks_since(&now->proc[i], before);
    }
    line(s, "gort top: process %d (%s): GOMAXPROCS %d, %d idle; threads %d, %d asleep, "
            "%d searching; %d of the program", t->pid, t->name, now->procs, now->idle_procs,
         now->threads, now->idle_threads, now->searching, now->foreign);
    line(s, "goroutines %" PRIu64 ": %" PRIu64 " running, %" PRIu64 " runnable, %" PRIu64
            " waiting, %u of them for descriptors; %" PRIu64 " without a P; %.0f/s started, "
            "%.0f/s ended",
         live, now->states[GOI_G_RUNNING], now->states[GOI_G_RUNNABLE],
         now->states[GOI_G_WAITING], now->io_waiters, now->not_in_go,
         rate(now->started, before->started, dt), rate(now->ended, before->ended, dt));
    line(s, "%.0f/s switches, %.0f/s parks, %.0f/s steals, %.0f/s hand-offs, %.0f/s wakes, "
            "%.0f/s polls, %.0f/s ready", (double)switches / dt,
         rate(now->parks, before->parks, dt), rate(now->steals, before->steals, dt),
         rate(now->handoffs, before->handoffs, dt), rate(now->wakes, before->wakes, dt),
         rate(now->io_polls, before->io_polls, dt), rate(now->io_ready, before->io_ready, dt));
    line(s, "runnable to running%s: half within %s, 99 %% within %s; waiting for mutexes %.3f s/s",
         since == before ? "" : ", since the start", quantile(now, since, 0.5, half),
         quantile(now, since, 0.99, most),
         rate(now->mutex_ns, before->mutex_ns, dt) * 1e-9);
}

static void show_procs(struct screen *s, struct target *t, const struct snapshot *now,
                       const struct snapshot *before, size_t most)
{
    double dt = seconds(now, before);
    line(s, "%s", "");
    line(s, "%4s %8s %7s %11s  %s", "P", "THREAD", "QUEUE", "SWITCHES/s", "RUNS");
    for (size_t i = 0; i < now->nproc && i < most; i++) {
        const struct proc *p = &now->proc[i];
        char runs[256];
        char tid[16] = "-";
        if (p->g != 0) {
            snprintf(runs, sizeof runs, "goroutine %" PRIu64 " %s", p->g,
                     p->entry != 0 ? symbol_of(t, p->entry).name : "main");
        } else {
            snprintf(runs, sizeof runs, "%s", p->held ? "the scheduler" : "idle");
        }
        if (p->tid != 0) {
            snprintf(tid, sizeof tid, "%d", p->tid);
        }
        line(s, "%4d %8s %7u %11.0f  %s", p->id, tid, p->queue,
             (double)picks_since(p, before) / dt, runs);
    }
    if (now->nproc > most) {
        line(s, "     ... and %zu more", now->nproc - most);
    }
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void show_groups(struct screen *s, struct target *t, const struct snapshot *now)
{
    line(s, "%s", "");
    line(s, "%8s  %-24s %-24s %s", "COUNT", "STATE", "IN", "STARTED AS");
    for (size_t i = 0; i < now->groups && s->lines != 0; i++) {
        const struct group *g = &now->group[i];
        if (s->lines == 1 && i + 1 < now->groups) {
            line(s, "%8s  and %zu kinds more", "...", now->groups - i);
            return;
        }
        line(s, "%8" PRIu64 "  %-24s %-24s %s%s%s", g->count, snapshot_state(t, g),
             g->where != NULL ? g->where : "-", g->entry, g->site != 0 ? " at " : "",
             g->site != 0 ? base_of(snapshot_text(t, g->site)) : "");
    }
    if (now->left_out > 0) {
        line(s, "%8s  %" PRIu64 " goroutines were looked at; each counts for its neighbours",
             "...", now->looked_at);
    }
}

void show(FILE *to, struct target *t, const struct snapshot *now, const struct snapshot *before,
          int lines, int columns)
{
    struct screen s = {.to = to, .lines = lines > 0 ? lines : -1, .columns = columns};
    show_head(&s, t, now, before);
    show_procs(&s, t, now, before, columns > 0 ? 16 : GOI_MAXPROCS_MAX);
    show_groups(&s, t, now);
}
