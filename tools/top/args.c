/* SPDX-License-Identifier: MIT */
/* args.c: arguments, for every program that looks into a process from outside. */
#include "top.h"
#include <stdlib.h>

_Noreturn void top_usage(const char *why, const char *what)
{
    fprintf(stderr, "%s: %s%s\n%s", top_command, why, what, top_usage_text);
    exit(TOP_USAGE);
}

double top_number(const char *text, double least, double most, const char *what)
{
    char *end;
    double x = text != NULL ? strtod(text, &end) : 0;
    if (text == NULL || end == text || *end != '\0' || !(x >= least && x <= most)) {
        top_usage(what, text != NULL ? text : "");
    }
    return x;
}
