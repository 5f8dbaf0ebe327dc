/* SPDX-License-Identifier: MIT */
/* build.c: from sources to a program in the cache.
 *
 * Each source is compiled on its own, one after the other on the user's terminal, so that messages,
 * colours and their order are the compiler's. A source that fails does not keep the others from
 * showing their errors. Then everything is linked: with the C++ compiler if any source is C++, with
 * the modules whose headers the sources included, and with libgort.
 *
 * The keys (key.c) are taken from the files as they are after the compiler has read them. A file
 * that changed in between would put a program under the key of a text it was not made from, and
 * every later run would find it there. So the build first lets the clock of the file system pass
 * the present (next_tick); from then on, whatever changes has a change time at or past that tick,
 * which
 *
 *   B1  a file whose change time is not before the tick makes the program one that is run now and
 *       never found again.                         (tests/cli: changed while it compiles)
 *
 * The change time and not the modification time, because nobody can set it. (A file server whose
 * clock lags behind this machine's can still hide an edit made during those milliseconds.)
 */
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

struct build {
    const struct plan *plan;
    char *temp;
    struct timespec begin;      /* the tick of B1 */
    struct list objects;
    struct list deps;           /* sources and headers, as the compilers named them */
    struct list linked;         /* what the linker read */
    bool complete;              /* the two lists are */
};

/* A moment such that whatever has been stamped is before it, and whatever will be is not. Files are
 * stamped by a clock that moves in steps of some milliseconds and may lag behind the fine one by a
 * step; since Linux 6.13 by the fine one, where somebody has asked for the file's times before. So
 * the coarse clock has to pass what the fine one says now. */
static struct timespec next_tick(void)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000};
    struct timespec first;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &first);
    do { /* ends after a step or two */
        nanosleep(&pause, NULL);
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    } while (now.tv_sec < first.tv_sec ||
             (now.tv_sec == first.tv_sec && now.tv_nsec <= first.tv_nsec));
    return now;
}

static bool changed_since(const char *path, const struct timespec *t)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return true;
    }
    return st.st_ctim.tv_sec > t->tv_sec ||
           (st.st_ctim.tv_sec == t->tv_sec && st.st_ctim.tv_nsec >= t->tv_nsec);
}

/* Runs a step; false when it failed, after saying so where the tool could not. */
static bool step(const struct list *argv)
{
    int status = cli_run(argv);
    if (status == -1) {
        cli_warn("%s: %s", argv->item[0], strerror(errno));
    } else if (WIFSIGNALED(status)) {
        int sig = WTERMSIG(status);
        cli_warn("%s ended by signal %d (%s)", argv->item[0], sig, strsignal(sig));
    }
    return status == 0;
}

/* Compiler and flags: all but what goes in and what comes out. */
static void compiler_words(const struct build *b, const char *source, struct list *argv)
{
    const struct request *r = b->plan->request;
    enum lang lang = cli_lang(source);
    const struct compiler *c = lang == LANG_CXX ? &b->plan->cxx : &b->plan->cc;
    cli_add_all(argv, &c->words);
    cli_compiler_flags(c, lang, r->mode, argv);
    cli_env_words("CPPFLAGS", argv);
    cli_env_words(lang == LANG_CXX ? "CXXFLAGS" : "CFLAGS", argv);
    cli_add_all(argv, &r->std[lang]);
    cli_add_all(argv, &r->compile);
    cli_layout_cflags(b->plan->layout, argv);
}

static void compile_command(const struct build *b, const char *source, const char *object,
                            const char *depfile, struct list *argv)
{
    compiler_words(b, source, argv);
    cli_add(argv, "-MD");
    cli_add(argv, "-MF");
    cli_add(argv, depfile);
    cli_add(argv, "-MT");
    cli_add(argv, "object");
    cli_add(argv, "-c");
    cli_add(argv, source);
    cli_add(argv, "-o");
    cli_add(argv, object);
}

static void add_once(struct list *to, const struct list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!cli_has(to, from->item[i])) {
            cli_add(to, from->item[i]);
        }
    }
}

/* Without optimisation gcc takes a go_do that uses a variable it does not list; the program would
 * fault. With optimisation it reports that, so what was compiled without is compiled once more for
 * its errors alone (include/gort/detail/go_do.h gives the bodies the name looked for). */
static bool captures_are_listed(const struct build *b, const char *source, const char *object)
{
    static const char mark[] = "go_do_unoptimised_";
    static const char *const rest[] = {"-O1", "-Wno-error", "-Wsystem-headers", "-S", "-o",
                                       "/dev/null"};
    struct list argv = {0};
    size_t size;
    char *out;
    const char *text = cli_read(object, &size);
    if (text == NULL || memmem(text, size, mark, sizeof mark - 1) == NULL) {
        return true;
    }
    compiler_words(b, source, &argv);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        cli_add(&argv, rest[i]);
    }
    cli_add(&argv, source);
    if (cli_run_capture(&argv, &out) == 0 || strstr(out, "_go_do_uses_a_variable") == NULL) {
        return true;
    }
    fputs(out, stderr);
    return false;
}

static bool compile(struct build *b, size_t index)
{
    struct list argv = {0};
    struct list deps = {0};
    const char *source = b->plan->request->sources.item[index];
    char *object = cli_fmt("%s/%zu.o", b->temp, index);
    char *depfile = cli_fmt("%s/%zu.d", b->temp, index);
    compile_command(b, source, object, depfile, &argv);
    if (!step(&argv) || !captures_are_listed(b, source, object)) {
        return false;
    }
    cli_add(&b->objects, object);
    /* An assembler source without preprocessing (.s) includes nothing and has no such file. */
    if (cli_ends(source, ".s")) {
        cli_add(&deps, source);
    } else if (!cli_deps(depfile, &deps)) {
        b->complete = false;
    }
    add_once(&b->deps, &deps);
    return true;
}

/* ld, lld and mold can write down what they read; gold cannot. */
static bool linker_tells(const struct list *argv)
{
    return !cli_has(argv, "-fuse-ld=gold");
}

/* The program names the script that shows goroutines in gdb, which loads it where it trusts files,
 * and otherwise says what allows it: Go's programs do the same. Nothing of it is loaded when the
 * program runs. NULL: there is no script. */
static char *name_gdb_script(const struct build *b)
{
    char *source = cli_fmt("%s/gdb.s", b->temp);
    const char *script = b->plan->layout->gdb;
    if (script == NULL || strpbrk(script, "\"\\\n") != NULL ||
        !cli_write(source, cli_fmt(".section .debug_gdb_scripts,\"MS\",@progbits,1\n"
                                   ".byte 1\n"
                                   ".asciz \"%s\"\n"
                                   ".section .note.GNU-stack,\"\",@progbits\n",
                                   script))) {
        return NULL;
    }
    return source;
}

static void link_command(const struct build *b, const char *program, struct list *argv)
{
    const struct plan *p = b->plan;
    const struct request *r = p->request;
    struct list modules = {0};
    cli_add_all(argv, p->has_cxx ? &p->cxx.words : &p->cc.words);
    cli_mode_flags(r->mode, argv);
    cli_add(argv, "-pthread");
    /* Function names in traces where debug information is missing. */
    cli_add(argv, "-rdynamic");
    cli_env_words(p->has_cxx ? "CXXFLAGS" : "CFLAGS", argv);
    cli_env_words("LDFLAGS", argv);
    cli_add_all(argv, &b->objects);
    char *gdb_script = name_gdb_script(b);
    if (gdb_script != NULL) {
        cli_add(argv, gdb_script);
    }
    cli_add_all(argv, &r->link);
    cli_deps_modules(p->layout, &b->deps, &modules);
    for (size_t i = 0; i < modules.count; i++) {
        cli_layout_module(p->layout, modules.item[i], r->shared, argv);
    }
    cli_layout_libs(p->layout, r->shared, argv);
    if (linker_tells(argv)) {
        cli_add(argv, cli_fmt("-Wl,--dependency-file=%s/link.d", b->temp));
    }
    cli_add(argv, "-o");
    cli_add(argv, program);
}

static bool link_program(struct build *b)
{
    struct list argv = {0};
    struct list read = {0};
    link_command(b, cli_fmt("%s/out/%s", b->temp, b->plan->name), &argv);
    if (!step(&argv)) {
        if (b->plan->request->mode == MODE_RACE || b->plan->request->mode == MODE_ASAN) {
            cli_warn("if the sanitizer's runtime is missing: gort doctor names the package");
        }
        return false;
    }
    if (!linker_tells(&argv)) {
        add_once(&b->linked, &b->plan->request->inputs);
        return true;
    }
    if (!cli_deps(cli_fmt("%s/link.d", b->temp), &read)) {
        b->complete = false;
    }
    for (size_t i = 0; i < read.count; i++) {
        /* Our own objects, and those that link-time optimisation made and removed, do not count. */
        if (!cli_starts(read.item[i], b->temp) && cli_is_file(read.item[i])) {
            cli_add(&b->linked, read.item[i]);
        }
    }
    return true;
}

/* The list for the cache, or false: the program may not be found again (B1). */
static bool manifest(const struct build *b, struct list *out)
{
    for (size_t i = 0; i < b->deps.count; i++) {
        if (changed_since(b->deps.item[i], &b->begin)) {
            return false;
        }
        cli_add(out, cli_fmt("c%s", b->deps.item[i]));
    }
    for (size_t i = 0; i < b->linked.count; i++) {
        if (changed_since(b->linked.item[i], &b->begin)) {
            return false;
        }
        cli_add(out, cli_fmt("s%s", b->linked.item[i]));
    }
    return b->complete;
}

char *cli_build(const struct plan *p)
{
    struct build b = {.plan = p, .temp = cli_cache_temp(), .begin = next_tick(), .complete = true};
    struct list deps = {0};
    bool good = true;
    for (size_t i = 0; i < p->request->sources.count; i++) {
        good = compile(&b, i) && good;
    }
    if (!good || !link_program(&b)) {
        cli_cache_temp_drop();
        exit(CLI_FAILED);
    }
    return cli_cache_store(p, b.temp, manifest(&b, &deps) ? &deps : NULL);
}
