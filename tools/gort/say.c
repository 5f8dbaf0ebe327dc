/* SPDX-License-Identifier: MIT */
/* say.c: messages. Everything the command says about itself goes to stderr and begins with its
 * name; stdout belongs to what was asked for. */
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>

const char *cli_name = "gort";
bool cli_verbose;

static void say(const char *fmt, va_list ap)
{
    /* One write, so that the lines of programs running side by side stay whole. */
    fprintf(stderr, "%s: %s\n", cli_name, cli_vfmt(fmt, ap));
}

void cli_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

void cli_die(int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    cli_cache_temp_drop();
    exit(status);
}

void cli_say_command(const struct list *argv)
{
    if (cli_verbose) {
        fprintf(stderr, "%s\n", cli_join(argv));
    }
}
