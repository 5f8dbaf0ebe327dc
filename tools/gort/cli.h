/* SPDX-License-Identifier: MIT */
/* cli.h: what the files of the command `gort` know of one another.
 *
 * The command finds the library it belongs to (layout.c), reads its arguments (args.c), asks the
 * compiler who it is (compiler.c), looks whether the program was built before (key.c, cache.c),
 * builds it if not (build.c) and then becomes the program (run.c). It is a plain libc program.
 *
 * Memory: the command lives for milliseconds and ends in exec or exit, so nothing is freed. Every
 * allocation comes from one arena (mem.c), never fails, and strings may be shared freely.
 *
 * Errors: what the user can mend ends in cli_die() with one sentence. Status 2 is bad usage, 1
 * everything else (among it: the program does not compile).
 */
#ifndef GORT_CLI_H
#define GORT_CLI_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { CLI_FAILED = 1, CLI_USAGE = 2, CLI_NO_HELPER = 127 };

/* --- mem.c: memory, strings, lists of strings */

/* A list is always NULL-terminated, so that `item` can be an argv. All zero is an empty list. */
struct list {
    char **item;
    size_t count;
    size_t room;
};

void *cli_alloc(size_t size);                       /* zeroed */
char *cli_copy(const char *s);
char *cli_copy_n(const char *s, size_t n);
char *cli_fmt(const char *fmt, ...);
char *cli_vfmt(const char *fmt, va_list ap);
void cli_add(struct list *l, const char *s);        /* keeps the pointer */
void cli_add_all(struct list *l, const struct list *from);
bool cli_has(const struct list *l, const char *s);
bool cli_starts(const char *s, const char *prefix);
bool cli_ends(const char *s, const char *suffix);
const char *cli_base(const char *path);             /* the last component */
char *cli_dir(const char *path);                    /* everything before it, "." if nothing */
/* Words of a shell line: blanks separate, '...' "..." and \ quote. False: a quote stays open. */
bool cli_words(const char *line, struct list *out);
/* One word, quoted for a shell where it needs it. */
char *cli_quote(const char *word);
char *cli_join(const struct list *l);               /* quoted words with blanks between */
char *cli_lines(const struct list *l);              /* one line each */

/* --- say.c: how the command ends and complains */

extern const char *cli_name;                        /* "gort", later "gort run" */
extern bool cli_verbose;
void cli_warn(const char *fmt, ...);                /* "gort run: ..." to stderr */
_Noreturn void cli_die(int status, const char *fmt, ...);
void cli_say_command(const struct list *argv);      /* with -v: the command line, to stderr */

/* --- file.c */

char *cli_read(const char *path, size_t *size);     /* NULL: errno says why; *size may be NULL */
bool cli_write(const char *path, const char *text); /* temporary name and rename; false: errno */
bool cli_copy_file(const char *from, const char *to);   /* likewise, keeps the mode; false: errno */
bool cli_is_file(const char *path);
bool cli_is_dir(const char *path);
char *cli_real(const char *path);                   /* realpath, or NULL */
char *cli_find_program(const char *name);           /* through PATH; NULL */
bool cli_make_dirs(const char *path, mode_t mode);  /* mkdir -p; false: errno */
bool cli_remove_tree(const char *path);             /* one owner, depth of two at most */
/* Opens and locks a directory (`how`: flock's), which then still has this name. -1: errno; ENOENT
 * also when it lost its name before it was locked. Closing it, also by exec, unlocks. */
int cli_lock_dir(const char *path, int how);
/* As cli_remove_tree, but nothing happens to one that a process has locked. */
bool cli_remove_unlocked(const char *path);

/* --- proc.c: children */

/* Runs argv[0], found through PATH, on our stdout and stderr and /dev/null as stdin; gives its
 * wait status, or -1 when it could not be started (errno). A signal that would end the command is
 * handed on to the child; when the child is gone, the command dies of it. */
int cli_run(const struct list *argv);
/* The same, but stdout and stderr come back as text in *out. */
int cli_run_capture(const struct list *argv, char **out);
/* 0-255, or 128 + signal, 127 when it could not be started: what a shell would call it. */
int cli_status(int wait_status);

/* --- hash.c: FNV-1a with 128 bits */

struct hash {
    uint64_t high;
    uint64_t low;
};

struct hash cli_hash_begin(void);
void cli_hash_bytes(struct hash *h, const void *p, size_t n);
void cli_hash_string(struct hash *h, const char *s);    /* with its end, so that ab,c is not a,bc */
void cli_hash_list(struct hash *h, const struct list *l);
void cli_hash_identity(struct hash *h, const char *path);   /* name, size, times, inode */
bool cli_hash_content(struct hash *h, const char *path);    /* name and bytes; false: unreadable */
char *cli_hash_text(const struct hash *h);              /* 32 hexadecimal digits */

/* --- pc.c: Gort's own pkg-config files */

/* Appends what a static link needs besides the archive. False: unreadable. */
bool cli_pc_libs(const char *path, struct list *flags);

/* --- layout.c: where headers and libraries are */

struct layout {
    char *exe;          /* this program */
    char *prefix;       /* the directory above bin/ */
    char *include;      /* holds gort.h */
    char *lib;          /* holds libgort.a or libgort.so */
    char *archive;      /* libgort.a, or NULL */
    char *shared;       /* libgort.so, or NULL */
    char *gdb;          /* the script that gdb shall load with a program, or NULL */
    char *version;      /* by the headers; "unknown" without them */
    struct list static_flags;   /* what a link with the archive needs besides it */
    struct list problems;       /* sentences; the command can build programs if there are none */
};

void cli_layout(struct layout *l);
/* A module `name` (libgort-NAME for gort/NAME.h): appends its link flags. False: no such module. */
bool cli_layout_module(const struct layout *l, const char *name, bool shared, struct list *flags);
/* The program gort-NAME of this installation, or NULL; *looked lists the places. */
char *cli_layout_helper(const struct layout *l, const char *name, struct list *looked);
/* Flags that make a compiler find the headers: empty when they are where compilers look anyway. */
void cli_layout_cflags(const struct layout *l, struct list *flags);
/* Link flags for the archive or the shared library. */
void cli_layout_libs(const struct layout *l, bool shared, struct list *flags);

/* --- args.c: the arguments of run, build and env */

enum mode { MODE_PLAIN, MODE_RACE, MODE_ASAN, MODE_VALGRIND };
enum lang { LANG_C, LANG_CXX, LANG_ASM, LANG_COUNT };

struct request {
    enum mode mode;
    bool shared;                /* -dynamic */
    bool rebuild;               /* -a */
    char *out;                  /* -o, or NULL */
    struct list sources;
    struct list inputs;         /* .o, .a and .so files */
    struct list compile;        /* compiler flags in their order */
    struct list std[LANG_COUNT];    /* -std= for one language */
    struct list link;           /* flags and inputs for the linker in their order */
    struct list args;           /* after -- */
};

enum lang cli_lang(const char *source);             /* LANG_COUNT: not a source file */
/* Bad usage ends the command. `argv` begins behind the name of the command. */
void cli_args(struct request *r, char **argv, bool is_run);

/* --- compiler.c */

struct compiler {
    struct list words;          /* CC or CXX, split */
    char *path;                 /* the first word, resolved */
    char *version;              /* first line of --version */
    struct hash identity;
    int major;
    bool clang;
};

/* Finds the compiler for C or C++ by CC and CXX, else cc, gcc, clang. False: there is none. */
bool cli_compiler_find(struct compiler *c, bool cxx);
/* As above, ends the command if there is none. */
void cli_compiler(struct compiler *c, bool cxx);
/* The flags Gort chooses itself for a language. */
void cli_compiler_flags(const struct compiler *c, enum lang lang, enum mode mode,
                        struct list *flags);
/* Among them the one by which a frame of many pages touches each of them in turn, so that it cannot
 * step over the guard below a goroutine's stack. */
void cli_compiler_probe(const struct compiler *c, struct list *flags);
/* Among them those without which go_do and go_defer_block do not compile: clang needs some. */
void cli_compiler_dialect(const struct compiler *c, enum lang lang, struct list *flags);
void cli_mode_flags(enum mode mode, struct list *flags);    /* for compiling and linking alike */
void cli_env_words(const char *name, struct list *out);     /* CFLAGS and the like */

/* --- deps.c: the dependency files that compilers and linkers write */

/* The prerequisites of the first rule of a make file. False: unreadable. */
bool cli_deps(const char *path, struct list *out);
/* Names of modules whose headers are among the prerequisites. */
void cli_deps_modules(const struct layout *l, const struct list *deps, struct list *modules);

/* --- key.c: what a built program depends on */

struct plan {                   /* everything that is settled before the compiler runs */
    const struct request *request;
    const struct layout *layout;
    struct compiler cc;
    struct compiler cxx;
    bool has_cc;
    bool has_cxx;
    char *name;                 /* of the program */
    struct hash key;
};

void cli_plan(struct plan *p, const struct request *r, const struct layout *l);
/* Key of the program, given the files it was made from; false when one cannot be read. Entries of
 * `deps` begin with 'c' (its content counts) or 's' (its size and times count). */
bool cli_key_program(const struct plan *p, const struct list *deps, struct hash *out);

/* --- cache.c */

char *cli_cache(void);                              /* the directory; ends the command if none */
char *cli_cache_try(struct list *why_not);          /* or NULL, with a sentence for each place */
char *cli_cache_temp(void);                         /* a directory that vanishes with us */
void cli_cache_temp_drop(void);
/* The program's path, or NULL. This and the next pin it: nobody removes it before exec or exit. */
char *cli_cache_find(const struct plan *p);
/* Moves temp/NAME into the cache and gives its path. `deps` NULL: it will not be found again. */
char *cli_cache_store(const struct plan *p, const char *temp, const struct list *deps);
void cli_cache_keep(void);                          /* the pin outlasts exec */
char *cli_cache_note(const struct hash *key);       /* a remembered text, or NULL */
void cli_cache_note_set(const struct hash *key, const char *text);

/* --- trim.c */

#define CLI_CACHE_BYTES ((int64_t)512 << 20)
void cli_trim(const char *cache, int64_t bytes);    /* oldest programs first, until under `bytes` */
int cli_clean(const char *cache, int64_t *freed);   /* everything; the number of programs gone */
int64_t cli_cache_size(const char *cache, int *programs);

/* --- build.c */

/* Path of the program. What does not compile ends the command with status 1. */
char *cli_build(const struct plan *p);

/* --- the commands; `argv` begins behind the name of the command, the result is the exit status */

int cli_cmd_run(char **argv);
int cli_cmd_build(char **argv);
int cli_cmd_env(char **argv);
int cli_cmd_clean(char **argv);
int cli_cmd_version(char **argv);
int cli_cmd_doctor(char **argv);
int cli_cmd_knobs(char **argv);
int cli_cmd_help(char **argv);

/* --- doctor.c, probe_*.c: gort doctor */

/* FAILED is for what Gort cannot do without. */
enum verdict { PROBE_OK, PROBE_NOTE, PROBE_MISSING, PROBE_FAILED, PROBE_COUNT };

void cli_report(enum verdict v, const char *what, const char *fmt, ...);
void cli_report_title(const char *title);
void cli_probe_kernel(void);
void cli_probe_processors(int runtime_says);    /* its GOMAXPROCS, 0: unknown */
void cli_probe_limits(void);
void cli_probe_sanitizers(const struct compiler *cc);
void cli_probe_tools(void);
void cli_probe_libraries(const struct layout *l, const struct compiler *cc);

#endif
