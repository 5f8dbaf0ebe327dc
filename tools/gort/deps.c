/* SPDX-License-Identifier: MIT */
/* deps.c: the dependency files that compilers (-MD) and linkers (--dependency-file) write. */
#include "cli.h"
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

/* Copies one name, undoing make's quoting; gives the place behind it. */
static const char *name_scan(const char *s, char *to)
{
    while (*s != '\0' && !isspace((unsigned char)*s)) {
        if (s[0] == '\\' && s[1] == '\n') {
            break;
        }
        bool quoted = (s[0] == '\\' && (s[1] == ' ' || s[1] == '#' || s[1] == '\\')) ||
                      (s[0] == '$' && s[1] == '$');
        s += quoted;
        *to++ = *s++;
    }
    *to = '\0';
    return s;
}

bool cli_deps(const char *path, struct list *out)
{
    char *text = cli_read(path, NULL);
    /* The target is ours and has no colon in it. */
    const char *s = text != NULL ? strchr(text, ':') : NULL;
    if (s == NULL) {
        return false;
    }
    s++;
    char *name = cli_alloc(strlen(s) + 1);
    for (;;) {
        if (s[0] == '\\' && s[1] == '\n') {
            s += 2;
        } else if (s[0] == ' ' || s[0] == '\t') {
            s++;
        } else if (s[0] == '\n' || s[0] == '\0') {
            return true;
        } else {
            s = name_scan(s, name);
            cli_add(out, cli_copy(name));
        }
    }
}

static bool same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void cli_deps_modules(const struct layout *l, const struct list *deps, struct list *modules)
{
    for (size_t i = 0; i < deps->count; i++) {
        const char *path = deps->item[i];
        const char *base = cli_base(path);
        if (!cli_ends(base, ".h") || !cli_ends(cli_dir(path), "gort")) {
            continue;
        }
        char *name = cli_copy_n(base, strlen(base) - 2);
        if (!cli_has(modules, name) &&
            same_file(path, cli_fmt("%s/gort/%s", l->include, base))) {
            cli_add(modules, name);
        }
    }
}
