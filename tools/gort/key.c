/* SPDX-License-Identifier: MIT */
/* key.c: what a built program depends on.
 *
 * Two keys, because the headers of a program are known only after its first compilation:
 *
 *   plan key      everything that is known before: this command, compilers, flags, environment,
 *                 working directory, the library, the names of the sources. It finds the list of
 *                 files that the last build with this plan read (cache.c).
 *   program key   the plan key and the contents of every file on that list. It finds the program.
 *
 * Sources and headers count by content, so that a branch switched back and forth hits twice. What
 * the linker read (crt1.o, libc.so, libgort.a, the user's libraries) counts by size and times:
 * those files are large and are replaced, not edited.
 *
 * The list of a build is also right for a later run if none of its files changed, but for one case:
 * a new header in a directory that is searched before the one it was found in. Therefore the names
 * of the headers in the sources' directories and in every -I directory are part of the plan.
 */
#include "cli.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Raised whenever flags or the layout of the cache change meaning. */
#define CACHE_FORMAT "gort cache 1"

static const char *const environment[] = {
    "CPPFLAGS",       "CFLAGS",           "CXXFLAGS",           "LDFLAGS",
    "CPATH",          "C_INCLUDE_PATH",   "CPLUS_INCLUDE_PATH", "LIBRARY_PATH",
    "COMPILER_PATH",  "GCC_EXEC_PREFIX",  "SOURCE_DATE_EPOCH",
};

static int is_header(const struct dirent *e)
{
    static const char *const ends[] = {".h", ".hh", ".hpp", ".hxx", ".inc", ".inl", ".def", ".ipp"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (cli_ends(e->d_name, ends[i])) {
            return 1;
        }
    }
    return 0;
}

static void hash_header_names(struct hash *h, const char *dir)
{
    struct dirent **entry = NULL;
    int count = scandir(dir, &entry, is_header, alphasort);
    cli_hash_string(h, dir);
    for (int i = 0; i < count; i++) {
        cli_hash_string(h, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
}

/* Values of -I and its relatives among some flags. */
static void search_dirs(const struct list *flags, struct list *dirs)
{
    static const char *const names[] = {"-I", "-iquote", "-isystem", "-idirafter"};
    for (size_t i = 0; i < flags->count; i++) {
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            const char *flag = flags->item[i];
            if (!cli_starts(flag, names[k])) {
                continue;
            }
            const char *dir = flag + strlen(names[k]);
            if (*dir == '\0' && i + 1 < flags->count) {
                dir = flags->item[i + 1];
            }
            if (*dir != '\0' && !cli_has(dirs, dir)) {
                cli_add(dirs, dir);
            }
        }
    }
}

/* A flag may name a file that no dependency file mentions: -T script, -Wl,--version-script=F. */
static void hash_named_files(struct hash *h, const struct list *flags)
{
    for (size_t i = 0; i < flags->count; i++) {
        const char *flag = flags->item[i];
        const char *equals = strrchr(flag, '=');
        const char *comma = strrchr(flag, ',');
        const char *value = equals > comma ? equals : comma;
        value = value != NULL ? value + 1 : flag;
        if (cli_is_file(value)) {
            cli_hash_identity(h, value);
        }
    }
}

static void hash_environment(struct hash *h, struct list *dirs)
{
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++) {
        const char *value = getenv(environment[i]);
        cli_hash_string(h, value != NULL ? value : "");
    }
    for (size_t i = 0; i < 4; i++) {
        struct list words = {0};
        cli_env_words(environment[i], &words);
        search_dirs(&words, dirs);
        hash_named_files(h, &words);
    }
}

static void hash_request(struct hash *h, const struct request *r, struct list *dirs)
{
    int choices[] = {(int)r->mode, r->shared};
    cli_hash_bytes(h, choices, sizeof choices);
    cli_hash_list(h, &r->sources);
    cli_hash_list(h, &r->compile);
    cli_hash_list(h, &r->std[LANG_C]);
    cli_hash_list(h, &r->std[LANG_CXX]);
    cli_hash_list(h, &r->link);
    search_dirs(&r->compile, dirs);
    hash_named_files(h, &r->compile);
    hash_named_files(h, &r->link);
    for (size_t i = 0; i < r->sources.count; i++) {
        char *dir = cli_dir(r->sources.item[i]);
        if (!cli_has(dirs, dir)) {
            cli_add(dirs, dir);
        }
    }
}

static void hash_layout(struct hash *h, const struct layout *l)
{
    cli_hash_identity(h, l->exe);
    cli_hash_string(h, l->include);
    cli_hash_identity(h, l->archive != NULL ? l->archive : l->shared);
    cli_hash_list(h, &l->static_flags);
}

static char *program_name(const char *source)
{
    const char *base = cli_base(source);
    const char *dot = strrchr(base, '.');
    return dot == base ? cli_copy("program") : cli_copy_n(base, (size_t)(dot - base));
}

void cli_plan(struct plan *p, const struct request *r, const struct layout *l)
{
    struct list dirs = {0};
    memset(p, 0, sizeof *p);
    p->request = r;
    p->layout = l;
    p->name = program_name(r->sources.item[0]);
    for (size_t i = 0; i < r->sources.count; i++) {
        const char *source = r->sources.item[i];
        bool is_cxx = cli_lang(source) == LANG_CXX;
        p->has_cxx = p->has_cxx || is_cxx;
        p->has_cc = p->has_cc || !is_cxx;
        if (access(source, R_OK) != 0) {
            cli_die(CLI_FAILED, "%s: %s", source, strerror(errno));
        }
    }
    p->key = cli_hash_begin();
    cli_hash_string(&p->key, CACHE_FORMAT);
    if (p->has_cc) {
        cli_compiler(&p->cc, false);
        cli_hash_bytes(&p->key, &p->cc.identity, sizeof p->cc.identity);
    }
    if (p->has_cxx) {
        cli_compiler(&p->cxx, true);
        cli_hash_bytes(&p->key, &p->cxx.identity, sizeof p->cxx.identity);
    }
    char *here = cli_real(".");
    cli_hash_string(&p->key, here != NULL ? here : "");
    hash_layout(&p->key, l);
    hash_request(&p->key, r, &dirs);
    hash_environment(&p->key, &dirs);
    for (size_t i = 0; i < dirs.count; i++) {
        hash_header_names(&p->key, dirs.item[i]);
    }
}

bool cli_key_program(const struct plan *p, const struct list *deps, struct hash *out)
{
    *out = p->key;
    for (size_t i = 0; i < deps->count; i++) {
        const char *path = deps->item[i] + 1;
        if (deps->item[i][0] == 's') {
            cli_hash_identity(out, path);
        } else if (!cli_hash_content(out, path)) {
            return false;
        }
    }
    return true;
}
