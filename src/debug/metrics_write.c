/* SPDX-License-Identifier: MIT */
/* metrics_write.c: the figures of metrics.c as text.
 *
 * In Prometheus' text format a name is made of Go's as its client for Go makes it: "/sched/
 * goroutines/not-in-go:goroutines" becomes go_sched_goroutines_not_in_go_goroutines, counters end
 * with _total, and what begins with /gort/ does not begin with go_. In JSON the names are Go's.
 *
 * The text is made in memory first, so that what is read slowly is still one reading. Numbers with
 * a fraction are printed as seconds and nanoseconds: printf would use the locale's comma.
 */
#include "debug/metrics.h"
#include "sched/sched.h"
#include <errno.h>
#include <gort/debug.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t *values_of(const struct goi_metrics *from, const struct goi_metric *m)
{
    return (const uint64_t *)(const void *)((const char *)from + m->offset);
}

static const struct goi_latency *latency_of(const struct goi_metrics *from,
                                            const struct goi_metric *m)
{
    return (const struct goi_latency *)(const void *)((const char *)from + m->offset);
}

static void print_seconds(FILE *f, uint64_t ns)
{
    fprintf(f, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
}

static uint64_t bound(size_t i) { return (uint64_t)GOI_LATENCY_FIRST_NS << i; }

/* --- Prometheus */

enum { NAME_ROOM = 96 };

static void prometheus_name(char out[NAME_ROOM], const struct goi_metric *m)
{
    static const char ours[] = "/gort/";
    bool is_ours = strncmp(m->name, ours, sizeof ours - 1) == 0;
    bool counts = m->kind == GOI_COUNTER || m->kind == GOI_SECONDS || m->kind == GOI_REASONS;
    (void)snprintf(out, NAME_ROOM, "%s%s_%s%s", is_ours ? "" : "go",
                   is_ours ? m->name + 1 : m->name, m->unit, counts ? "_total" : "");
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '/' || *c == '-' ? '_' : *c;
    }
}

static void prometheus_latency(FILE *f, const char *name, const struct goi_latency *l)
{
    uint64_t n = 0;
    for (size_t i = 0; i < GOI_LATENCY_BOUNDS; i++) {
        n += l->count[i];
        fprintf(f, "%s_bucket{le=\"", name);
        print_seconds(f, bound(i));
        fprintf(f, "\"} %" PRIu64 "\n", n);
    }
    n += l->count[GOI_LATENCY_BOUNDS];
    fprintf(f, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, n, name);
    print_seconds(f, l->ns);
    fprintf(f, "\n%s_count %" PRIu64 "\n", name, n);
}

static void prometheus_metric(FILE *f, const struct goi_metric *m, const struct goi_metrics *from)
{
    static const char *const types[] = {
        [GOI_GAUGE] = "gauge",
        [GOI_COUNTER] = "counter",
        [GOI_SECONDS] = "counter",
        [GOI_REASONS] = "counter",
        [GOI_LATENCY] = "histogram"};
    const uint64_t *x = values_of(from, m);
    char name[NAME_ROOM];
    prometheus_name(name, m);
    fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, m->text, name, types[m->kind]);
    switch (m->kind) {
    case GOI_GAUGE:
    case GOI_COUNTER:
        fprintf(f, "%s %" PRIu64 "\n", name, *x);
        break;
    case GOI_SECONDS:
        fprintf(f, "%s ", name);
        print_seconds(f, *x);
        fprintf(f, "\n");
        break;
    case GOI_REASONS:
        for (int r = 0; r < GOI_WAIT_REASONS; r++) {
            fprintf(f, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
                    goi_reason_name((enum wait_reason)r), x[r]);
        }
        break;
    case GOI_LATENCY:
        prometheus_latency(f, name, latency_of(from, m));
        break;
    }
}

static void prometheus(FILE *f, const struct goi_metrics *from)
{
    for (size_t i = 0; i < goi_metric_count; i++) {
        prometheus_metric(f, &goi_metric_table[i], from);
    }
}

/* --- JSON */

static void json_latency(FILE *f, const struct goi_latency *l)
{
    fprintf(f, "{\"bounds\": [");
    for (size_t i = 0; i < GOI_LATENCY_BOUNDS; i++) {
        fprintf(f, "%s", i > 0 ? ", " : "");
        print_seconds(f, bound(i));
    }
    fprintf(f, "], \"counts\": [");
    for (size_t i = 0; i <= GOI_LATENCY_BOUNDS; i++) {
        fprintf(f, "%s%" PRIu64, i > 0 ? ", " : "", l->count[i]);
    }
    fprintf(f, "], \"sum\": ");
    print_seconds(f, l->ns);
    fprintf(f, "}");
}

static void json_metric(FILE *f, const struct goi_metric *m, const struct goi_metrics *from)
{
    const uint64_t *x = values_of(from, m);
    fprintf(f, "  \"%s:%s\": ", m->name, m->unit);
    switch (m->kind) {
    case GOI_GAUGE:
    case GOI_COUNTER:
        fprintf(f, "%" PRIu64, *x);
        break;
    case GOI_SECONDS:
        print_seconds(f, *x);
        break;
    case GOI_REASONS:
        for (int r = 0; r < GOI_WAIT_REASONS; r++) {
            fprintf(f, "%s\"%s\": %" PRIu64, r > 0 ? ", " : "{",
                    goi_reason_name((enum wait_reason)r), x[r]);
        }
        fprintf(f, "}");
        break;
    case GOI_LATENCY:
        json_latency(f, latency_of(from, m));
        break;
    }
}

static void json(FILE *f, const struct goi_metrics *from)
{
    fprintf(f, "{\n");
    for (size_t i = 0; i < goi_metric_count; i++) {
        json_metric(f, &goi_metric_table[i], from);
        fprintf(f, i + 1 < goi_metric_count ? ",\n" : "\n");
    }
    fprintf(f, "}\n");
}

/* --- to the descriptor */

static int write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

int go_metrics_write(int fd, enum go_metrics_format format)
{
    struct goi_metrics now;
    char *text = NULL;
    size_t n = 0;
    if (format != GO_METRICS_PROMETHEUS && format != GO_METRICS_JSON) {
        return -EINVAL;
    }
    struct m *m = goi_enter();
    goi_metrics_read(&now);
    goi_leave(m);
    FILE *f = open_memstream(&text, &n);
    if (f == NULL) {
        return -ENOMEM;
    }
    (format == GO_METRICS_JSON ? json : prometheus)(f, &now);
    bool failed = ferror(f) != 0;
    failed |= fclose(f) != 0;
    int r = failed ? -ENOMEM : write_all(fd, text, n);
    free(text);
    return r;
}
