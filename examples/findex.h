/* SPDX-License-Identifier: MIT */
/* findex.h: what findex.c and findex_seq.c share beside the table and the tokeniser: reading a file
 * and walking a tree of directories, with plain libc calls and no goroutines.
 *
 * Symbolic links are not followed. What cannot be opened or read is counted and left out.
 */
#ifndef FINDEX_H
#define FINDEX_H

#include "findex_lex.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct totals {
    long files, failed;
    long long bytes;
};

/* Counts the words of one file; returns its size, or -1. */
static inline long long index_file(const char *path, struct lexer *l, struct index *x)
{
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    long long bytes = 0;
    ssize_t n;
    l->mode = LEX_CODE;
    l->kept = 0;
    do {
        n = read(fd, l->block + l->kept, LEX_BLOCK - l->kept);
        if (n >= 0) {
            bytes += n;
            lex_block(l, l->kept + (size_t)n, n == 0, x);
        }
    } while (n > 0);
    close(fd);
    return n < 0 ? -1 : bytes;
}

static inline void totals_add(struct totals *t, long long bytes)
{
    if (bytes < 0) {
        t->failed++;
    } else {
        t->files++;
        t->bytes += bytes;
    }
}

static inline char *join_path(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = must_have(malloc(size));
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

/* Calls visit with the path of every regular file below the directory; visit owns the path. False
 * if the directory itself cannot be read. */
typedef void visitor(char *path, void *arg);

static inline bool walk(const char *directory, visitor *visit, void *arg)
{
    int fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        return false;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        struct stat st;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (S_ISREG(st.st_mode)) {
            visit(join_path(directory, e->d_name), arg);
        } else if (S_ISDIR(st.st_mode)) {
            char *below = join_path(directory, e->d_name);
            walk(below, visit, arg);
            free(below);
        }
    }
    closedir(d);
    return true;
}

/* Does a come before b: more frequent, or as frequent and earlier in the alphabet? */
static inline int word_before(const struct word *a, const struct word *b)
{
    if (b->name == NULL || a->count != b->count) {
        return b->name == NULL || a->count > b->count;
    }
    int order = memcmp(a->name, b->name, a->size < b->size ? a->size : b->size);
    return order != 0 ? order < 0 : a->size < b->size;
}

enum { WORDS_TOP = 20 };

static inline void print_top(const struct index *x)
{
    struct word top[WORDS_TOP + 1] = { 0 };
    for (int shard = 0; shard < SHARDS; shard++) {
        const struct words *w = x->shard[shard];
        for (size_t i = 0; i <= w->mask; i++) {
            const struct word *s = &w->slots[i];
            int at = WORDS_TOP;
            for (; s->name != NULL && at > 0 && word_before(s, &top[at - 1]); at--) {
                top[at] = top[at - 1];
            }
            top[at] = at < WORDS_TOP ? *s : top[at];
        }
    }
    for (int i = 0; i < WORDS_TOP && top[i].name != NULL; i++) {
        printf("%9llu  %.*s\n", (unsigned long long)top[i].count, (int)top[i].size, top[i].name);
    }
}

/* Prints what was found, and frees the tables. */
static inline void report(const struct totals *t, struct index *x)
{
    unsigned long long total = 0;
    size_t different = 0;
    print_top(x);
    for (int i = 0; i < SHARDS; i++) {
        total += x->shard[i]->total;
        different += x->shard[i]->used;
        words_free(x->shard[i]);
    }
    printf("%ld files, %lld bytes, %llu identifiers, %zu of them different\n", t->files, t->bytes,
           total, different);
    if (t->failed > 0) {
        fprintf(stderr, "findex: %ld files could not be read\n", t->failed);
    }
}

#endif
