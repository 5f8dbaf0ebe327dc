/* SPDX-License-Identifier: MIT */
/* go_metrics_write: the text is what its readers want, and the figures are those of the program. */
#include "debug/metrics.h"
#include "harness.h"
#include "sched/gstate.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gort.h>
#include <gort/short.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The caller frees it. */
static char *written(enum go_metrics_format format)
{
    int fd = memfd_create("metrics", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE_EQ_INT(go_metrics_write(fd, format), 0);
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);
    REQUIRE(text != NULL && pread(fd, text, (size_t)n, 0) == n);
    close(fd);
    return text;
}

/* --- the text format of Prometheus, as its specification has it */

struct series { char name[128], labels[64]; double value; };
struct page { size_t n; struct series s[200]; size_t types; char type[60][2][96]; };

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (isalpha((unsigned char)s[n]) || s[n] == '_' || s[n] == ':' ||
           (n > 0 && isdigit((unsigned char)s[n]))) {
        n++;
    }
    return n;
}

/* {name="value"}, one label, no escapes; NULL: not that. */
static const char *labels_end(const char *s)
{
    size_t n = name_length(s + 1);
    if (n == 0 || strncmp(s + 1 + n, "=\"", 2) != 0) {
        return NULL;
    }
    const char *end = strpbrk(s + 3 + n, "\"\\");
    return end != NULL && end[0] == '"' && end[1] == '}' ? end + 2 : NULL;
}

static bool parse_series(struct page *p, const char *line)
{
    struct series *s = &p->s[p->n];
    size_t n = name_length(line);
    const char *rest = line + n;
    if (n == 0 || n >= sizeof s->name || p->n == 200) {
        return false;
    }
    snprintf(s->name, sizeof s->name, "%.*s", (int)n, line);
    if (*rest == '{') {
        const char *end = labels_end(rest);
        if (end == NULL || (size_t)(end - rest) >= sizeof s->labels) {
            return false;
        }
        snprintf(s->labels, sizeof s->labels, "%.*s", (int)(end - rest), rest);
        rest = end;
    }
    char *end;
    s->value = strtod(rest, &end);
    p->n++;
    return *rest == ' ' && isdigit((unsigned char)rest[1]) && *end == '\0';
}

static const char *type_of(const struct page *p, const char *name)
{
    for (size_t i = 0; i < p->types; i++) {
        size_t n = strlen(p->type[i][0]);
        bool whole = strcmp(p->type[i][0], name) == 0;
        bool part = strncmp(p->type[i][0], name, n) == 0 &&
                    (strcmp(name + n, "_bucket") == 0 || strcmp(name + n, "_sum") == 0 ||
                     strcmp(name + n, "_count") == 0);
        if (whole || (part && strcmp(p->type[i][1], "histogram") == 0)) {
            return p->type[i][1];
        }
    }
    return NULL;
}

static bool parse_line(struct page *p, char *line, bool *helped)
{
    char name[96];
    char type[96];
    int at = 0;
    if (sscanf(line, "# HELP %95s %n", name, &at) == 1 && at > 0 && line[at] != '\0') {
        *helped = type_of(p, name) == NULL; /* once, and before the type */
        return *helped && strchr(line, '\\') == NULL;
    }
    if (sscanf(line, "# TYPE %95s %95s%n", name, type, &at) == 2 && line[at] == '\0') {
        snprintf(p->type[p->types][0], 96, "%s", name);
        snprintf(p->type[p->types][1], 96, "%s", type);
        bool known = strcmp(type, "gauge") == 0 || strcmp(type, "counter") == 0 ||
                     strcmp(type, "histogram") == 0;
        return *helped && known && ++p->types < 60;
    }
    return parse_series(p, line) && type_of(p, p->s[p->n - 1].name) != NULL;
}

static struct page *parsed(char *text)
{
    struct page *p = calloc(1, sizeof *p);
    bool helped = false;
    size_t n = strlen(text);
    REQUIRE(p != NULL && n > 0 && text[n - 1] == '\n');
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0';
        if (!parse_line(p, line, &helped)) {
            FAIL("not Prometheus' text: %s", line);
        }
        line = end + 1;
    }
    return p;
}

static struct page *page(void)
{
    char *text = written(GO_METRICS_PROMETHEUS);
    struct page *p = parsed(text);
    free(text);
    return p;
}

static double value(const struct page *p, const char *name, const char *labels)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->s[i].name, name) == 0 && strcmp(p->s[i].labels, labels) == 0) {
            return p->s[i].value;
        }
    }
    FAIL("there is no %s%s", name, labels);
    return 0;
}

static double value_now(const char *name, const char *labels)
{
    struct page *p = page();
    double x = value(p, name, labels);
    free(p);
    return x;
}

#define STATE(name) "go_sched_goroutines_" name "_goroutines"

TEST(metrics, prometheus_reads_them_with_the_names_of_its_client_for_go)
{
    static const char *const names[][2] = {
        {"go_sched_gomaxprocs_threads", "gauge"},
        {"go_sched_goroutines_goroutines", "gauge"},
        {STATE("not_in_go"), "gauge"}, {STATE("runnable"), "gauge"},
        {STATE("running"), "gauge"}, {STATE("waiting"), "gauge"},
        {"go_sched_goroutines_created_goroutines_total", "counter"},
        {"go_sched_threads_total_threads", "gauge"},
        {"go_sync_mutex_wait_total_seconds_total", "counter"},
        {"gort_sched_steals_events_total", "counter"},
        {"gort_sched_hand_offs_events_total", "counter"},
        {"gort_sched_wakes_events_total", "counter"},
        {"gort_time_pending_timers", "gauge"},
        {"gort_netpoll_waiting_goroutines", "gauge"},
        {"gort_netpoll_polls_events_total", "counter"},
        {"gort_netpoll_ready_goroutines_total", "counter"},
        {"gort_stacks_in_use_stacks", "gauge"}, {"gort_stacks_cached_stacks", "gauge"},
        {"gort_stacks_mapped_bytes", "gauge"}, {"gort_stacks_resident_bytes", "gauge"}};
    struct page *p = page();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)value(p, names[i][0], "");
        EXPECT_EQ_STR(type_of(p, names[i][0]), names[i][1]);
    }
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(p->s[i].name, p->s[k].name) == 0 &&
                strcmp(p->s[i].labels, p->s[k].labels) == 0) {
                FAIL("%s%s is there twice", p->s[i].name, p->s[i].labels);
            }
        }
    }
    EXPECT_EQ_INT(value(p, "go_sched_gomaxprocs_threads", ""), go_maxprocs(0));
    free(p);
}

TEST(metrics, the_histogram_grows_to_its_count)
{
    static const char name[] = "go_sched_latencies_seconds";
    char part[64];
    struct page *p = page();
    double last = -1;
    double bound = 0;
    int buckets = 0;
    snprintf(part, sizeof part, "%s_bucket", name);
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->s[i].name, part) != 0) {
            continue;
        }
        double le;
        bool inf = strcmp(p->s[i].labels, "{le=\"+Inf\"}") == 0;
        EXPECT(inf || sscanf(p->s[i].labels, "{le=\"%lf\"}", &le) == 1);
        EXPECT(inf || le > bound);
        EXPECT(p->s[i].value >= last);
        bound = inf ? bound : le;
        last = p->s[i].value;
        buckets++;
    }
    EXPECT_EQ_INT(buckets, GOI_LATENCY_BOUNDS + 1);
    EXPECT(bound > 10 && bound < 100);
    EXPECT(value(p, "go_sched_latencies_seconds_count", "") == last);
    EXPECT(value(p, "go_sched_latencies_seconds_sum", "") >= 0);
    free(p);
}

/* --- JSON: RFC 8259, objects within objects at most two deep here, but checked for any depth */

static const char *skip_string(const char *s)
{
    for (s++; *s != '"'; s++) {
        if ((unsigned char)*s < 0x20 || *s == '\\') {
            return NULL;
        }
    }
    return s + 1;
}

static const char *skip_number(const char *s)
{
    const char *begin = s;
    while (isdigit((unsigned char)*s)) {
        s++;
    }
    if (s == begin || (*begin == '0' && s > begin + 1)) {
        return NULL;
    }
    if (*s == '.') {
        begin = ++s;
        while (isdigit((unsigned char)*s)) {
            s++;
        }
    }
    return s == begin ? NULL : s;
}

static const char *skip_white(const char *s) { return s + strspn(s, " \n"); }

/* The end of the value at s, or NULL. */
static const char *json_end(const char *s)
{
    char open[8];
    size_t depth = 0;
    for (;;) {
        s = skip_white(s);
        bool named = depth > 0 && open[depth - 1] == '{';
        if (named) {
            s = *s == '"' ? skip_string(s) : NULL;
            s = s != NULL ? skip_white(s) : NULL;
            if (s == NULL || *s++ != ':') {
                return NULL;
            }
            s = skip_white(s);
        }
        if (*s == '{' || *s == '[') { /* none is empty here */
            if (depth == sizeof open) {
                return NULL;
            }
            open[depth++] = *s++;
            continue;
        }
        s = *s == '"' ? skip_string(s) : skip_number(s);
        for (s = s != NULL ? skip_white(s) : NULL;
             s != NULL && depth > 0 && *s == (open[depth - 1] == '{' ? '}' : ']');) {
            depth--;
            s = skip_white(s + 1);
        }
        if (s == NULL || depth == 0) {
            return s;
        }
        if (*s++ != ',') {
            return NULL;
        }
    }
}

TEST(metrics, json_is_json_with_the_names_of_go)
{
    static const char *const wanted[] = {
#define METRIC(name, unit, kind, field, text) name ":" unit,
#include "debug/metrics.def"
#undef METRIC
    };
    char *text = written(GO_METRICS_JSON);
    const char *end = json_end(text);
    EXPECT(end != NULL && *end == '\0');
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char key[128];
        snprintf(key, sizeof key, "\"%s\": ", wanted[i]);
        EXPECT_CONTAINS(text, key);
    }
    EXPECT_CONTAINS(text, "\"/sched/goroutines:goroutines\": 1,");
    EXPECT_CONTAINS(text, "{\"bounds\": [0.000000128, 0.000000256, ");
    EXPECT_CONTAINS(text, "\"chan receive\": ");
    free(text);
}

TEST(metrics, the_json_checker_can_say_no)
{
    static const char *const wrong[] = {"{\"a\": }", "{\"a\": 1,}", "{\"a\" 1}", "{a: 1}", "[1 2]",
                                        "[01]", "[1.]", "[1", "{\"a\": [1}", "[nan]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *end = json_end(wrong[i]);
        if (end != NULL && *end == '\0') {
            FAIL("'%s' passed for JSON", wrong[i]);
        }
    }
}

/* --- the figures */

static void waits(chan(int) c) { (void)chan_recv(c); }

static void done(void)
{
    while (go_count() > 1) {
        go_yield();
    }
}

static bool states_add_up(const struct page *p)
{
    return value(p, STATE("not_in_go"), "") + value(p, STATE("runnable"), "") +
               value(p, STATE("running"), "") + value(p, STATE("waiting"), "") ==
           value(p, "go_sched_goroutines_goroutines", "");
}

TEST(metrics, goroutines_are_counted_by_state)
{
    chan(int) c = chan_make(int);
    double made = value_now("go_sched_goroutines_created_goroutines_total", "");
    for (int i = 0; i < 10; i++) {
        go(waits, c);
    }
    while (value_now(STATE("waiting"), "") < 10) {
        go_yield();
    }
    struct page *p = page();
    EXPECT_EQ_INT(value(p, "go_sched_goroutines_goroutines", ""), 11);
    EXPECT_EQ_INT(value(p, "go_sched_goroutines_created_goroutines_total", "") - made, 10);
    EXPECT(states_add_up(p));
    EXPECT(value(p, "gort_stacks_in_use_stacks", "") == 10);
    EXPECT(value(p, "gort_stacks_resident_bytes", "") >= 10 * 4096);
    EXPECT(value(p, "gort_stacks_mapped_bytes", "") > 10 * 65536);
    free(p);
    chan_close(c);
    done();
    chan_free(c);
}

static void sleeps(void) { go_sleep(20 * GO_MS); }

TEST(metrics, timers_are_counted)
{
    for (int i = 0; i < 5; i++) {
        go(sleeps);
    }
    while (value_now("gort_time_pending_timers", "") < 5 && go_count() == 6) {
        go_yield();
    }
    done();
    EXPECT_EQ_INT(value_now("gort_time_pending_timers", ""), 0);
}

static void echo(chan(int) in, chan(int) out, int n)
{
    for (int i = 0; i < n; i++) {
        chan_send(out, chan_recv(in));
    }
}

TEST(metrics, parks_and_latencies_are_right_on_the_average)
{
    enum { N = 40000 };
    static const char receives[] = "{reason=\"chan receive\"}";
    static const char name[] = "gort_sched_parks_events_total";
    int n = N / (test_scale() > 4 ? 4 : 1);
    chan(int) there = chan_make(int);
    chan(int) back = chan_make(int);
    go_maxprocs(1);
    go(echo, there, back, n);
    for (int i = 0; i < n; i++) {
        chan_send(there, i);
        (void)chan_recv(back);
    }
    struct page *p = page();
    double sends = value(p, name, "{reason=\"chan send\"}");
    double parks = value(p, name, receives) + sends;
    double runs = value(p, "go_sched_latencies_seconds_count", "");
    double sum = value(p, "go_sched_latencies_seconds_sum", "");
    /* On one P each message parks somebody, and an answer the other one. */
    EXPECT(parks > 1.2 * n);
    EXPECT(parks < 3.0 * n);
    EXPECT(runs > 0 && runs < 4.0 * n);
    EXPECT(sum > 0);
    free(p);
    done();
    chan_free(there);
    chan_free(back);
}

static void takes(go_mutex *mu, go_waitgroup *wg)
{
    go_mutex_lock(mu);
    go_mutex_unlock(mu);
    go_wg_done(wg);
}

TEST(metrics, the_wait_for_a_mutex_is_timed)
{
    static const char name[] = "go_sync_mutex_wait_total_seconds_total";
    go_mutex mu = {0};
    go_waitgroup wg = {0};
    go_time begin = go_now();
    go_mutex_lock(&mu);
    go_wg_add(&wg, 3);
    for (int i = 0; i < 3; i++) {
        go(takes, &mu, &wg);
    }
    while (value_now(STATE("waiting"), "") < 3) {
        go_yield();
    }
    go_sleep(20 * GO_MS);
    go_mutex_unlock(&mu);
    go_wg_wait(&wg);
    double most = 3e-9 * (double)(go_now() - begin);
    double waited = value_now(name, "");
    EXPECT(waited >= 0.04);
    EXPECT(waited <= most);
    done();
}

TEST(metrics, what_cannot_be_written_is_said)
{
    int ends[2];
    char some[4096] = {0};
    EXPECT_EQ_INT(go_metrics_write(-1, GO_METRICS_JSON), -EBADF);
    EXPECT_EQ_INT(go_metrics_write(1, (enum go_metrics_format)7), -EINVAL);
    REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    while (write(ends[1], some, sizeof some) > 0) {
    }
    EXPECT_EQ_INT(go_metrics_write(ends[1], GO_METRICS_PROMETHEUS), -EAGAIN);
    close(ends[0]);
    close(ends[1]);
}

/* --- while the program runs */

static goi_abool stop;

static void nothing(void) {}

static void busy(void)
{
    chan(int) c = chan_make(int, 1);
    go_mutex mu = {0};
    while (!ld_rlx(&stop)) {
        go(nothing);
        chan_send(c, 1);
        go_yield();
        (void)chan_recv(c);
        go_mutex_lock(&mu);
        go_mutex_unlock(&mu);
        go_sleep(50 * GO_US);
    }
    chan_free(c);
}

static void talk(chan(int) in, chan(int) out)
{
    while (!ld_rlx(&stop)) {
        int x = 0;
        if (!chan_recv_ok(in, &x)) {
            break;
        }
        chan_send(out, x);
    }
    chan_close(out);
}

static void read_them(int times)
{
    static const char *const growing[] = {"go_sched_goroutines_created_goroutines_total",
                                          "go_sched_latencies_seconds_count",
                                          "go_sched_latencies_seconds_sum",
                                          "go_sync_mutex_wait_total_seconds_total",
                                          "gort_sched_wakes_events_total",
                                          "gort_netpoll_polls_events_total"};
    double last[sizeof growing / sizeof *growing] = {0};
    for (int i = 0; i < times; i++) {
        struct page *p = page();
        EXPECT(states_add_up(p));
        EXPECT(value(p, "go_sched_goroutines_goroutines", "") < 100000);
        for (size_t k = 0; k < sizeof growing / sizeof *growing; k++) {
            double x = value(p, growing[k], "");
            EXPECT(x >= last[k]);
            last[k] = x;
        }
        free(p);
    }
}

static void *read_from_a_thread(void *arg)
{
    (void)arg;
    read_them(20);
    return NULL;
}

TEST(metrics, they_are_read_while_everything_runs)
{
    pthread_t thread;
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    for (int i = 0; i < 3; i++) {
        go(busy);
    }
    go(talk, a, b);
    go(talk, b, a);
    chan_send(a, 1);
    REQUIRE(pthread_create(&thread, NULL, read_from_a_thread, NULL) == 0);
    read_them(40);
    pthread_join(thread, NULL);
    st_rlx(&stop, true);
    done();
    chan_free(a);
    chan_free(b);
}
