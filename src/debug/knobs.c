/* SPDX-License-Identifier: MIT */
/* knobs.c: reads GORTDEBUG and GORTTRACEBACK once, at the start. What it does not understand it
 * reports on standard error and ignores: a program must not fail because of a debugging aid. */
#include "debug/knobs.h"
#include "base/fmt.h"
#include "debug/internal.h"
#include "debug/leak.h"
#include "net/upcalls.h"
#include "sched/upcalls.h"
#include <stdlib.h>
#include <string.h>

struct goi_knobs goi_knobs;
enum goi_traceback goi_traceback = GOI_TRACEBACK_SINGLE;

struct text { const char *s; size_t n; };

static bool text_is(struct text t, const char *s)
{
    return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

static void complain(int fd, const char *what, struct text t)
{
    static struct goi_out o;
    if (fd < 0) {
        return;
    }
    goi_out_init(&o, fd);
    goi_outf(&o, "gort: GORTDEBUG: %s \"", what);
    goi_out_bytes(&o, t.s, t.n);
    goi_out_str(&o, "\"; known are");
    for (size_t i = 0; i < goi_knob_count; i++) {
        goi_outf(&o, "%s %s=%s", i > 0 ? "," : "", goi_knob_table[i].name,
                 goi_knob_table[i].example);
    }
    goi_out_str(&o, "\n");
    goi_out_flush(&o);
}

/* The place of t among "one|two|three", from 1. */
static bool parse_word(struct text t, const char *words, uint64_t *value)
{
    for (uint64_t place = 1; *words != '\0'; place++) {
        struct text word = {words, strcspn(words, "|")};
        if (word.n == t.n && memcmp(word.s, t.s, t.n) == 0) {
            *value = place;
            return true;
        }
        words += word.n + (words[word.n] == '|');
    }
    return false;
}

/* A copy, which stays: knobs are read once. */
static bool parse_text(struct text t, uint64_t *value)
{
    char *copy = t.n > 0 ? strndup(t.s, t.n) : NULL;
    *value = (uintptr_t)copy;
    return copy != NULL;
}

/* Decimal digits and, for MS, a unit. */
static bool parse_value(struct text t, enum goi_knob_kind kind, uint64_t *value)
{
    static const struct { const char *unit; uint64_t ns; } units[] = {
        {"", 1000000}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    uint64_t x = 0;
    size_t i = 0;
    for (; i < t.n && t.s[i] >= '0' && t.s[i] <= '9'; i++) {
        if (__builtin_mul_overflow(x, 10, &x) ||
            __builtin_add_overflow(x, (uint64_t)(t.s[i] - '0'), &x)) {
            return false;
        }
    }
    struct text unit = {t.s + i, t.n - i};
    *value = x;
    if (i == 0 || kind == GOI_KNOB_NUMBER) {
        return i > 0 && unit.n == 0;
    }
    for (size_t k = 0; k < goi_countof(units); k++) {
        if (text_is(unit, units[k].unit)) {
            return !__builtin_mul_overflow(x, units[k].ns, value);
        }
    }
    return false;
}

static bool parse(struct text t, const struct goi_knob *knob, uint64_t *value)
{
    switch (knob->kind) {
    case GOI_KNOB_WORD:
        return parse_word(t, knob->example, value);
    case GOI_KNOB_TEXT:
        return parse_text(t, value);
    case GOI_KNOB_NUMBER:
    case GOI_KNOB_MS:
    default:
        return parse_value(t, knob->kind, value);
    }
}

/* One "name=value". */
static void parse_one(struct goi_knobs *k, struct text t, int fd)
{
    const char *eq = memchr(t.s, '=', t.n);
    struct text name = {t.s, eq != NULL ? (size_t)(eq - t.s) : t.n};
    for (size_t i = 0; i < goi_knob_count; i++) {
        const struct goi_knob *knob = &goi_knob_table[i];
        if (!text_is(name, knob->name)) {
            continue;
        }
        struct text value = {eq != NULL ? eq + 1 : "", eq != NULL ? t.n - name.n - 1 : 0};
        uint64_t x;
        if (parse(value, knob, &x)) {
            memcpy((char *)k + knob->offset, &x, sizeof x);
        } else {
            complain(fd, "bad value in", t);
        }
        return;
    }
    complain(fd, "unknown key", name);
}

void goi_knobs_parse(struct goi_knobs *k, const char *text, int fd)
{
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        if (n > 0) {
            parse_one(k, (struct text){text, n}, fd);
        }
        text += n + (text[n] == ',');
    }
}

enum goi_traceback goi_traceback_parse(const char *text)
{
    static const struct { const char *text; enum goi_traceback level; } levels[] = {
        {"none", GOI_TRACEBACK_NONE},     {"0", GOI_TRACEBACK_NONE},
        {"single", GOI_TRACEBACK_SINGLE}, {"", GOI_TRACEBACK_SINGLE},
        {"all", GOI_TRACEBACK_ALL},       {"1", GOI_TRACEBACK_ALL},
        {"system", GOI_TRACEBACK_SYSTEM}, {"2", GOI_TRACEBACK_SYSTEM},
        {"crash", GOI_TRACEBACK_CRASH}};
    for (size_t i = 0; i < goi_countof(levels); i++) {
        if (strcmp(text, levels[i].text) == 0) {
            return levels[i].level;
        }
    }
    return GOI_TRACEBACK_ALL; /* Go: any other number, and anything else, shows all */
}

void goi_knobs_init(void)
{
    const char *debug = secure_getenv("GORTDEBUG");
    const char *traceback = secure_getenv("GORTTRACEBACK");
    if (traceback == NULL) {
        traceback = secure_getenv("GOTRACEBACK"); /* as GOMAXPROCS: one habit less to change */
    }
    if (debug != NULL) {
        goi_knobs_parse(&goi_knobs, debug, 2);
    }
    if (traceback != NULL) {
        goi_traceback = goi_traceback_parse(traceback);
    }
    goi_debug_init();
    if (goi_knobs.schedtrace != 0) {
        goi_schedtrace_start((int64_t)goi_knobs.schedtrace);
    }
    if (goi_knobs.leakscan != 0) {
        goi_leak_scan_start((int64_t)goi_knobs.leakscan);
    }
}

uint64_t goi_knob_seed(void) { return goi_knobs.seed; }

uint64_t goi_knob_jitter(void) { return goi_knobs.jitter; }

uint64_t goi_knob_hibernate(void) { return goi_knobs.hibernate; }

enum goi_netdns goi_knob_netdns(void)
{
    goi_init(); /* a name may be the first thing that a program asks for */
    return (enum goi_netdns)goi_knobs.netdns;
}
