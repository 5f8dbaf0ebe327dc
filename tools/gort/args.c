/* SPDX-License-Identifier: MIT */
/* args.c: the arguments of `gort run` and `gort build`.
 *
 * Files, Gort's own options and compiler flags may come in any order up to `--`. A flag is passed
 * on only if the table knows its family, because the step it belongs to (compiling, linking, both)
 * and whether it takes the next word must be known; a misspelt option of ours would otherwise come
 * back as a puzzling message of the compiler. What the table lacks can be given in CFLAGS, CXXFLAGS
 * and LDFLAGS, which are passed on unread.
 */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

enum where { COMPILE = 1, LINK = 2, BOTH = 3 };
enum form {
    EXACT,      /* -w */
    BEGINS,     /* -Wshadow: anything may follow in the same word */
    VALUE,      /* -Idir or -I dir */
    NEXT        /* -include file */
};

struct family {
    const char *name;
    enum form form;
    enum where where;
};

/* The first match counts, so -Wl, stands before -W. */
static const struct family families[] = {
    {"-I", VALUE, COMPILE},
    {"-D", VALUE, COMPILE},
    {"-U", VALUE, COMPILE},
    {"-L", VALUE, LINK},
    {"-l", VALUE, LINK},
    {"-B", VALUE, BOTH},
    {"-isystem", VALUE, COMPILE},
    {"-iquote", VALUE, COMPILE},
    {"-idirafter", VALUE, COMPILE},
    {"-isysroot", VALUE, BOTH},
    {"-include", NEXT, COMPILE},
    {"-imacros", NEXT, COMPILE},
    {"-Xpreprocessor", NEXT, COMPILE},
    {"-Xassembler", NEXT, COMPILE},
    {"-Xclang", NEXT, COMPILE},
    {"-Xlinker", NEXT, LINK},
    {"-target", NEXT, BOTH},
    {"--param", NEXT, BOTH},
    {"--param=", BEGINS, BOTH},
    {"--sysroot", NEXT, BOTH},
    {"--sysroot=", BEGINS, BOTH},
    {"--target=", BEGINS, BOTH},
    {"-Wl,", BEGINS, LINK},
    {"-W", BEGINS, COMPILE},
    {"-f", BEGINS, BOTH},
    {"-m", BEGINS, BOTH},
    {"-g", BEGINS, BOTH},
    {"-stdlib=", BEGINS, BOTH},
    {"-pedantic", BEGINS, COMPILE},
    {"-ansi", EXACT, COMPILE},
    {"-w", EXACT, COMPILE},
    {"-pipe", EXACT, COMPILE},
    {"-nostdinc", BEGINS, COMPILE},
    {"-undef", EXACT, COMPILE},
    {"-pthread", EXACT, BOTH},
    {"-p", EXACT, BOTH},
    {"-pg", EXACT, BOTH},
    {"-pie", EXACT, LINK},
    {"-no-pie", EXACT, LINK},
    {"-rdynamic", EXACT, LINK},
    {"-static", BEGINS, LINK},
    {"-s", EXACT, LINK},
    {"-u", VALUE, LINK},
    {"-T", VALUE, LINK},
    {"-z", VALUE, LINK},
};

static bool family_takes(const struct family *f, const char *arg)
{
    if (f->form == EXACT || f->form == NEXT) {
        return strcmp(arg, f->name) == 0;
    }
    return cli_starts(arg, f->name);
}

static const char *needs_value(char ***argv, const char *option)
{
    const char *value = *++*argv;
    if (value == NULL) {
        cli_die(CLI_USAGE, "%s needs a value", option);
    }
    return value;
}

/* A compiler flag: true when it was one, with its value consumed. */
static bool take_flag(struct request *r, char ***argv)
{
    const char *arg = **argv;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const struct family *f = &families[i];
        if (!family_takes(f, arg)) {
            continue;
        }
        struct list words = {0};
        cli_add(&words, arg);
        if (f->form == NEXT || (f->form == VALUE && strcmp(arg, f->name) == 0)) {
            cli_add(&words, needs_value(argv, arg));
        }
        if (f->where & COMPILE) {
            cli_add_all(&r->compile, &words);
        }
        if (f->where & LINK) {
            cli_add_all(&r->link, &words);
        }
        return true;
    }
    return false;
}

/* -O2 or -O 2. */
static void take_level(struct request *r, char ***argv)
{
    static const char *const levels[] = {"0", "1", "2", "3", "s", "z", "g", "fast"};
    const char *level = **argv + 2;
    if (*level == '\0') {
        level = needs_value(argv, "-O");
    }
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(level, levels[i]) == 0) {
            const char *flag = cli_fmt("-O%s", level);
            cli_add(&r->compile, flag);
            cli_add(&r->link, flag);
            return;
        }
    }
    cli_die(CLI_USAGE, "-O %s: the levels are 0 1 2 3 s z g fast", level);
}

static void take_mode(struct request *r, enum mode mode)
{
    if (r->mode != MODE_PLAIN && r->mode != mode) {
        cli_die(CLI_USAGE, "-race, -asan and -valgrind exclude one another");
    }
    r->mode = mode;
}

/* One of Gort's own options, with one dash or two. */
static bool take_own(struct request *r, char ***argv)
{
    const char *arg = **argv;
    const char *name = cli_starts(arg, "--") ? arg + 1 : arg;
    if (strcmp(name, "-race") == 0) {
        take_mode(r, MODE_RACE);
    } else if (strcmp(name, "-asan") == 0) {
        take_mode(r, MODE_ASAN);
    } else if (strcmp(name, "-valgrind") == 0) {
        take_mode(r, MODE_VALGRIND);
    } else if (strcmp(name, "-dynamic") == 0) {
        r->shared = true;
    } else if (strcmp(name, "-v") == 0) {
        cli_verbose = true;
    } else if (strcmp(name, "-a") == 0) {
        r->rebuild = true;
    } else if (cli_starts(arg, "-O")) {
        take_level(r, argv);
    } else if (cli_starts(arg, "-o")) {
        r->out = cli_copy(arg[2] != '\0' ? arg + 2 : needs_value(argv, "-o"));
    } else if (cli_starts(arg, "-std=")) {
        cli_add(&r->std[strchr(arg, '+') != NULL ? LANG_CXX : LANG_C], arg);
    } else {
        return false;
    }
    return true;
}

static void refuse(const char *arg)
{
    static const char *const steps[] = {"-c", "-S", "-E", "-M", "-MM", "-MD", "-MMD", "-MF", "-x",
                                        "-shared", "-r"};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(arg, steps[i]) == 0) {
            cli_die(CLI_USAGE, "%s: %s makes whole programs; for a single step say "
                    "cc $(gort env --cflags) %s ...", arg, cli_name, arg);
        }
    }
    cli_die(CLI_USAGE, "unknown option %s (see gort help; CFLAGS and LDFLAGS take any flag)", arg);
}

enum lang cli_lang(const char *source)
{
    static const char *const cxx[] = {".cc", ".cpp", ".cxx", ".c++", ".C"};
    if (cli_ends(source, ".c")) {
        return LANG_C;
    }
    if (cli_ends(source, ".S") || cli_ends(source, ".s")) {
        return LANG_ASM;
    }
    for (size_t i = 0; i < sizeof cxx / sizeof cxx[0]; i++) {
        if (cli_ends(source, cxx[i])) {
            return LANG_CXX;
        }
    }
    return LANG_COUNT;
}

static bool is_input(const char *file)
{
    return cli_ends(file, ".o") || cli_ends(file, ".a") || cli_ends(file, ".so") ||
           strstr(cli_base(file), ".so.") != NULL;
}

static void take_file(struct request *r, const char *file, bool is_run)
{
    if (cli_lang(file) != LANG_COUNT) {
        cli_add(&r->sources, file);
    } else if (is_input(file)) {
        cli_add(&r->inputs, file);
        cli_add(&r->link, file);
    } else if (is_run && r->sources.count > 0) {
        cli_die(CLI_USAGE, "%s is not a source file; arguments for the program go after --", file);
    } else {
        cli_die(CLI_USAGE, "%s is not a source file (.c .cc .cpp .cxx .S; also .o .a .so)", file);
    }
}

void cli_args(struct request *r, char **argv, bool is_run)
{
    memset(r, 0, sizeof *r);
    for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
        if ((*argv)[0] != '-' || (*argv)[1] == '\0') {
            take_file(r, *argv, is_run);
        } else if (!take_own(r, &argv) && !take_flag(r, &argv)) {
            refuse(*argv);
        }
    }
    if (*argv != NULL && !is_run) {
        cli_die(CLI_USAGE, "only gort run takes arguments for the program (after --)");
    }
    for (argv += *argv != NULL; *argv != NULL; argv++) {
        cli_add(&r->args, *argv);
    }
    if (r->sources.count == 0) {
        cli_die(CLI_USAGE, "no source file given");
    }
}
