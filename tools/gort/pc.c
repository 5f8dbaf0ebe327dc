/* SPDX-License-Identifier: MIT */
/* pc.c: reads Gort's own pkg-config files, which have `name=value` and `Field: words` and nothing
 * else. `pcfiledir` is the directory of the file, as pkg-config has it. */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

struct variables {
    struct list name;
    struct list value;
};

static const char *value_of(const struct variables *v, const char *name, size_t n)
{
    for (size_t i = v->name.count; i > 0; i--) {
        const char *known = v->name.item[i - 1];
        if (strlen(known) == n && strncmp(known, name, n) == 0) {
            return v->value.item[i - 1];
        }
    }
    return "";
}

/* Puts values in place of ${name}. */
static char *expand(const struct variables *v, const char *text)
{
    char *out = cli_copy("");
    for (;;) {
        const char *open = strstr(text, "${");
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL) {
            return cli_fmt("%s%s", out, text);
        }
        const char *value = value_of(v, open + 2, (size_t)(close - open - 2));
        out = cli_fmt("%s%.*s%s", out, (int)(open - text), text, value);
        text = close + 1;
    }
}

bool cli_pc_libs(const char *path, struct list *flags)
{
    struct variables v = {0};
    char *text = cli_read(path, NULL);
    if (text == NULL) {
        return false;
    }
    cli_add(&v.name, "pcfiledir");
    cli_add(&v.value, cli_dir(path));
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t n = strcspn(line, "=: ");
        char mark = line[n];
        if (mark != '=' && mark != ':') {
            continue;
        }
        char *name = cli_copy_n(line, n);
        char *value = expand(&v, line + n + 1 + strspn(line + n + 1, " "));
        if (mark == '=') {
            cli_add(&v.name, name);
            cli_add(&v.value, value);
        } else if (strcmp(name, "Libs.private") == 0) {
            cli_words(value, flags);
        }
    }
    return true;
}
