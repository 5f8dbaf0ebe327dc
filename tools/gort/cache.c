/* SPDX-License-Identifier: MIT */
/* cache.c: built programs, kept until they are not asked for any more.
 *
 *   CACHE/m/PLAN            the files that the last build with this plan key read, one a line
 *   CACHE/p/PROGRAM/NAME    the program; the directory's time says when it was last asked for
 *   CACHE/n/KEY             a remembered text (what a compiler says of itself)
 *   CACHE/t.XXXXXX          a build under way, locked by its process
 *   CACHE/lock              held by whoever trims (trim.c)
 *
 * The program has its own name in a directory of its own because that name is what ps, perf and gdb
 * show. CACHE is $XDG_CACHE_HOME/gort, ~/.cache/gort or, where neither can be used, /tmp/gort-UID.
 * A program found there is executed, so the directory must be ours and writable by nobody else:
 * root with the HOME of another user gets /tmp/gort-0, and a prepared /tmp/gort-UID is refused.
 *
 *   C1  What has its final name is complete: everything arrives by rename, and a program with all
 *       its directory.                                          (tests/cli: runs side by side)
 *   C2  The name of a program is a hash of all it was made from, so a second writer of the same
 *       name brings the same thing and either copy will do.
 *   C3  A lock on t.XXXXXX ends with its process; one that can be taken belongs to nobody, and
 *       whoever trims removes it.                               (tests/cli: killed build)
 *   C4  A program that this process will execute stays. Whoever found or built it holds a shared
 *       lock on its directory (a pin) until exec closes it; who removes it needs that lock alone
 *       and passes by a directory whose lock cannot be had.  (tests/cli: cleaning beside runs)
 *
 * C4 in full. A builder pins CACHE/t.XXXXXX/out before it is renamed, so a program is never in the
 * cache without a pin before its builder has executed it. A finder pins what stands in CACHE/p and
 * looks again whether the name still means the directory it has locked: a remover may have been
 * between opening and locking. If so the program is gone, and the finder becomes a builder, which
 * cannot lose it any more. So a run builds once at most, however often others clean. (Before there
 * were pins it built again after each loss, and a loop of gort clean could win every time.)
 *
 * A remover unlinks through the descriptor it has locked and then takes away the name by rmdir. A
 * directory that it left empty when it was killed can therefore be replaced by a builder's rename
 * at any moment: the remover's rmdir fails on the new one, which is not empty.
 *
 * A program once published is never moved. A second builder of the same one uses what is there,
 * with -a it renames its file over the other, so that the name means a program all the time.
 *
 * C3 has the same gap, between mkdtemp and the lock, and closes it in the same way: whoever has got
 * the lock looks whether the name is still there, and otherwise makes another.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static char *temp_dir;
static int pin = -1;        /* C4 */

/* Makes one candidate usable; a sentence in *why_not if it is not. */
static bool usable(const char *path, struct list *why_not)
{
    struct stat st;
    bool shared_place = cli_starts(path, "/tmp/");
    if (!cli_make_dirs(path, 0700)) {
        cli_add(why_not, cli_fmt("%s cannot be made (%s)", path, strerror(errno)));
        return false;
    }
    /* In /tmp a link could have been laid by anybody; at home it is the user's own. */
    int failed = shared_place ? lstat(path, &st) : stat(path, &st);
    if (failed != 0 || !S_ISDIR(st.st_mode)) {
        cli_add(why_not, cli_fmt("%s is not a directory", path));
    } else if (st.st_uid != geteuid()) {
        cli_add(why_not, cli_fmt("%s belongs to another user", path));
    } else if ((st.st_mode & 022) != 0) {
        cli_add(why_not, cli_fmt("%s can be written by others", path));
    } else if (access(path, W_OK | X_OK) != 0) {
        cli_add(why_not, cli_fmt("%s cannot be written", path));
    } else {
        return true;
    }
    return false;
}

static void candidates(struct list *places)
{
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (xdg != NULL && xdg[0] == '/') {
        cli_add(places, cli_fmt("%s/gort", xdg));
    } else if (home != NULL && home[0] == '/' && cli_is_dir(home)) {
        cli_add(places, cli_fmt("%s/.cache/gort", home));
    }
    cli_add(places, cli_fmt("/tmp/gort-%lu", (unsigned long)geteuid()));
}

static bool make_rooms(const char *cache, struct list *why_not)
{
    static const char *const rooms[] = {"m", "p", "n"};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        char *path = cli_fmt("%s/%s", cache, rooms[i]);
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            cli_add(why_not, cli_fmt("%s cannot be made (%s)", path, strerror(errno)));
            return false;
        }
    }
    /* Tells backup programs that nothing here needs keeping. */
    char *tag = cli_fmt("%s/CACHEDIR.TAG", cache);
    if (access(tag, F_OK) != 0) {
        cli_write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n"
                       "# Programs built by gort run. They can be deleted at any time.\n");
    }
    return true;
}

char *cli_cache_try(struct list *why_not)
{
    static char *cache;
    struct list places = {0};
    if (cache != NULL) {
        return cache;
    }
    candidates(&places);
    for (size_t i = 0; i < places.count && cache == NULL; i++) {
        if (usable(places.item[i], why_not) && make_rooms(places.item[i], why_not)) {
            cache = places.item[i];
        }
    }
    return cache;
}

char *cli_cache(void)
{
    struct list why_not = {0};
    char *cache = cli_cache_try(&why_not);
    if (cache == NULL) {
        for (size_t i = 0; i < why_not.count; i++) {
            cli_warn("%s", why_not.item[i]);
        }
        cli_die(CLI_FAILED, "there is no place for built programs; XDG_CACHE_HOME may name one");
    }
    return cache;
}

char *cli_cache_temp(void)
{
    char *path;
    int fd;
    do {
        path = cli_fmt("%s/t.XXXXXX", cli_cache());
        if (mkdtemp(path) == NULL) {
            cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
        }
        /* Held until this process ends or becomes the program. */
        fd = cli_lock_dir(path, LOCK_EX);
    } while (fd < 0 && errno == ENOENT);
    temp_dir = path;
    if (fd < 0 || mkdir(cli_fmt("%s/out", path), 0700) != 0) {
        cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
    }
    return path;
}

void cli_cache_temp_drop(void)
{
    char *path = temp_dir;
    temp_dir = NULL;
    if (path != NULL) {
        cli_remove_tree(path);
    }
}

static char *program_path(const char *key, const char *name)
{
    return cli_fmt("%s/p/%s/%s", cli_cache(), key, name);
}

static char *manifest_path(const struct plan *p)
{
    return cli_fmt("%s/m/%s", cli_cache(), cli_hash_text(&p->key));
}

static void touch(const char *path)
{
    /* Only the order of trimming hangs on it. */
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

static void unpin(void)
{
    if (pin >= 0) {
        close(pin);
    }
    pin = -1;
}

void cli_cache_keep(void)
{
    if (pin >= 0) {
        (void)fcntl(pin, F_SETFD, 0);
    }
}

char *cli_cache_find(const struct plan *p)
{
    struct list deps = {0};
    struct hash key;
    char *manifest = manifest_path(p);
    char *text = cli_read(manifest, NULL);
    if (text == NULL) {
        return NULL;
    }
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cli_add(&deps, line);
    }
    if (!cli_key_program(p, &deps, &key)) {
        return NULL;
    }
    char *path = program_path(cli_hash_text(&key), p->name);
    pin = cli_lock_dir(cli_dir(path), LOCK_SH);
    if (pin < 0 || !cli_is_file(path) || access(path, X_OK) != 0) {
        unpin();
        return NULL;
    }
    touch(cli_dir(path));
    touch(manifest);
    return path;
}

/* Another has built the same: its program is pinned and becomes ours, or ours takes its place.
 * False: it was removed meanwhile, or only an empty directory was left of it. */
static bool join(const struct plan *p, const char *made, const char *path)
{
    unpin();
    pin = cli_lock_dir(cli_dir(path), LOCK_SH);
    if (pin < 0 && errno != ENOENT) {
        cli_die(CLI_FAILED, "%s: %s", cli_dir(path), strerror(errno));
    }
    if (pin < 0 || !cli_is_file(path)) {
        return false;
    }
    if (p->request->rebuild && rename(cli_fmt("%s/%s", made, p->name), path) != 0) {
        cli_die(CLI_FAILED, "cannot replace %s: %s", path, strerror(errno));
    }
    return true;
}

/* Moves temp/out to its final name, pinned: C1, C2, C4. Each further round means that another both
 * published and removed this program since the round began. */
static void publish(const struct plan *p, const char *temp, const char *path)
{
    char *made = cli_fmt("%s/out", temp);
    char *dir = cli_dir(path);
    for (;;) {
        unpin();
        pin = cli_lock_dir(made, LOCK_SH);
        if (pin >= 0 && rename(made, dir) == 0) {
            break;
        }
        if (pin >= 0 && (errno == EEXIST || errno == ENOTEMPTY)) {
            if (join(p, made, path)) {
                break;
            }
        } else if (pin < 0 || errno != ENOENT || !cli_make_dirs(cli_dir(dir), 0700)) {
            /* ENOENT: somebody has deleted all of the cache by hand. */
            cli_die(CLI_FAILED, "cannot move the program to %s: %s", dir, strerror(errno));
        }
    }
    touch(dir);
}

char *cli_cache_store(const struct plan *p, const char *temp, const struct list *deps)
{
    struct hash key;
    char *name;
    if (deps != NULL && cli_key_program(p, deps, &key)) {
        name = cli_hash_text(&key);
    } else {
        deps = NULL;
        name = cli_fmt("once-%s", cli_base(temp));
    }
    char *path = program_path(name, p->name);
    publish(p, temp, path);
    if (deps != NULL) {
        /* Without it the next run builds again, which is all that can go wrong. */
        (void)cli_write(manifest_path(p), cli_lines(deps));
    }
    cli_cache_temp_drop();
    cli_trim(cli_cache(), CLI_CACHE_BYTES);
    return path;
}

char *cli_cache_note(const struct hash *key)
{
    struct list ignored = {0};
    char *cache = cli_cache_try(&ignored);
    return cache == NULL ? NULL : cli_read(cli_fmt("%s/n/%s", cache, cli_hash_text(key)), NULL);
}

void cli_cache_note_set(const struct hash *key, const char *text)
{
    struct list ignored = {0};
    char *cache = cli_cache_try(&ignored);
    if (cache != NULL) {
        (void)cli_write(cli_fmt("%s/n/%s", cache, cli_hash_text(key)), text);
    }
}
