/* SPDX-License-Identifier: MIT */
/* run.c: gort run and gort build.
 *
 * `gort run` does not start the program, it becomes the program: exit status, signals, terminal and
 * process id are the program's own with nobody in between. The program is found or built first.
 *
 * The checking modes want something of the environment as well. What the user has set there counts
 * more than what is put in here, so ours goes in front of theirs: all these tools let the last word
 * win. A report ends with status 66 in each mode, as with Go's race detector.
 */
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { RANDOM_BITS_SAFE = 28 };

static void need_library(struct layout *l)
{
    cli_layout(l);
    for (size_t i = 0; i < l->problems.count; i++) {
        cli_warn("%s", l->problems.item[i]);
    }
    if (l->problems.count > 0) {
        cli_die(CLI_FAILED, "the library of %s is not complete (gort doctor says more)", l->exe);
    }
}

static char *found_or_built(const struct plan *p)
{
    char *program = p->request->rebuild ? NULL : cli_cache_find(p);
    if (program == NULL) {
        return cli_build(p);
    }
    if (cli_verbose) {
        cli_warn("unchanged: %s", program);
    }
    return program;
}

static void put_before(const char *name, const char *ours, const char *between)
{
    const char *theirs = getenv(name);
    if (theirs == NULL || *theirs == '\0') {
        setenv(name, ours, 1);
    } else {
        setenv(name, cli_fmt("%s%s%s", ours, between, theirs), 1);
    }
}

/* Older sanitizer runtimes find no room for their shadow when the kernel randomises addresses by
 * more than 28 bits, as Ubuntu's and others' do. Without randomisation they do. Where a container
 * forbids the change, the runtime says itself what is wrong. */
static void steady_addresses(void)
{
    char *text = cli_read("/proc/sys/vm/mmap_rnd_bits", NULL);
    int now = personality(0xffffffff);
    if ((text == NULL || atoi(text) > RANDOM_BITS_SAFE) && now >= 0) {
        (void)personality((unsigned long)now | ADDR_NO_RANDOMIZE);
    }
}

static void prepare(const struct request *r, const struct layout *l)
{
    switch (r->mode) {
    case MODE_RACE:
        put_before("TSAN_OPTIONS", "exitcode=66", ":");
        steady_addresses();
        break;
    case MODE_ASAN:
        put_before("ASAN_OPTIONS", "exitcode=66", ":");
        put_before("UBSAN_OPTIONS", "exitcode=66:print_stacktrace=1", ":");
        steady_addresses();
        break;
    case MODE_VALGRIND: {
        const char *options = "-q --error-exitcode=66 --leak-check=full --num-callers=30 "
                              "--show-leak-kinds=definite --errors-for-leak-kinds=definite "
                              "--fair-sched=try --max-threads=10000";
        char *suppressions = cli_fmt("%s/gort/valgrind.supp", l->lib);
        if (cli_is_file(suppressions)) {
            options = cli_fmt("%s --suppressions=%s", options, suppressions);
        }
        put_before("VALGRIND_OPTS", options, " ");
        break;
    }
    case MODE_PLAIN:
        break;
    }
}

/* Comes back only if the program could not be executed. */
static void become(const struct request *r, const struct plan *p, const char *program,
                   const char *valgrind)
{
    struct list argv = {0};
    const char *path = program;
    if (valgrind != NULL) {
        /* It opens the program itself, some time after exec. */
        cli_cache_keep();
        cli_add(&argv, "valgrind");
        cli_add(&argv, program);
        path = valgrind;
    } else {
        /* The name that a shell would have given it. */
        cli_add(&argv, p->name);
    }
    cli_add_all(&argv, &r->args);
    cli_say_command(&argv);
    execv(path, argv.item);
}

static void put_out(const char *program, const char *out)
{
    struct stat st;
    /* -o /dev/null asks whether it builds; renaming over the device would be a poor answer. */
    if (strcmp(out, "/dev/null") == 0) {
        return;
    }
    if (stat(out, &st) == 0 && !S_ISREG(st.st_mode)) {
        cli_die(CLI_FAILED, "%s exists and is not a regular file", out);
    }
    if (!cli_copy_file(program, out)) {
        cli_die(CLI_FAILED, "cannot write %s: %s", out, strerror(errno));
    }
}

int cli_cmd_run(char **argv)
{
    struct request r;
    struct layout l;
    struct plan p;
    char *valgrind = NULL;
    cli_args(&r, argv, true);
    need_library(&l);
    if (r.mode == MODE_VALGRIND) {
        valgrind = cli_find_program("valgrind");
        if (valgrind == NULL) {
            cli_die(CLI_FAILED, "there is no valgrind in PATH (Debian: apt-get install valgrind)");
        }
    }
    cli_plan(&p, &r, &l);
    char *program = found_or_built(&p);
    if (r.out != NULL && strcmp(r.out, "/dev/null") != 0) {
        put_out(program, r.out);
        program = cli_real(r.out);
    }
    prepare(&r, &l);
    become(&r, &p, program, valgrind);
    if (errno == EACCES) {
        cli_die(CLI_FAILED, "%s cannot be executed; if its file system is mounted noexec, let "
                "XDG_CACHE_HOME name another", program);
    }
    cli_die(CLI_FAILED, "%s cannot be executed: %s", program, strerror(errno));
}

int cli_cmd_build(char **argv)
{
    struct request r;
    struct layout l;
    struct plan p;
    cli_args(&r, argv, false);
    need_library(&l);
    cli_plan(&p, &r, &l);
    const char *out = r.out != NULL ? r.out : p.name;
    if (cli_is_dir(out)) {
        out = cli_fmt("%s/%s", out, p.name);
        if (cli_is_dir(out)) {
            cli_die(CLI_FAILED, "%s is a directory; -o names another place", out);
        }
    }
    put_out(found_or_built(&p), out);
    return 0;
}
