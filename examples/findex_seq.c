/* SPDX-License-Identifier: MIT */
/* findex_seq.c: the identifiers of all files below a directory, counted one file after the other.
 *
 * Plain sequential C without goroutines: the same walk, the same tokeniser and the same table as
 * findex.c, to check its counts against, and to measure it against.
 * Usage: findex_seq DIR
 */
#include "findex.h"
#include <time.h>

struct state {
    struct index index;
    struct totals totals;
    struct lexer lexer;
};

static void visit(char *path, void *arg)
{
    struct state *s = arg;
    totals_add(&s->totals, index_file(path, &s->lexer, &s->index));
    free(path);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: findex_seq DIR\n");
        return 2;
    }
    static struct state s;
    index_init(&s.index);
    double start = seconds();
    if (!walk(argv[1], visit, &s)) {
        fprintf(stderr, "findex_seq: cannot read %s\n", argv[1]);
        return 1;
    }
    report(&s.totals, &s.index);
    double took = seconds() - start;
    fprintf(stderr, "findex_seq: %.1f MB in %.2f s, %.0f MB/s\n", (double)s.totals.bytes / 1e6,
            took, (double)s.totals.bytes / 1e6 / took);
    return 0;
}
