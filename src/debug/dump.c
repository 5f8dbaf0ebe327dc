/* SPDX-License-Identifier: MIT */
/* dump.c: printing goroutines in Go's layout.
 *
 *     goroutine 18 [chan receive, 3 minutes, locked to thread] {key: value} "name":
 *     consumer(...)
 *             /src/pool.c:41
 *     created by main in goroutine 1
 *             /src/pool.c:77
 *
 * The runtime's own frames are left out unless asked for. They are known by their source file,
 * which lies beside this one, or by their names where there is no debug information.
 *
 * Of more than FOLD_ABOVE goroutines those that stand at the same place, for the same reason, and
 * were made by the same statement, are printed once: "1000 goroutines like this". The same place
 * means the same frames as printed: the runtime has several ways to park.
 */
#include "debug/dump.h"
#include "debug/internal.h"
#include "sched/panic.h"
#include <gort/debug.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FOLD_ABOVE = 100, FOLD_TABLE = 4096 };

/* --- which frames are the runtime's */

static char source_prefix[512]; /* "/path/src/", empty: unknown */
static goi_abool source_known;

static void find_prefix(const struct goi_symbol *s, void *arg)
{
    static const char self[] = "debug/dump.c";
    size_t n = s->file != NULL ? strlen(s->file) : 0;
    size_t tail = sizeof self - 1;
    (void)arg;
    if (n >= tail && n - tail < sizeof source_prefix &&
        memcmp(s->file + n - tail, self, tail) == 0) {
        memcpy(source_prefix, s->file, n - tail);
    }
}

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static bool in_sources(const char *file)
{
    static const char *const dirs[] = {"base/", "arch/", "os/",   "stack/", "annot/",    "lock/",
                                       "sched/", "chan/", "sync/", "time/",  "netpoll/",  "block/",
                                       "debug/", "net/",  "context/", "errgroup/"};
    if (source_prefix[0] == '\0' || !begins(file, source_prefix)) {
        return false;
    }
    const char *rest = file + strlen(source_prefix);
    for (size_t i = 0; i < goi_countof(dirs); i++) {
        if (begins(rest, dirs[i])) {
            return true;
        }
    }
    return false;
}

static bool is_runtime(const struct goi_symbol *s)
{
    if (s->file != NULL && (in_sources(s->file) || strstr(s->file, "/include/gort/") != NULL)) {
        return true;
    }
    if (s->object != NULL && strstr(s->object, "/libgort.so") != NULL) {
        return true;
    }
    return s->function != NULL && (begins(s->function, "goi_") || begins(s->function, "gop_"));
}

static void learn_prefix(void)
{
    if (!ld_acq(&source_known)) { /* [SYMBOL] done twice in a race, with the same outcome */
        goi_symbolize((uintptr_t)goi_dump_frames, find_prefix, NULL);
        st_rel(&source_known, true); /* [SYMBOL] */
    }
}

/* --- frames */

struct printer {
    struct goi_out *o;
    bool system;
    bool over;              /* what is further out is the C library's */
    uint32_t printed;
    uint32_t most;          /* prints no more than so many */
};

static void print_place(struct goi_out *o, const struct goi_symbol *s)
{
    if (s->file != NULL) {
        goi_outf(o, "\t%s:%d\n", s->file, s->line);
    } else if (s->object != NULL) {
        goi_outf(o, "\t%s+0x%lx\n", s->object, (unsigned long)s->offset);
    } else {
        goi_out_str(o, "\t?\n");
    }
}

static bool is_function(const struct goi_symbol *s, const char *name)
{
    return s->function != NULL && strcmp(s->function, name) == 0;
}

/* glibc's, not a function of the same name in the program. */
static bool is_thread_start(const struct goi_symbol *s)
{
    return is_function(s, "start_thread") &&
           (s->file == NULL || strstr(s->file, "nptl/") != NULL);
}

/* The body of a go_do has a name that is made to be read in a compiler's message (go_do.h). */
static const char *shown_name(const char *function)
{
    if (function == NULL) {
        return "?";
    }
    return strstr(function, "_go_do_uses_a_variable") != NULL ||
                   begins(function, "go_do_unoptimised_")
               ? "go_do"
               : function;
}

static void print_symbol(const struct goi_symbol *s, void *arg)
{
    struct printer *p = arg;
    if (!p->system && is_thread_start(s)) {
        p->over = true; /* a thread's first function is the one above */
    }
    if (p->over || p->printed == p->most || (!p->system && is_runtime(s))) {
        return;
    }
    if (p->o == NULL) { /* only counting */
        p->printed++;
        return;
    }
    goi_outf(p->o, "%s(...)\n", shown_name(s->function));
    print_place(p->o, s);
    p->printed++;
    p->over = !p->system && is_function(s, "main");
}

static uint32_t lines_at(uintptr_t pc, bool system)
{
    struct printer p = {.system = system, .most = UINT32_MAX};
    goi_symbolize(pc, print_symbol, &p);
    return p.printed;
}

/* The first counter of the tail of pc[0 .. n) that has at most GOI_FRAMES_OUTER lines. */
static uint32_t outer_begin(const uintptr_t *pc, uint32_t from, uint32_t n, bool system)
{
    uint32_t lines = 0;
    uint32_t at = n;
    while (at > from) {
        lines += lines_at(pc[at - 1], system);
        if (lines > GOI_FRAMES_OUTER) {
            break;
        }
        at--;
    }
    return at;
}

/* A counter may stand for many lines where functions were inlined, recursive ones above all, so
 * that lines are bounded as well as counters. */
static void print_frames(struct printer *p, const uintptr_t *pc, uint32_t n, uint32_t total)
{
    uint32_t i = 0;
    learn_prefix();
    p->most = GOI_FRAMES_INNER;
    while (i < n && i < GOI_FRAMES_INNER && p->printed < p->most && !p->over) {
        goi_symbolize(pc[i++], print_symbol, p);
    }
    if (p->over) { /* what called main has the C library's lines, which cost (symbol_backtrace.c) */
        return;
    }
    uint32_t outer = i == n ? n : outer_begin(pc, i, n, p->system);
    uint32_t left_out = total - n + (outer - i);
    if (left_out > 0) {
        goi_outf(p->o, "...%u frames elided...\n", left_out);
    }
    p->most = UINT32_MAX;
    for (; outer < n && !p->over; outer++) {
        goi_symbolize(pc[outer], print_symbol, p);
    }
}

void goi_dump_frames(struct goi_out *o, const uintptr_t *pc, uint32_t n, uint32_t total,
                     bool system)
{
    struct printer p = {.o = o, .system = system};
    print_frames(&p, pc, n, total);
}

/* --- created by */

struct maker { bool found; const char *function, *file; int line; };

static void find_maker(const struct goi_symbol *s, void *arg)
{
    struct maker *m = arg;
    if (!m->found && !is_runtime(s)) {
        *m = (struct maker){true, s->function, s->file, s->line};
    }
}

static void print_maker(struct goi_out *o, const struct goi_shot *s)
{
    struct maker m = {0};
    if (s->created_pc == 0 && s->site == NULL) {
        return;
    }
    if (s->created_pc != 0) {
        goi_symbolize(s->created_pc - 1, find_maker, &m);
    }
    goi_outf(o, "created by %s", shown_name(m.function));
    if (s->parent != 0) {
        goi_outf(o, " in goroutine %lu", (unsigned long)s->parent);
    }
    if (m.file != NULL) {
        goi_outf(o, "\n\t%s:%d\n", m.file, m.line);
    } else {
        goi_outf(o, "\n\t%s\n", s->site != NULL ? s->site : "?");
    }
}

/* --- goroutines */

static const char *state_of(const struct goi_shot *s)
{
    if (s->current) {
        return "running";
    }
    return s->state == GOI_G_WAITING ? goi_reason_name(s->reason) : goi_gstate_name(s->state);
}

/* As Go's %q: a name cannot look like the rest of the report. */
static void print_quoted(struct goi_out *o, const char *s)
{
    goi_out_str(o, "\"");
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            goi_outf(o, "\\%c", c);
        } else if (c == '\n') {
            goi_out_str(o, "\\n");
        } else if (c < ' ' || c == 0x7f) {
            goi_outf(o, "\\x%c%c", "01234567"[c >> 4], "0123456789abcdef"[c & 15]);
        } else {
            goi_outf(o, "%c", c);
        }
    }
    goi_out_str(o, "\"");
}

/* Words as they are, all else in quotes. Bytes of UTF-8 count as words. */
static bool is_word(const char *s)
{
    if (*s == '\0') {
        return false;
    }
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && c < 0x80 && strchr("-_./@+%", c) == NULL) {
            return false;
        }
    }
    return true;
}

static void print_word(struct goi_out *o, const char *s)
{
    if (is_word(s)) {
        goi_out_str(o, s);
    } else {
        print_quoted(o, s);
    }
}

/* Key, value, key, value, each with its zero, and an empty key at the end. */
static void print_labels(struct goi_out *o, const char *s)
{
    const char *between = " {";
    while (*s != '\0') {
        goi_out_str(o, between);
        print_word(o, s);
        s += strlen(s) + 1;
        goi_out_str(o, ": ");
        print_word(o, s);
        s += strlen(s) + 1;
        between = ", ";
    }
    goi_out_str(o, "}");
}

static void print_header(struct goi_out *o, const struct goi_shot *s)
{
    goi_outf(o, "goroutine %lu [%s%s", (unsigned long)s->id, state_of(s),
             s->leaked ? " (leaked)" : "");
    if (s->minutes >= 1) {
        goi_outf(o, ", %ld minutes", (long)s->minutes);
    }
    goi_outf(o, "%s]", s->locked ? ", locked to thread" : "");
    if (s->labels != NULL) {
        print_labels(o, s->labels);
    }
    if (s->name != NULL) {
        goi_out_str(o, " ");
        print_quoted(o, s->name);
    }
    goi_out_str(o, ":\n");
}

static void print_trace(struct goi_out *o, const struct goi_shot *s, bool system)
{
    const struct goi_trace *t = s->trace;
    struct printer p = {.o = o, .system = system};
    print_frames(&p, t->pc, t->n, t->total);
    if (t->cut) {
        goi_out_str(o, "...additional frames elided...\n");
    }
    if (p.printed == 0 && s->entry != 0) {
        /* Not started yet, its last call replaced its frame, or it is a function of this library:
         * at least what it runs. */
        p.most = 1;
        p.system = true;
        goi_symbolize(s->entry, print_symbol, &p);
    }
}

static void print_shot(struct goi_out *o, const struct goi_shot *s, bool system)
{
    print_header(o, s);
    if (s->stack == GOI_SHOT_ELSEWHERE) {
        goi_out_str(o, "\tgoroutine running on other thread; stack unavailable\n");
    } else if (s->stack == GOI_SHOT_UNKNOWN) {
        goi_out_str(o, "\tstack unavailable\n");
    } else if (s->trace != NULL) {
        print_trace(o, s, system);
    }
    print_maker(o, s);
    if (s->same > 0) {
        goi_outf(o, "%u goroutines like this\n", s->same + 1);
    }
}

/* --- folding */

/* What of the stack is printed, as a number. */
static uint64_t shown_of(struct goi_trace *t, bool system)
{
    if (t == NULL) {
        return 0;
    }
    if (t->shown == 0) {
        uint64_t h = 1;
        for (uint32_t i = 0; i < t->n; i++) {
            if (lines_at(t->pc[i], system) > 0) {
                h = (h ^ t->pc[i]) * 0x9e3779b97f4a7c15u;
                h ^= h >> 29;
            }
        }
        t->shown = h | 1;
    }
    return t->shown;
}

static bool alike(const struct goi_shot *a, const struct goi_shot *b, bool system)
{
    bool same_name = a->name == b->name ||
                     (a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0);
    return shown_of(a->trace, system) == shown_of(b->trace, system) && a->state == b->state &&
           a->reason == b->reason && a->stack == b->stack && a->created_pc == b->created_pc &&
           a->locked == b->locked && a->leaked == b->leaked && same_name;
}

/* Open addressing over pointers to the first of each kind; a full table folds no further. */
static void fold(struct goi_capture *c, bool system)
{
    static struct goi_shot *table[FOLD_TABLE];
    size_t kinds = 0;
    learn_prefix();
    memset(table, 0, sizeof table);
    for (size_t i = 0; i < c->n; i++) {
        struct goi_shot *s = c->shots[i];
        uint64_t hash = (shown_of(s->trace, system) ^ s->created_pc ^ (uint64_t)s->reason << 50) *
                        0x9e3779b97f4a7c15u;
        size_t at = hash >> 32;
        if (s->current) {
            continue;
        }
        while (table[at % FOLD_TABLE] != NULL && !alike(table[at % FOLD_TABLE], s, system)) {
            at++; /* ends: the table is never full */
        }
        struct goi_shot *first = table[at % FOLD_TABLE];
        if (first != NULL) {
            first->same++;
            first->minutes = goi_max_i64(first->minutes, s->minutes);
            s->folded = true;
        } else if (kinds < FOLD_TABLE / 2) {
            table[at % FOLD_TABLE] = s;
            kinds++;
        }
    }
}

void goi_dump_write(struct goi_out *o, struct goi_capture *c, bool system, bool below)
{
    if (c->n > FOLD_ABOVE) {
        fold(c, system);
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct goi_shot *s = c->shots[i];
        if (s->folded || (s->system && !system && !s->current)) {
            continue;
        }
        if (below) {
            goi_out_str(o, "\n");
        }
        below = true;
        print_shot(o, s, system);
    }
    if (c->lost > 0) {
        goi_outf(o, "\n...%zu goroutines left out: out of memory\n", c->lost);
    }
}

/* --- go_dump */

static struct goi_lock dump_lock;

void go_dump(int fd)
{
    static struct goi_out o;        /* under dump_lock */
    static struct goi_frames here;
    goi_lock(&dump_lock);
    struct m *m = goi_enter();
    struct goi_capture_want want = {.others = true,
                                    .patience = 1000000000,
                                    .current = m->g,
                                    .frames = &here};
    goi_frames_here(&here);
    struct goi_capture *c = goi_capture_take(&want);
    goi_leave(goi_m());
    goi_out_init(&o, fd);
    if (c != NULL) {
        goi_dump_write(&o, c, goi_traceback >= GOI_TRACEBACK_SYSTEM, false);
        goi_capture_free(c);
    } else {
        goi_out_str(&o, "no memory for a dump\n");
    }
    goi_out_flush(&o);
    goi_unlock(&dump_lock);
}

/* --- the report of a panic that somebody takes (sched/panic.h) */

static char *text_of(int fd, struct goi_out *out)
{
    size_t n = out->len;
    if (fd >= 0) {
        goi_out_flush(out);
        off_t end = lseek(fd, 0, SEEK_END);
        n = end > 0 ? (size_t)end : 0;
    }
    char *text = malloc(n + 1);
    if (text != NULL) {
        if (fd < 0) {
            memcpy(text, out->buf, n);
        } else {
            ssize_t got = pread(fd, text, n, 0);
            n = got > 0 ? (size_t)got : 0;
        }
        while (n > 0 && text[n - 1] == '\n') {
            n--;
        }
        text[n] = '\0';
    }
    return text;
}

GOI_NOINLINE char *goi_panic_report(const char *message)
{
    static struct goi_out o;        /* under dump_lock */
    static struct goi_frames here;
    int fd = memfd_create("gort-report", MFD_CLOEXEC);
    goi_lock(&dump_lock);
    struct m *m = goi_enter();
    struct goi_capture_want want = {.current = m->g, .frames = &here};
    goi_frames_here(&here);
    struct goi_capture *c = goi_capture_take(&want);
    goi_leave(m);
    goi_out_init(&o, fd); /* without a file what fits the buffer */
    goi_outf(&o, "%s\n", message);
    if (c != NULL) {
        goi_dump_write(&o, c, goi_traceback >= GOI_TRACEBACK_SYSTEM, true);
        goi_capture_free(c);
    }
    char *text = text_of(fd, &o);
    goi_unlock(&dump_lock);
    if (fd >= 0) {
        (void)close(fd);
    }
    return text;
}
