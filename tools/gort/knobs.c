/* SPDX-License-Identifier: MIT */
/* knobs.c: gort knobs, printed from the table that the library's parser is made from. */
#include "cli.h"
#include <stdio.h>
#include <string.h>

struct knob {
    const char *setting;    /* name=value */
    const char *text;
};

static const struct knob knobs[] = {
#define KNOB(name, kind, example, text) {#name "=" example, text},
#include "../../src/debug/knobs.def"
#undef KNOB
};

static const struct knob variables[] = {
    {"GOMAXPROCS=N", "goroutines run on N processors at a time (default: all, or what the "
                     "control group grants)"},
    {"GORTTRACEBACK=", "none, single, all, system or crash: how much a crash prints "
                       "(default: single)"},
};

static void print(const struct knob *k, size_t count)
{
    int width = 0;
    for (size_t i = 0; i < count; i++) {
        int n = (int)strlen(k[i].setting);
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < count; i++) {
        printf("  %-*s  %s\n", width, k[i].setting, k[i].text);
    }
}

int cli_cmd_knobs(char **argv)
{
    if (*argv != NULL) {
        cli_die(CLI_USAGE, "takes no arguments");
    }
    printf("In the environment of a program: GORTDEBUG=name=value,name=value\n");
    print(knobs, sizeof knobs / sizeof knobs[0]);
    printf("None is on by default. And\n");
    print(variables, sizeof variables / sizeof variables[0]);
    return 0;
}
