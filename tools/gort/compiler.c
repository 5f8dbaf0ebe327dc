/* SPDX-License-Identifier: MIT */
/* compiler.c: which compiler, who it is, and the flags Gort gives it unasked.
 *
 * Its identity goes into the cache key: every word of CC that is a program (`ccache gcc-13` has
 * two) with its size and times, and the text of --version, which is remembered in the cache under
 * those facts because asking clang takes longer than everything else a second run does.
 */
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

void cli_env_words(const char *name, struct list *out)
{
    const char *value = getenv(name);
    if (value != NULL && !cli_words(value, out)) {
        cli_die(CLI_USAGE, "a quote stays open in %s=%s", name, value);
    }
}

/* The C++ compiler that belongs to a C compiler: gcc-12 has g++-12. */
static char *cxx_for(const char *cc)
{
    static const char *const pair[][2] = {{"clang", "clang++"}, {"gcc", "g++"}, {"cc", "c++"}};
    const char *base = cli_base(cc);
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        const char *at = strstr(base, pair[i][0]);
        if (at != NULL) {
            return cli_fmt("%.*s%s%s", (int)(at - cc), cc, pair[i][1], at + strlen(pair[i][0]));
        }
    }
    return NULL;
}

static void candidates(bool cxx, struct list *names)
{
    struct list cc = {0};
    cli_env_words("CC", &cc);
    if (cxx) {
        char *pair = cc.count > 0 ? cxx_for(cc.item[cc.count - 1]) : NULL;
        if (pair != NULL) {
            cli_add(names, pair);
        }
        cli_add(names, "c++");
        cli_add(names, "g++");
        cli_add(names, "clang++");
    } else {
        cli_add(names, "cc");
        cli_add(names, "gcc");
        cli_add(names, "clang");
    }
}

/* "Debian clang version 14.0.6" is 14, "gcc (Debian 12.2.0-14) 12.2.0" is 12. */
static int major_of(const char *version)
{
    const char *at = strstr(version, "version ");
    if (at != NULL) {
        return atoi(at + strlen("version "));
    }
    at = strrchr(version, ' ');
    return at != NULL ? atoi(at + 1) : 0;
}

static void identify(struct compiler *c)
{
    c->identity = cli_hash_begin();
    for (size_t i = 0; i < c->words.count; i++) {
        cli_hash_string(&c->identity, c->words.item[i]);
        char *path = c->words.item[i][0] != '-' ? cli_find_program(c->words.item[i]) : NULL;
        char *real = path != NULL ? cli_real(path) : NULL;
        if (real != NULL) {
            cli_hash_identity(&c->identity, real);
        }
    }
    c->version = cli_cache_note(&c->identity);
    if (c->version == NULL) {
        struct list argv = {0};
        cli_add_all(&argv, &c->words);
        cli_add(&argv, "--version");
        int status = cli_run_capture(&argv, &c->version);
        if (status != 0) {
            cli_die(CLI_FAILED, "%s failed with status %d: %s", cli_join(&argv),
                    cli_status(status), c->version);
        }
        cli_cache_note_set(&c->identity, c->version);
    }
    cli_hash_string(&c->identity, c->version);
    c->version = cli_copy_n(c->version, strcspn(c->version, "\n"));
    c->clang = strstr(c->version, "clang") != NULL;
    c->major = major_of(c->version);
}

bool cli_compiler_find(struct compiler *c, bool cxx)
{
    memset(c, 0, sizeof *c);
    cli_env_words(cxx ? "CXX" : "CC", &c->words);
    if (c->words.count == 0) {
        struct list names = {0};
        candidates(cxx, &names);
        for (size_t i = 0; i < names.count && c->words.count == 0; i++) {
            if (cli_find_program(names.item[i]) != NULL) {
                cli_add(&c->words, names.item[i]);
            }
        }
    }
    if (c->words.count == 0) {
        return false;
    }
    c->path = cli_find_program(c->words.item[0]);
    if (c->path == NULL) {
        return false;
    }
    identify(c);
    return true;
}

void cli_compiler(struct compiler *c, bool cxx)
{
    if (cli_compiler_find(c, cxx)) {
        return;
    }
    const char *kind = cxx ? "C++" : "C";
    const char *variable = cxx ? "CXX" : "CC";
    if (c->words.count > 0) {
        cli_die(CLI_FAILED, "%s=%s: there is no such program in PATH", variable,
                cli_join(&c->words));
    }
    cli_die(CLI_FAILED, "there is no %s compiler in PATH: install one (Debian: apt-get install "
            "%s) or set %s", kind, cxx ? "g++" : "gcc", variable);
}

void cli_mode_flags(enum mode mode, struct list *flags)
{
    switch (mode) {
    case MODE_RACE:
        cli_add(flags, "-fsanitize=thread");
        break;
    case MODE_ASAN:
        cli_add(flags, "-fsanitize=address,undefined");
        cli_add(flags, "-fno-sanitize-recover=all");
        break;
    case MODE_PLAIN:
    case MODE_VALGRIND:
        break;
    }
}

void cli_compiler_dialect(const struct compiler *c, enum lang lang, struct list *flags)
{
    if (!c->clang || lang != LANG_C) {
        return;
    }
    cli_add(flags, "-fblocks");
    if (c->major >= 22) {
        cli_add(flags, "-fdefer-ts");
    }
}

void cli_compiler_probe(const struct compiler *c, struct list *flags)
{
    /* clang before 19 only warns, on other processors than x86, that it does nothing. */
    struct utsname host;
    bool x86 = uname(&host) == 0 && strcmp(host.machine, "x86_64") == 0;
    if (!c->clang || c->major >= 19 || x86) {
        cli_add(flags, "-fstack-clash-protection");
    }
}

void cli_compiler_flags(const struct compiler *c, enum lang lang, enum mode mode,
                        struct list *flags)
{
    if (lang == LANG_C) {
        cli_add(flags, "-std=gnu17");
    } else if (lang == LANG_CXX) {
        cli_add(flags, "-std=gnu++17");
    }
    /* valgrind up to 3.20 cannot read what clang writes in DWARF 5. */
    cli_add(flags, c->clang && mode == MODE_VALGRIND ? "-gdwarf-4" : "-g");
    if (lang == LANG_ASM) {
        return;
    }
    /* A report should name the line that was written, so the checking modes optimise less. */
    cli_add(flags, mode == MODE_PLAIN ? "-O2" : "-O1");
    cli_add(flags, "-Wall");
    cli_add(flags, "-fno-omit-frame-pointer");
    cli_compiler_probe(c, flags);
    cli_add(flags, "-pthread");
    if (mode != MODE_PLAIN) {
        cli_add(flags, "-fno-optimize-sibling-calls");
    }
    cli_compiler_dialect(c, lang, flags);
    cli_mode_flags(mode, flags);
}
