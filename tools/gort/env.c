/* SPDX-License-Identifier: MIT */
/* env.c: gort env, version and clean. */
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* A flag as a word of a shell line or a make file: both read a backslash before a blank. */
static void print_flags(const struct list *flags)
{
    for (size_t i = 0; i < flags->count; i++) {
        const char *s = flags->item[i];
        if (i > 0) {
            putchar(' ');
        }
        for (; *s != '\0'; s++) {
            if (strchr(" \t'\"\\$&;()<>|*?[]#~`!", *s) != NULL) {
                putchar('\\');
            }
            putchar(*s);
        }
    }
    putchar('\n');
}

static void add_cflags(const struct layout *l, enum mode mode, struct list *flags)
{
    struct compiler cc;
    cli_layout_cflags(l, flags);
    cli_add(flags, "-pthread");
    if (mode != MODE_PLAIN) {
        cli_mode_flags(mode, flags);
        cli_add(flags, "-fno-omit-frame-pointer");
    }
    if (cli_compiler_find(&cc, false)) {
        cli_compiler_probe(&cc, flags);
        cli_compiler_dialect(&cc, LANG_C, flags);
    }
}

static void add_libs(const struct layout *l, enum mode mode, bool is_static, struct list *flags)
{
    cli_mode_flags(mode, flags);
    cli_layout_libs(l, !is_static, flags);
    if (!cli_has(flags, "-pthread")) {
        cli_add(flags, "-pthread");
    }
    cli_add(flags, "-rdynamic");
}

static void print_variable(const char *name, const char *value)
{
    printf("%s=%s\n", name, cli_quote(value != NULL ? value : ""));
}

static void print_all(const struct layout *l)
{
    struct compiler cc;
    struct compiler cxx;
    struct list ignored = {0};
    print_variable("GORT_VERSION", l->version);
    print_variable("GORT_PREFIX", l->prefix);
    print_variable("GORT_INCLUDE", l->include);
    print_variable("GORT_LIB", l->lib);
    print_variable("GORT_CACHE", cli_cache_try(&ignored));
    print_variable("CC", cli_compiler_find(&cc, false) ? cli_join(&cc.words) : "");
    print_variable("CXX", cli_compiler_find(&cxx, true) ? cli_join(&cxx.words) : "");
}

int cli_cmd_env(char **argv)
{
    struct layout l;
    struct list flags = {0};
    enum mode mode = MODE_PLAIN;
    bool cflags = false;
    bool libs = false;
    bool is_static = false;
    for (; *argv != NULL; argv++) {
        const char *arg = cli_starts(*argv, "--") ? *argv + 1 : *argv;
        if (strcmp(arg, "-cflags") == 0) {
            cflags = true;
        } else if (strcmp(arg, "-libs") == 0) {
            libs = true;
        } else if (strcmp(arg, "-static") == 0) {
            is_static = true;
        } else if (strcmp(arg, "-race") == 0) {
            mode = MODE_RACE;
        } else if (strcmp(arg, "-asan") == 0) {
            mode = MODE_ASAN;
        } else {
            cli_die(CLI_USAGE, "unknown argument %s (--cflags, --libs, --static, -race, -asan)",
                    *argv);
        }
    }
    cli_layout(&l);
    if (!cflags && !libs) {
        if (is_static || mode != MODE_PLAIN) {
            cli_die(CLI_USAGE, "--static, -race and -asan go with --cflags or --libs");
        }
        print_all(&l);
        return 0;
    }
    if (cflags) {
        add_cflags(&l, mode, &flags);
    }
    if (libs) {
        add_libs(&l, mode, is_static, &flags);
    }
    print_flags(&flags);
    return 0;
}

int cli_cmd_version(char **argv)
{
    struct layout l;
    struct utsname machine;
    if (*argv != NULL) {
        cli_die(CLI_USAGE, "takes no arguments");
    }
    cli_layout(&l);
    if (uname(&machine) != 0) {
        memset(&machine, 0, sizeof machine);
    }
    printf("gort version %s linux/%s\n", l.version, machine.machine);
    return 0;
}

/* 100, 100K, 100M, 100G. */
static int64_t bytes_of(const char *text)
{
    const char *units = "KMG";
    char *end;
    long long n = strtoll(text, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    int shift = unit != NULL ? 10 * (int)(unit - units + 1) : 0;
    bool whole = *end == '\0' || (unit != NULL && end[1] == '\0');
    if (end == text || !whole || n < 0 || n > INT64_MAX >> shift) {
        cli_die(CLI_USAGE, "%s is not a size (100M, 2G)", text);
    }
    return (int64_t)n << shift;
}

int cli_cmd_clean(char **argv)
{
    char *cache = cli_cache();
    int64_t freed;
    int programs;
    if (*argv != NULL && strcmp(*argv, "-keep") == 0 && argv[1] != NULL && argv[2] == NULL) {
        cli_trim(cache, bytes_of(argv[1]));
        int64_t left = cli_cache_size(cache, &programs);
        printf("%s: %d programs left, %.1f MiB\n", cache, programs, (double)left / (1 << 20));
        return 0;
    }
    if (*argv != NULL) {
        cli_die(CLI_USAGE, "takes no arguments but -keep SIZE");
    }
    programs = cli_clean(cache, &freed);
    printf("%s: %d programs removed, %.1f MiB\n", cache, programs, (double)freed / (1 << 20));
    return 0;
}
