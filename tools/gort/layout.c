/* SPDX-License-Identifier: MIT */
/* layout.c: where this command's own headers and libraries are.
 *
 * The build tree has the shape of an installed one (bin/, lib/, include/), so there is one rule for
 * both: the prefix is the directory above the one this program lies in, found by /proc/self/exe.
 * Nothing is compiled in, and a tree that was moved still works.
 *
 *   PREFIX/include/gort.h
 *   PREFIX/lib/libgort.a and libgort.so, or lib64/, or lib/<multiarch>/
 *   LIB/pkgconfig/gort.pc     what a static link needs besides the archive
 *   LIB/pkgconfig/gort-NAME.pc, LIB/libgort-NAME.a     a module, for programs with <gort/NAME.h>
 *   PREFIX/libexec/gort/gort-NAME, LIB/gort/gort-NAME  helper programs
 *   PREFIX/share/gdb/auto-load/LIB/libgort.so.VERSION-gdb.py, which gdb trusts below /usr, or else
 *   PREFIX/share/gort/gort-gdb.py                      goroutines for gdb
 *
 * gort.pc is read here (pc.c) rather than by pkg-config, which is not on every machine.
 */
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static char *existing(char *path)
{
    return cli_is_file(path) ? path : NULL;
}

static void find_library(struct layout *l)
{
    struct utsname machine;
    struct list dirs = {0};
    cli_add(&dirs, cli_fmt("%s/lib", l->prefix));
    if (uname(&machine) == 0) {
        cli_add(&dirs, cli_fmt("%s/lib/%s-linux-gnu", l->prefix, machine.machine));
    }
    cli_add(&dirs, cli_fmt("%s/lib64", l->prefix));
    for (size_t i = 0; i < dirs.count && l->lib == NULL; i++) {
        l->archive = existing(cli_fmt("%s/libgort.a", dirs.item[i]));
        l->shared = existing(cli_fmt("%s/libgort.so", dirs.item[i]));
        if (l->archive != NULL || l->shared != NULL) {
            l->lib = dirs.item[i];
        }
    }
    if (l->lib == NULL) {
        l->lib = dirs.item[0];
        cli_add(&l->problems, cli_fmt("there is no libgort.a or libgort.so in %s",
                                      cli_join(&dirs)));
    }
}

/* The version of a program is that of the headers it is compiled with. */
static char *header_version(const struct layout *l)
{
    const char *define = "#define GO_VERSION \"";
    char *text = cli_read(cli_fmt("%s/gort/base.h", l->include), NULL);
    const char *at = text != NULL ? strstr(text, define) : NULL;
    if (at == NULL) {
        return cli_copy("unknown");
    }
    at += strlen(define);
    return cli_copy_n(at, strcspn(at, "\""));
}

static void find_gdb_script(struct layout *l)
{
    l->gdb = existing(cli_fmt("%s/share/gdb/auto-load%s/libgort.so.%s-gdb.py", l->prefix, l->lib,
                              l->version));
    if (l->gdb == NULL) {
        l->gdb = existing(cli_fmt("%s/share/gort/gort-gdb.py", l->prefix));
    }
}

void cli_layout(struct layout *l)
{
    memset(l, 0, sizeof *l);
    l->exe = cli_real("/proc/self/exe");
    if (l->exe == NULL) {
        cli_die(CLI_FAILED, "cannot read /proc/self/exe, and so cannot find libgort");
    }
    l->prefix = cli_dir(cli_dir(l->exe));
    l->include = cli_fmt("%s/include", l->prefix);
    /* In a build tree include/ leads to the sources; compilers should print their true names. */
    char *real = cli_real(l->include);
    l->include = real != NULL ? real : l->include;
    if (!cli_is_file(cli_fmt("%s/gort.h", l->include))) {
        cli_add(&l->problems, cli_fmt("there is no gort.h in %s", l->include));
    }
    find_library(l);
    cli_pc_libs(cli_fmt("%s/pkgconfig/gort.pc", l->lib), &l->static_flags);
    l->version = header_version(l);
    find_gdb_script(l);
}

static bool is_system_dir(const char *dir)
{
    return strcmp(dir, "/usr/include") == 0;
}

void cli_layout_cflags(const struct layout *l, struct list *flags)
{
    if (!is_system_dir(l->include)) {
        cli_add(flags, cli_fmt("-I%s", l->include));
    }
}

/* The dynamic linker looks there without being told. */
static bool is_loader_dir(const char *dir)
{
    dir += cli_starts(dir, "/usr/") ? strlen("/usr") : 0;
    return strcmp(dir, "/lib") == 0 || strcmp(dir, "/lib64") == 0 ||
           (cli_starts(dir, "/lib/") && cli_ends(dir, "-linux-gnu"));
}

void cli_layout_libs(const struct layout *l, bool shared, struct list *flags)
{
    if ((shared && l->shared != NULL) || l->archive == NULL) {
        cli_add(flags, cli_fmt("-L%s", l->lib));
        if (!is_loader_dir(l->lib)) {
            cli_add(flags, cli_fmt("-Wl,-rpath,%s", l->lib));
        }
        cli_add(flags, "-lgort");
        return;
    }
    cli_add(flags, l->archive);
    for (size_t i = 0; i < l->static_flags.count; i++) {
        /* The archive with libbacktrace may have moved since, with the compiler it belongs to. */
        const char *flag = l->static_flags.item[i];
        const char *name = cli_base(flag);
        if (flag[0] == '/' && !cli_is_file(flag) && cli_starts(name, "lib") &&
            cli_ends(name, ".a")) {
            flag = cli_fmt("-l%.*s", (int)(strlen(name) - 5), name + 3);
        }
        cli_add(flags, flag);
    }
}

bool cli_layout_module(const struct layout *l, const char *name, bool shared, struct list *flags)
{
    char *archive = existing(cli_fmt("%s/libgort-%s.a", l->lib, name));
    char *library = existing(cli_fmt("%s/libgort-%s.so", l->lib, name));
    if (archive == NULL && library == NULL) {
        return false;
    }
    if ((shared && library != NULL) || archive == NULL) {
        cli_add(flags, library);
        return true;
    }
    cli_add(flags, archive);
    cli_pc_libs(cli_fmt("%s/pkgconfig/gort-%s.pc", l->lib, name), flags);
    return true;
}

char *cli_layout_helper(const struct layout *l, const char *name, struct list *looked)
{
    cli_add(looked, cli_fmt("%s/libexec/gort", l->prefix));
    cli_add(looked, cli_fmt("%s/gort", l->lib));
    cli_add(looked, cli_dir(l->exe));
    for (size_t i = 0; i < looked->count; i++) {
        char *path = cli_find_program(cli_fmt("%s/gort-%s", looked->item[i], name));
        if (path != NULL) {
            return path;
        }
    }
    return cli_find_program(cli_fmt("gort-%s", name));
}
