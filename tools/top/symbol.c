/* SPDX-License-Identifier: MIT */
/* symbol.c: names of functions, from the symbol tables of the files that the process has mapped.
 * Each file is read once, when the first address in it is asked for.
 *
 * Where the archive was linked, which functions are the library's? Those with its prefixes, and
 * static ones that lie behind an exported one of it: linkers keep the archive's members together.
 * What inline functions leave in the program's own part is not exported, and decides nothing. */
#include "top.h"
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbol { uintptr_t at, size; const char *name; bool exported, library; };

struct object {
    struct object *next;
    char *path;
    uintptr_t bias;
    struct symbol *symbol;
    size_t count;
};

struct known { uintptr_t pc; struct function function; };

static struct object *objects;

/* --- one file; it stays mapped, for the names */

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a;
    const struct symbol *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* A part of the file, or NULL where there is none. */
static const void *part(const char *file, size_t size, uint64_t at, uint64_t n)
{
    return at <= size && n <= size - at ? file + at : NULL;
}

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static bool has_prefix(const char *name)
{
    return begins(name, "goi_") || begins(name, "gop_") ||
           (begins(name, "go_") && !begins(name, "go_do_unoptimised_")); /* bodies of a go_do */
}

static bool is_library(const char *path)
{
    const char *base = strrchr(path, '/');
    return base != NULL && begins(base, "/libgort");
}

static void find_library(struct object *o)
{
    bool all = is_library(o->path);
    bool inside = false;
    for (size_t i = 0; i < o->count; i++) {
        struct symbol *s = &o->symbol[i];
        bool prefix = has_prefix(s->name);
        inside = s->exported ? prefix : inside;
        s->library = all || prefix || inside;
    }
}

static void take_table(struct object *o, const char *file, size_t size, const Elf64_Shdr *table,
                       const Elf64_Shdr *names)
{
    const Elf64_Sym *s = part(file, size, table->sh_offset, table->sh_size);
    const char *text = part(file, size, names->sh_offset, names->sh_size);
    size_t n = table->sh_size / sizeof *s;
    if (s == NULL || text == NULL || names->sh_size == 0 || text[names->sh_size - 1] != '\0' ||
        (uintptr_t)s % 8 != 0) {
        return;
    }
    o->symbol = calloc(n + 1, sizeof *o->symbol);
    for (size_t i = 0; o->symbol != NULL && i < n; i++) {
        if (ELF64_ST_TYPE(s[i].st_info) == STT_FUNC && s[i].st_shndx != SHN_UNDEF &&
            s[i].st_name < names->sh_size) {
            o->symbol[o->count++] =
                (struct symbol){.at = s[i].st_value,
                                .size = s[i].st_size,
                                .name = text + s[i].st_name,
                                .exported = ELF64_ST_BIND(s[i].st_info) != STB_LOCAL};
        }
    }
    if (o->count > 0) {
        qsort(o->symbol, o->count, sizeof *o->symbol, by_address);
        find_library(o);
    }
}

static void take_symbols(struct object *o, const char *file, size_t size)
{
    const Elf64_Ehdr *head = part(file, size, 0, sizeof *head);
    const Elf64_Shdr *best = NULL;
    const Elf64_Shdr *section =
        head != NULL && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
                head->e_ident[EI_CLASS] == ELFCLASS64 && head->e_shoff % 8 == 0
            ? part(file, size, head->e_shoff, (uint64_t)head->e_shnum * sizeof *section)
            : NULL;
    for (int i = 0; section != NULL && i < head->e_shnum; i++) {
        bool full = section[i].sh_type == SHT_SYMTAB;
        if ((full || (best == NULL && section[i].sh_type == SHT_DYNSYM)) &&
            section[i].sh_link < head->e_shnum) {
            best = &section[i];
        }
    }
    if (best != NULL) {
        take_table(o, file, size, best, &section[best->sh_link]);
    }
}

/* What has to be taken off an address in the process to get one in the file. */
static uintptr_t bias_of(const struct target *t, const char *path, const char *file, size_t size)
{
    const Elf64_Ehdr *head = part(file, size, 0, sizeof *head);
    const Elf64_Phdr *p =
        head != NULL ? part(file, size, head->e_phoff, (uint64_t)head->e_phnum * sizeof *p) : NULL;
    for (size_t i = 0; p != NULL && i < t->maps; i++) {
        const struct mapping *m = &t->map[i];
        for (int k = 0; strcmp(m->path, path) == 0 && k < head->e_phnum; k++) {
            uintptr_t page = p[k].p_offset & ~(uintptr_t)4095;
            if (p[k].p_type == PT_LOAD && page == m->offset) {
                return m->lo - (p[k].p_vaddr - (p[k].p_offset - page));
            }
        }
    }
    return 0;
}

/* The executable by its own link: its path may be another's by now, or another root's. */
static int open_object(const struct target *t, const char *path)
{
    char link[64];
    char real[4096];
    snprintf(link, sizeof link, "/proc/%d/exe", t->pid);
    ssize_t n = readlink(link, real, sizeof real - 1);
    real[n > 0 ? n : 0] = '\0';
    return open(strcmp(real, path) == 0 ? link : path, O_RDONLY | O_CLOEXEC);
}

static struct object *object_of(const struct target *t, const char *path)
{
    for (struct object *o = objects; o != NULL; o = o->next) {
        if (strcmp(o->path, path) == 0) {
            return o;
        }
    }
    struct object *o = calloc(1, sizeof *o);
    if (o == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    o->path = strdup(path);
    o->next = objects;
    objects = o;
    struct stat st;
    int fd = open_object(t, path);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        char *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            o->bias = bias_of(t, path, file, (size_t)st.st_size);
            take_symbols(o, file, (size_t)st.st_size);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return o;
}

/* --- looking up */

static const struct mapping *mapping_of(struct target *t, uintptr_t pc)
{
    for (size_t i = 0; i < t->maps; i++) {
        if (t->map[i].from_file && pc >= t->map[i].lo && pc < t->map[i].hi) {
            return &t->map[i];
        }
    }
    return NULL;
}

static struct function look_up(struct target *t, uintptr_t pc)
{
    const struct mapping *m = mapping_of(t, pc);
    if (m == NULL) {
        target_read_maps(t); /* loaded since */
        m = mapping_of(t, pc);
    }
    if (m == NULL) {
        return (struct function){"?", false};
    }
    const struct object *o = object_of(t, m->path);
    uintptr_t at = pc - o->bias;
    size_t lo = 0;
    size_t hi = o->count;
    while (lo < hi) { /* the first that begins behind it */
        size_t middle = lo + (hi - lo) / 2;
        if (o->symbol[middle].at <= at) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    if (lo > 0 && (o->symbol[lo - 1].size == 0 ||
                   at - o->symbol[lo - 1].at < o->symbol[lo - 1].size)) {
        return (struct function){o->symbol[lo - 1].name, o->symbol[lo - 1].library};
    }
    const char *base = strrchr(m->path, '/');
    char *text = NULL;
    if (asprintf(&text, "%s+0x%lx", base != NULL ? base + 1 : m->path, (unsigned long)at) < 0) {
        text = NULL;
    }
    return (struct function){text != NULL ? text : "?", is_library(m->path)};
}

struct function symbol_of(struct target *t, uintptr_t pc)
{
    static struct known known[8192];
    struct known *k = &known[(pc ^ pc >> 13) % goi_countof(known)];
    if (k->pc != pc) {
        k->function = look_up(t, pc);
        k->pc = pc;
    }
    return k->function;
}
