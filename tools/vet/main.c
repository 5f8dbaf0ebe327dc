/* SPDX-License-Identifier: MIT */
/* main.c: `gort vet`: arguments, reading files, the table of rules, reports.
 *
 * Exit status as go vet's: 0 nothing found, 1 something found, 2 bad usage or a file that does not
 * compile (its errors are printed, and it is not judged). */
#include "vet.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const char vet_prelude[];

static struct {
    const char *name, *what;
    vet_rule *run;
    int chosen;                 /* 1: asked for, -1: switched off, 0: neither */
} rules[] = {
    {"copylocks", "a mutex, wait group, once, ... is copied by value", vet_copylocks, 0},
    {"waitgroup", "wg_add is called in the goroutine that it counts", vet_waitgroup, 0},
    {"loopaddr", "a goroutine gets the address of a variable that its loop changes", vet_frames, 0},
    {"deadframe", "a goroutine gets the address of a variable whose block ends", vet_frames, 0},
    {"lostcancel", "a context is neither cancelled nor freed on some path", vet_lostcancel, 0},
    {"unlock", "a mutex is left locked on some path", vet_unlock, 0},
    {"lockpark", "a pthread lock is held across a call that parks", vet_lockpark, 0},
    {"threadlocal", "a thread-local variable is used across a call that parks", vet_threadlocal, 0},
    {"lostsend", "a goroutine may wait for ever in a send", vet_lostsend, 0},
};
enum { RULES = sizeof rules / sizeof rules[0] };

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "gort vet: %s%s\n", what, which);
    exit(2);
}

/* ---- reports -------------------------------------------------------------------------------- */

struct report {
    const char *file, *rule, *text;
    unsigned line, column;
};
static struct report *reports;
static size_t report_count;

static bool is_on(const char *rule)
{
    bool only = false;
    for (size_t i = 0; i < RULES; i++) {
        only = only || rules[i].chosen > 0;
    }
    for (size_t i = 0; i < RULES; i++) {
        if (strcmp(rules[i].name, rule) == 0) {
            return only ? rules[i].chosen > 0 : rules[i].chosen == 0;
        }
    }
    return true;
}

/* Where the line that holds an offset begins. */
static size_t line_start(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n') {
        at--;
    }
    return at;
}

/* Whether a text has `MARK RULE reason`. */
static bool has_mark(const char *text, size_t length, const char *mark, const char *rule)
{
    const char *end = text + length;
    size_t n = strlen(rule), m = strlen(mark);
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), mark, m)) != NULL; at++) {
        const char *word = at + m;
        if ((size_t)(end - word) > n + 1 && strncmp(word, rule, n) == 0 && word[n] == ' ' &&
            word[n + 1] != '\n' && word[n + 1] != '*') {
            return true;
        }
    }
    return false;
}

static bool line_ignores(const char *text, size_t start, size_t size, const char *rule)
{
    const char *end = memchr(text + start, '\n', size - start);
    size_t length = end != NULL ? (size_t)(end - text) - start : size - start;
    return has_mark(text + start, length, "gort:vet ignore ", rule);
}

/* The comment stands in the line itself, in the one before, or is about the whole file. */
static bool is_ignored(struct place p, const char *rule)
{
    size_t size;
    const char *text = vet_text(p.file, &size);
    if (text == NULL || p.offset >= size) {
        return false;
    }
    size_t start = line_start(text, p.offset);
    return line_ignores(text, start, size, rule) ||
           has_mark(text, size, "gort:vet ignore-file ", rule) ||
           (start > 0 && line_ignores(text, line_start(text, start - 1), size, rule));
}

void vet_report(const char *rule, const struct node *at, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct place p = vet_place(clang_getCursorLocation(at->cursor));
    if (p.file == NULL || !is_on(rule) || is_ignored(p, rule)) {
        return;
    }
    reports = vet_grow(reports, report_count, sizeof *reports);
    reports[report_count++] = (struct report){vet_string(clang_getFileName(p.file)), rule,
                                              vet_format("%s", text), p.line, p.column};
}

static int compare(const void *a, const void *b)
{
    const struct report *x = a, *y = b;
    int by_file = strcmp(x->file, y->file);
    if (by_file != 0) {
        return by_file;
    }
    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    if (x->column != y->column) {
        return x->column < y->column ? -1 : 1;
    }
    int by_rule = strcmp(x->rule, y->rule);
    return by_rule != 0 ? by_rule : strcmp(x->text, y->text);
}

/* A function of a header is seen with every file that includes it, and said once. */
static void print_reports(void)
{
    if (report_count != 0) {
        qsort(reports, report_count, sizeof *reports, compare);
    }
    for (size_t i = 0; i < report_count; i++) {
        const struct report *r = &reports[i];
        if (i == 0 || compare(r, r - 1) != 0) {
            printf("%s:%u:%u: %s [%s]\n", r->file, r->line, r->column, r->text, r->rule);
        }
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

struct words {
    const char **item;
    size_t count;
};

static void add(struct words *w, const char *s)
{
    w->item = vet_grow(w->item, w->count, sizeof *w->item);
    w->item[w->count++] = s;
}

/* Prints what does not compile. */
static bool has_errors(CXTranslationUnit tu)
{
    bool bad = false;
    unsigned count = clang_getNumDiagnostics(tu);
    for (unsigned i = 0; i < count; i++) {
        CXDiagnostic d = clang_getDiagnostic(tu, i);
        if (clang_getDiagnosticSeverity(d) >= CXDiagnostic_Error) {
            fprintf(stderr, "%s\n", vet_string(clang_formatDiagnostic(
                                        d, clang_defaultDiagnosticDisplayOptions())));
            bad = true;
        }
        clang_disposeDiagnostic(d);
    }
    return bad;
}

static bool read_file(CXIndex index, const char *file, const struct words *flags,
                      struct CXUnsavedFile *prelude)
{
    CXTranslationUnit tu = NULL;
    enum CXErrorCode err =
        clang_parseTranslationUnit2(index, file, flags->item, (int)flags->count, prelude, 1,
                                    CXTranslationUnit_None, &tu);
    if (err != CXError_Success) {
        fprintf(stderr, "gort vet: %s cannot be read\n", file);
        return false;
    }
    bool good = !has_errors(tu);
    if (good) {
        struct unit u;
        vet_unit(&u, tu);
        for (size_t i = 0; i < RULES; i++) {
            bool again = i > 0 && rules[i - 1].run == rules[i].run && is_on(rules[i - 1].name);
            if (is_on(rules[i].name) && !again) {
                rules[i].run(&u);
            }
        }
    } else {
        fprintf(stderr, "gort vet: %s does not compile and was not looked at\n", file);
    }
    clang_disposeTranslationUnit(tu);
    return good;
}

/* The prefix that has include/gort.h: that of the command, which says so in GORT, or our own. */
static const char *include_directory(void)
{
    char self[PATH_MAX], real[PATH_MAX];
    const char *gort = getenv("GORT");
    int up = 2;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    if (gort == NULL || realpath(gort, real) == NULL) {
        snprintf(real, sizeof real, "%s", self);
        up = 3;
    }
    for (; up > 0; up--) {
        char *slash = strrchr(real, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    }
    char *dir = vet_format("%s/include", real);
    if (access(vet_format("%s/gort.h", dir), R_OK) != 0) {
        fail("there is no gort.h in ", dir);
    }
    char *true_name = realpath(dir, NULL);
    return true_name != NULL ? true_name : dir;
}

/* ---- arguments ------------------------------------------------------------------------------ */

static void help(void)
{
    printf("usage: gort vet [-RULE | -RULE=false]... [COMPILER OPTION]... FILE.c...\n\n"
           "Looks for mistakes in concurrent code. Status 1: found some; 2: bad usage, or a file\n"
           "does not compile. -RULE looks for these alone; -RULE=false for all but these. A\n"
           "comment `gort:vet ignore RULE reason` holds for its line and the next, with\n"
           "ignore-file for its file.\n\n");
    for (size_t i = 0; i < RULES; i++) {
        printf("  %-12s %s\n", rules[i].name, rules[i].what);
    }
}

static bool is_rule(const char *word)
{
    for (size_t i = 0; i < RULES; i++) {
        size_t n = strlen(rules[i].name);
        if (strncmp(word + 1, rules[i].name, n) != 0) {
            continue;
        }
        const char *value = word + 1 + n;
        if (*value == '\0' || strcmp(value, "=true") == 0) {
            rules[i].chosen = 1;
            return true;
        }
        if (strcmp(value, "=false") == 0) {
            rules[i].chosen = -1;
            return true;
        }
    }
    return false;
}

/* An option of the compiler whose value is the next word. */
static bool takes_value(const char *word)
{
    static const char *const names[] = {"-I", "-D", "-U", "-include", "-isystem", "-iquote",
                                        "-idirafter", "-target"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Options that change what a file means, or where its headers are. */
static bool is_for_reading(const char *word)
{
    static const char *const starts[] = {
        "-I", "-D", "-U", "-i", "-std=", "-ansi", "-pthread", "-target", "--target", "--sysroot",
        "-nostdinc", "-fshort-", "-funsigned-", "-fsigned-", "-fpack-struct"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (vet_starts(word, starts[i])) {
            return true;
        }
    }
    return false;
}

/* Other options that a compiler's command line may have. */
static bool is_for_building(const char *word)
{
    static const char *const starts[] = {"-W", "-O", "-g", "-f", "-m", "-w", "-l", "-L", "-s",
                                         "-o", "-c", "-pedantic", "-pipe", "-static", "-race",
                                         "-asan", "-valgrind", "-dynamic"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strlen(starts[i]);
        bool open = n == 2 && strchr("WOgfmlLo", starts[i][1]) != NULL;
        if (open ? vet_starts(word, starts[i]) : strcmp(word, starts[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void read_arguments(char **argv, struct words *flags, struct words *files)
{
    for (; *argv != NULL; argv++) {
        const char *word = *argv;
        if (strcmp(word, "-h") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "--help") == 0) {
            help();
            exit(0);
        }
        if (word[0] != '-') {
            size_t n = strlen(word);
            if (n < 3 || strcmp(word + n - 2, ".c") != 0) {
                fail("reads C files only, not ", word);
            }
            add(files, word);
        } else if (is_rule(word)) {
            continue;
        } else if (is_for_reading(word)) {
            add(flags, word);
            if (takes_value(word) && argv[1] != NULL) {
                add(flags, *++argv);
            }
        } else if (!is_for_building(word)) {
            fail("there is no rule and no option ", word);
        } else if (strcmp(word, "-o") == 0 && argv[1] != NULL) {
            argv++;
        }
    }
    if (files->count == 0) {
        fail("no file named (gort vet -h says more)", "");
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    struct words flags = {0}, files = {0};
    const char *include = include_directory();
    const char *prelude_name = vet_format("%s/gort-vet-prelude.h", include);
    static const char *const fixed[] = {"-x", "c", "-std=gnu17", "-w", "-fblocks", "-include"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        add(&flags, fixed[i]);
    }
    add(&flags, prelude_name);
    read_arguments(argv + 1, &flags, &files);
    add(&flags, vet_format("-I%s", include));
    struct CXUnsavedFile prelude = {prelude_name, vet_prelude, strlen(vet_prelude)};
    CXIndex index = clang_createIndex(0, 0);
    bool good = true;
    for (size_t i = 0; i < files.count; i++) {
        good = read_file(index, files.item[i], &flags, &prelude) && good;
    }
    clang_disposeIndex(index);
    print_reports();
    if (fflush(stdout) != 0) {
        fail("cannot write the answer", "");
    }
    return !good ? 2 : report_count != 0 ? 1 : 0;
}
