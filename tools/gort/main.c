/* SPDX-License-Identifier: MIT */
/* main.c: the commands, their help, and the way to the helper programs.
 *
 * The table is the only list of commands. A command without a function is a program gort-NAME of
 * this installation: the larger tools (vet, top, ...) are separate so that this one stays small and
 * depends on nothing. GORT in their environment is the path of this program, whose `env` tells
 * them all else. Their names are taken, but help speaks only of those that are there.
 */
#include "cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
    const char *name;
    int (*run)(char **argv);
    const char *synopsis;
    const char *summary;
    const char *text;
};

#define SOURCE_OPTIONS \
    "  -race       find data races (ThreadSanitizer); status 66 after a report\n" \
    "  -asan       find memory errors and undefined behaviour; status 66 after a report\n" \
    "  -valgrind   run under valgrind; status 66 after a report (build: compile for it)\n" \
    "  -O n        optimise (0 1 2 3 s z g fast); 2, and 1 with the three above\n" \
    "  -dynamic    link libgort.so; libgort.a otherwise\n" \
    "  -a          build even if nothing changed\n" \
    "  -v          print the commands\n" \
    "  -I -D -U -L -l -W -f -m -g -std=...   go to the compiler\n" \
    "\n" \
    "FILE is .c .cc .cpp .cxx .S, or .o .a .so. Unless told otherwise C is compiled with\n" \
    "-std=gnu17 -O2 -g -Wall -fno-omit-frame-pointer, C++ with -std=gnu++17. CC, CXX, CPPFLAGS,\n" \
    "CFLAGS, CXXFLAGS and LDFLAGS count. A module is linked because its header is included.\n"

static const struct command commands[] = {
    {"run", cli_cmd_run, "[OPTION]... FILE... [-- ARGUMENT...]", "compile, link and run a program",
     "Builds the program unless an unchanged one is in the cache, and becomes it: its exit status\n"
     "and its signals are the program's own. Status 1: it did not compile; 2: bad usage.\n"
     "\n"
     "  -o OUT      leave the program at OUT as well\n"
     SOURCE_OPTIONS},
    {"build", cli_cmd_build, "[-o OUT] [OPTION]... FILE...", "compile and link a program",
     "Puts the program at OUT, or under the first file's name in this directory.\n"
     "\n"
     SOURCE_OPTIONS},
    {"env", cli_cmd_env, "[--cflags] [--libs [--static]] [-race | -asan]",
     "print what a compiler needs to know",
     "  cc $(gort env --cflags) program.c $(gort env --libs)\n"
     "\n"
     "--libs means libgort.so, --libs --static libgort.a. Without arguments: variables.\n"},
    {"doctor", cli_cmd_doctor, "", "say what this machine has and lacks",
     "Looks at compilers, kernel, limits, libraries and tools, and builds and runs a small\n"
     "program. Each line says ok, note or missing, what that means and what to install. Status 1\n"
     "if something is missing that Gort cannot do without.\n"},
    {"clean", cli_cmd_clean, "[-keep SIZE]", "empty the cache of built programs",
     "With -keep 100M the programs last used stay, up to that size. The cache trims itself to\n"
     "512 MiB anyway. It is $XDG_CACHE_HOME/gort, ~/.cache/gort or /tmp/gort-UID.\n"},
    {"version", cli_cmd_version, "", "print the version", ""},
    {"knobs", cli_cmd_knobs, "", "list what GORTDEBUG understands", ""},
    {"vet", NULL, "[-RULE[=false]]... [OPTION]... FILE.c...",
     "look for mistakes in concurrent code",
     "Reads the files and does not run them; gort vet -h lists the rules. -RULE looks for that\n"
     "alone, -RULE=false for all but that; other options are those of build. Status 1 when it\n"
     "found something, 2 when a file does not compile. A comment\n"
     "`gort:vet ignore RULE reason` holds for its line and the next.\n"},
    {"dump", NULL, "PID", "print every goroutine of a running program", ""},
    {"top", NULL, "[-b] [-d SECONDS] [-n COUNT] [-l LINES] PID", "watch a running program",
     "Shows what its goroutines do, without stopping it. gort top -h says more.\n"},
    {"trace", NULL, "[-o PAGE] FILE", "turn an execution trace into a page",
     "GORTDEBUG=trace=FILE in a program's environment, or go_trace_start, makes the trace; this\n"
     "makes one page of HTML of it, FILE.html, that needs nothing else: the timeline of every P\n"
     "and goroutine, who woke whom, regions, and where the time went. ui.perfetto.dev opens the\n"
     "same FILE.\n"},
    {"profile", NULL, "[-o FILE] [-s FILE] [-d SECONDS] [-F HERTZ] PID | PROGRAM [ARGUMENT...]",
     "where processor time goes, by goroutine",
     "Samples a running program, or one that it starts, from outside: no signal is sent, and the\n"
     "program is not stopped. Writes profile.pb.gz for pprof, and with -s the text of perf\n"
     "script. Best of programs built with -fno-omit-frame-pointer; gort profile -h says more.\n"},
    {"help", cli_cmd_help, "[COMMAND]", "this, or help on one command", ""},
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* Where the program of a command is, or NULL; `looked` gets the places looked in. */
static char *helper_of(const struct command *c, struct layout *l, struct list *looked)
{
    cli_layout(l);
    return cli_layout_helper(l, c->name, looked);
}

/* Why a helper program may be missing, for messages. */
static const char *needs_of(const struct command *c)
{
    return strcmp(c->name, "vet") == 0 ? "; it is built where libclang is (Debian: libclang-dev)"
                                       : "";
}

static bool is_here(const struct command *c)
{
    struct layout l;
    struct list looked = {0};
    return c->run != NULL || helper_of(c, &l, &looked) != NULL;
}

static void print_commands(FILE *to)
{
    fprintf(to, "Gort: Go's concurrency for C.\n\nusage: gort COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (is_here(&commands[i])) {
            fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
        }
    }
    fprintf(to, "\ngort help COMMAND says more about one.\n");
}

static void print_help(const struct command *c)
{
    printf("usage: gort %s%s%s\n\n", c->name, *c->synopsis != '\0' ? " " : "", c->synopsis);
    if (*c->text != '\0') {
        fputs(c->text, stdout);
    } else {
        printf("%s\n", c->summary);
    }
}

int cli_cmd_help(char **argv)
{
    if (*argv == NULL) {
        print_commands(stdout);
        return 0;
    }
    const struct command *c = find(*argv);
    if (c == NULL) {
        cli_die(CLI_USAGE, "unknown command %s (gort help lists them)", *argv);
    }
    if (argv[1] != NULL) {
        cli_die(CLI_USAGE, "takes one command at a time");
    }
    if (!is_here(c)) {
        cli_die(CLI_NO_HELPER, "this installation has no gort-%s%s", c->name, needs_of(c));
    }
    print_help(c);
    return 0;
}

static bool asks_for_help(char **argv)
{
    for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
        if (strcmp(*argv, "-h") == 0 || strcmp(*argv, "-help") == 0 ||
            strcmp(*argv, "--help") == 0) {
            return true;
        }
    }
    return false;
}

/* Becomes gort-NAME. */
static int run_helper(const struct command *c, char **argv)
{
    struct layout l;
    struct list looked = {0};
    struct list words = {0};
    char *program = helper_of(c, &l, &looked);
    if (program == NULL) {
        cli_die(CLI_NO_HELPER, "this installation has no gort-%s (looked in %s, and PATH)%s",
                c->name, cli_join(&looked), needs_of(c));
    }
    cli_add(&words, program);
    for (; *argv != NULL; argv++) {
        cli_add(&words, *argv);
    }
    setenv("GORT", l.exe, 1);
    execv(program, words.item);
    cli_die(CLI_FAILED, "%s: %s", program, strerror(errno));
}

/* Words that people try, for what is called otherwise here. */
static const char *spelling(const char *name)
{
    static const char *const same[][2] = {
        {"-h", "help"}, {"-help", "help"}, {"--help", "help"},
        {"-v", "version"}, {"-version", "version"}, {"--version", "version"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        if (strcmp(name, same[i][0]) == 0) {
            return same[i][1];
        }
    }
    return name;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_commands(stderr);
        return CLI_USAGE;
    }
    const struct command *c = find(spelling(argv[1]));
    if (c == NULL) {
        if (cli_lang(argv[1]) != LANG_COUNT) {
            cli_die(CLI_USAGE, "unknown command %s; did you mean: gort run %s", argv[1], argv[1]);
        }
        cli_die(CLI_USAGE, "unknown command %s (gort help lists them)", argv[1]);
    }
    cli_name = cli_fmt("gort %s", c->name);
    if (c->run == NULL) {
        return run_helper(c, argv + 2);
    }
    if (asks_for_help(argv + 2)) {
        print_help(c);
        return 0;
    }
    int status = c->run(argv + 2);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_die(CLI_FAILED, "cannot write the answer: %s", strerror(errno));
    }
    return status;
}
