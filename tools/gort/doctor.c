/* SPDX-License-Identifier: MIT */
/* doctor.c: gort doctor, which says what this machine has and lacks.
 *
 * A line for each thing: whether it is there, what that means, what to install. Only what Gort
 * cannot do without (a compiler it knows, its own headers and library, a program that builds and
 * runs) makes the exit status 1; all else only makes Gort slower or poorer. The last word is a
 * trial: a program with a goroutine goes the same way as the user's would.
 */
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GCC_OLDEST = 12, CLANG_OLDEST = 14 };

static int failures;

void cli_report(enum verdict v, const char *what, const char *fmt, ...)
{
    static const char *const words[PROBE_COUNT] = {"ok", "note", "missing", "FAILED"};
    va_list ap;
    va_start(ap, fmt);
    printf("  %-8s %-17s %s\n", words[v], what, cli_vfmt(fmt, ap));
    va_end(ap);
    failures += v == PROBE_FAILED;
}

void cli_report_title(const char *title)
{
    printf("%s\n", title);
    /* Some probes take a moment; what is known already should be seen. */
    fflush(stdout);
}

static bool probe_compiler(struct compiler *c, bool cxx)
{
    const char *what = cxx ? "C++ compiler" : "C compiler";
    if (!cli_compiler_find(c, cxx)) {
        cli_report(cxx ? PROBE_MISSING : PROBE_FAILED, what,
                   cxx ? "for .cc files (apt-get install g++)" : "apt-get install gcc, or set CC");
        return false;
    }
    int oldest = c->clang ? CLANG_OLDEST : GCC_OLDEST;
    if (c->major < oldest) {
        cli_report(cxx ? PROBE_MISSING : PROBE_FAILED, what, "%s is too old: gcc from %d, clang "
                   "from %d on", c->version, GCC_OLDEST, CLANG_OLDEST);
        return false;
    }
    cli_report(PROBE_OK, what, "%s: %s", cli_join(&c->words), c->version);
    return true;
}

static void probe_library(const struct layout *l)
{
    cli_report_title("gort");
    if (l->problems.count == 0) {
        cli_report(PROBE_OK, "version", "%s, in %s", l->version, l->prefix);
        cli_report(PROBE_OK, "headers", "%s/gort.h", l->include);
        cli_report(PROBE_OK, "library", "%s%s%s", l->archive != NULL ? l->archive : "",
                   l->archive != NULL && l->shared != NULL ? ", " : "",
                   l->shared != NULL ? l->shared : "");
    }
    for (size_t i = 0; i < l->problems.count; i++) {
        cli_report(PROBE_FAILED, "library", "%s", l->problems.item[i]);
    }
}

static char *probe_cache(void)
{
    struct list why_not = {0};
    int programs;
    char *cache = cli_cache_try(&why_not);
    for (size_t i = 0; i < why_not.count; i++) {
        cli_report(cache != NULL ? PROBE_NOTE : PROBE_FAILED, "cache", "%s", why_not.item[i]);
    }
    if (cache != NULL) {
        int64_t bytes = cli_cache_size(cache, &programs);
        cli_report(PROBE_OK, "cache", "%s: %d programs, %.1f MiB", cache, programs,
                   (double)bytes / (1 << 20));
    }
    return cache;
}

/* `gort run` on a program with a goroutine; its GOMAXPROCS, or 0. */
static int trial(const struct layout *l, const char *cache)
{
    static const char text[] =
        "#include <gort.h>\n"
        "#include <stdio.h>\n"
        "static void ask(int *answer) { *answer = go_maxprocs(0); }\n"
        "int main(void)\n"
        "{\n"
        "    int answer = 0;\n"
        "    go_waitgroup wg = {0};\n"
        "    go_wg_go(&wg, ask, &answer);\n"
        "    go_wg_wait(&wg);\n"
        "    printf(\"GOMAXPROCS=%d\\n\", answer);\n"
        "    return 0;\n"
        "}\n";
    struct list argv = {0};
    char *out = cli_copy("");
    /* One name for all trials, so that they leave one program in the cache. */
    char *source = cli_fmt("%s/trial.c", cache);
    cli_write(source, text);
    cli_add(&argv, l->exe);
    cli_add(&argv, "run");
    cli_add(&argv, "-a");
    cli_add(&argv, source);
    int status = cli_run_capture(&argv, &out);
    const char *answer = strstr(out, "GOMAXPROCS=");
    if (status == 0 && answer != NULL) {
        cli_report(PROBE_OK, "trial", "a program with a goroutine builds and runs");
        return atoi(answer + strlen("GOMAXPROCS="));
    }
    cli_report(PROBE_FAILED, "trial", "a small program does not build or run (status %d):",
               cli_status(status));
    fputs(out, stdout);
    return 0;
}

int cli_cmd_doctor(char **argv)
{
    struct layout l;
    struct compiler cc;
    struct compiler cxx;
    if (*argv != NULL) {
        cli_die(CLI_USAGE, "takes no arguments");
    }
    cli_layout(&l);
    probe_library(&l);
    char *cache = probe_cache();
    cli_report_title("compilers");
    bool has_cc = probe_compiler(&cc, false);
    probe_compiler(&cxx, true);
    int procs = 0;
    if (has_cc && cache != NULL) {
        cli_probe_sanitizers(&cc);
        if (l.problems.count == 0) {
            procs = trial(&l, cache);
        }
    }
    cli_probe_kernel();
    cli_probe_processors(procs);
    cli_probe_limits();
    cli_probe_libraries(&l, has_cc ? &cc : NULL);
    cli_probe_tools();
    printf(failures == 0 ? "Nothing that Gort needs is missing.\n"
                         : "Gort cannot work here until what FAILED is mended.\n");
    return failures == 0 ? 0 : CLI_FAILED;
}
