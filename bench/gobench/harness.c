/* SPDX-License-Identifier: MIT */
/* harness.c: runs benchmarks and prints them as `go test -bench` does.
 *
 *   gobench [-bench REGEX] [-benchtime 1s|100x] [-count N] [-cpu 1,2] [-list]
 *
 * The options mean what they mean in Go. The rule by which b->n grows, the portions in which
 * gobench_parallel() gives out operations and the format of the figures are Go's as well, so that
 * neither side is measured in another way. */
#include "gobench.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

struct options {
    const char *bench;
    int64_t time;      /* nanoseconds a run shall last, or 0 */
    long times;        /* operations of a run, or 0 */
    long count;
    const char *cpu;
    bool list;
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void gobench_fail(const char *why)
{
    fprintf(stderr, "gobench: %s\n", why);
    exit(3);
}

void *gobench_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL) {
        gobench_fail("out of memory");
    }
    return p;
}

uint64_t gobench_work(uint64_t x, long units)
{
    for (long i = 0; i < units; i++) {
        x = x * 6364136223846793005 + 1442695040888963407;
    }
    return x;
}

/* --- the clock */

void gobench_start(struct gobench *b)
{
    if (!b->running) {
        b->running = true;
        b->start = now();
    }
}

void gobench_stop(struct gobench *b)
{
    if (b->running) {
        b->elapsed += now() - b->start;
        b->running = false;
    }
}

void gobench_reset(struct gobench *b)
{
    b->elapsed = 0;
    b->start = now();
}

/* --- many goroutines */

long gobench_more(struct gobench_pb *pb)
{
    long end = atomic_fetch_add(pb->taken, pb->grain) + pb->grain;
    if (end <= pb->n) {
        return pb->grain;
    }
    return end < pb->n + pb->grain ? pb->n + pb->grain - end : 0;
}

struct worker {
    void (*body)(struct gobench_pb *pb, void *arg);
    void *arg;
    struct gobench_pb pb;
};

static void work(struct worker *w)
{
    struct gobench_pb pb = w->pb; /* on a stack of its own: no false sharing */
    w->body(&pb, w->arg);
}

void gobench_parallel(struct gobench *b, void (*body)(struct gobench_pb *pb, void *arg), void *arg)
{
    /* Some 100 us of work at a time, for all that is known. */
    long grain = 0;
    if (b->last_n > 0 && b->last_elapsed > 0) {
        grain = (long)(1e5 * (double)b->last_n / (double)b->last_elapsed);
    }
    grain = grain < 1 ? 1 : grain > 10000 ? 10000 : grain;
    atomic_long taken = 0;
    int workers = b->parallelism * go_maxprocs(0);
    struct worker w = { body, arg, { &taken, b->n, grain, 0 } };
    go_waitgroup wg = { 0 };
    for (int i = 0; i < workers; i++) {
        go_wg_go(&wg, work, &w);
    }
    go_wg_wait(&wg);
    if (atomic_load(&taken) < b->n) {
        gobench_fail("a parallel body ended before its operations");
    }
}

/* --- one benchmark */

static void run_n(struct gobench *b, const struct gobench_row *row, long n)
{
    b->n = n;
    memcpy(b->arg, row->arg, sizeof(b->arg));
    b->parallelism = 1;
    b->elapsed = 0;
    gobench_start(b);
    row->run(b);
    gobench_stop(b);
    b->last_n = n;
    b->last_elapsed = b->elapsed;
}

static long predict(int64_t goal, const struct gobench *b, long last)
{
    int64_t took = b->last_elapsed > 0 ? b->last_elapsed : 1;
    long n = (long)((double)goal * (double)b->last_n / (double)took);
    n += n / 5;
    n = n < 100 * last ? n : 100 * last;
    n = n > last + 1 ? n : last + 1;
    return n < 1000000000 ? n : 1000000000;
}

static void print_figure(double x)
{
    int digits = x == 0 || x >= 999.95 ? 0
                 : x >= 99.995         ? 1
                 : x >= 9.9995         ? 2
                 : x >= 0.99995        ? 3
                 : x >= 0.099995       ? 4
                 : x >= 0.0099995      ? 5
                 : x >= 0.00099995     ? 6
                                       : 7;
    printf("%*.*f ns/op\n", digits == 0 ? 10 : 11 + digits, digits, x);
}

static void run(const struct gobench_row *row, const struct options *o, int procs)
{
    char name[128];
    int used = snprintf(name, sizeof(name), "Benchmark%s", row->name);
    if (procs != 1) {
        snprintf(name + used, sizeof(name) - (size_t)used, "-%d", procs);
    }
    for (long i = 0; i < o->count; i++) {
        struct gobench b = { 0 };
        go_maxprocs(procs);
        run_n(&b, row, 1);
        if (o->times > 1) {
            run_n(&b, row, o->times);
        }
        while (o->times == 0 && b.elapsed < o->time && b.n < 1000000000) {
            run_n(&b, row, predict(o->time, &b, b.n));
        }
        printf("%-48s\t%8ld\t", name, b.n);
        print_figure((double)b.elapsed / (double)b.n);
        fflush(stdout);
    }
}

/* --- which */

/* Go's rule: the pattern's parts between slashes are matched with the name's, one by one. */
static bool matches(const char *pattern, const char *name)
{
    char full[128];
    snprintf(full, sizeof(full), "Benchmark%s", name);
    const char *part = full;
    while (part != NULL && pattern != NULL) {
        const char *part_end = strchrnul(part, '/');
        const char *pattern_end = strchrnul(pattern, '/');
        char text[128];
        char expression[256];
        snprintf(text, sizeof(text), "%.*s", (int)(part_end - part), part);
        snprintf(expression, sizeof(expression), "%.*s", (int)(pattern_end - pattern), pattern);
        regex_t r;
        if (regcomp(&r, expression, REG_EXTENDED | REG_NOSUB) != 0) {
            gobench_fail("-bench: not a regular expression");
        }
        bool found = regexec(&r, text, 0, NULL, 0) == 0;
        regfree(&r);
        if (!found) {
            return false;
        }
        part = *part_end ? part_end + 1 : NULL;
        pattern = *pattern_end ? pattern_end + 1 : NULL;
    }
    return true;
}

/* The lines that benchstat compares before it puts two files side by side: they name what is
 * measured, not who measures. */
static void print_header(void)
{
    struct utsname machine;
    uname(&machine);
    const char *arch = strcmp(machine.machine, "x86_64") == 0    ? "amd64"
                       : strcmp(machine.machine, "aarch64") == 0 ? "arm64"
                                                                 : machine.machine;
    printf("goos: linux\ngoarch: %s\npkg: gort/gobench\n", arch);
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        char *text = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && text != NULL) {
            printf("cpu: %s", text + 2);
            break;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

static void parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + strspn(argv[i], "-");
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(name, "list") == 0) {
            o->list = true;
            continue;
        }
        i++;
        if (strcmp(name, "bench") == 0) {
            o->bench = value;
        } else if (strcmp(name, "count") == 0) {
            o->count = strtol(value, NULL, 10);
        } else if (strcmp(name, "cpu") == 0) {
            o->cpu = value;
        } else if (strcmp(name, "benchtime") == 0) {
            char *unit;
            double x = strtod(value, &unit);
            o->times = *unit == 'x' ? (long)x : 0;
            o->time = (int64_t)(x * (strcmp(unit, "ms") == 0 ? 1e6 : 1e9));
        } else {
            fprintf(stderr, "usage: gobench [-bench REGEX] [-benchtime 1s|100x] [-count N] "
                            "[-cpu 1,2] [-list]\n");
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    const struct gobench_row *const tables[] = { gobench_sync, gobench_wait, gobench_map,
                                                 gobench_time, gobench_context, gobench_group };
    struct options o = { .bench = ".", .time = 1000000000, .count = 1 };
    parse(&o, argc, argv);
    char procs_default[16];
    snprintf(procs_default, sizeof(procs_default), "%d", go_maxprocs(0));
    const char *cpu = o.cpu != NULL ? o.cpu : procs_default;
    if (!o.list) {
        print_header();
    }
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct gobench_row *row = tables[t]; row->name != NULL; row++) {
            if (!matches(o.bench, row->name)) {
                continue;
            }
            if (o.list) {
                printf("Benchmark%s\n", row->name);
                continue;
            }
            for (const char *at = cpu; at != NULL; at = strchr(at, ',')) {
                at += *at == ',';
                run(row, &o, (int)strtol(at, NULL, 10));
            }
        }
    }
    if (!o.list) {
        printf("PASS\n");
    }
    return 0;
}
