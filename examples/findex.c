/* SPDX-License-Identifier: MIT */
/* findex.c: the identifiers of all files below a directory, counted by a pool of goroutines.
 *
 * A walker finds the files and sends their paths. Workers read and count, each into tables of its
 * own, and report every file to main, which moves the progress line. At the end the tables change
 * hands: part n of every worker's index goes to merger n, so that the mergers work side by side.
 * Usage: findex DIR
 */
#include "findex.h"
#include <gort.h>
#include <gort/short.h>

struct part {
    int number;
    struct words *words;
};

struct walk_state {
    send_chan(char *) paths;
    bool readable;
};

static void send_path(char *path, void *arg)
{
    struct walk_state *s = arg;
    chan_send(s->paths, path);
}

static void walker(const char *root, struct walk_state *s)
{
    s->readable = walk(root, send_path, s);
    chan_close(s->paths);
}

static void worker(recv_chan(char *) paths, send_chan(long long) sizes,
                   chan(struct words *) *parts)
{
    struct index mine;
    struct lexer *lexer = must_have(malloc(sizeof *lexer));
    index_init(&mine);
    chan_for(path, paths) {
        chan_send(sizes, index_file(path, lexer, &mine));
        free(path);
    }
    free(lexer);
    for (int i = 0; i < SHARDS; i++) {
        chan_send(parts[i], mine.shard[i]); /* it is the merger's from now on */
    }
}

static void merger(int number, int workers, recv_chan(struct words *) in,
                   send_chan(struct part) out)
{
    struct part p = { number, chan_recv(in) };
    for (int i = 1; i < workers; i++) {
        struct words *next = chan_recv(in);
        bool larger = next->used > p.words->used;
        struct words *other = larger ? p.words : next;
        p.words = larger ? next : p.words;
        words_merge(p.words, other);
    }
    chan_send(out, p);
}

static void close_when_done(go_waitgroup *workers, send_chan(long long) sizes)
{
    wg_wait(workers);
    chan_close(sizes);
}

/* Adds up the files as they are done; on a terminal, twenty times a second says how many. */
static struct totals follow(recv_chan(long long) sizes)
{
    struct totals t = { 0 };
    bool terminal = isatty(STDERR_FILENO);
    go_time shown = 0;
    chan_for(size, sizes) {
        totals_add(&t, size);
        if (terminal && go_since(shown) >= 50 * GO_MS) {
            shown = go_now();
            fprintf(stderr, "\r%ld files, %.1f MB ", t.files, (double)t.bytes / 1e6);
        }
    }
    if (terminal) {
        fprintf(stderr, "\r\033[K");
    }
    return t;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: findex DIR\n");
        return 2;
    }
    go_time start = go_now();
    int workers = 2 * go_maxprocs(0); /* some read while others count */
    chan(char *) paths = chan_make(char *, 256);
    chan(long long) sizes = chan_make(long long, 256);
    chan(struct words *) parts[SHARDS];
    chan(struct part) merged = chan_make(struct part);
    struct walk_state state = { .paths = paths };
    go_waitgroup pool = { 0 };

    go(walker, argv[1], &state);
    for (int i = 0; i < SHARDS; i++) {
        parts[i] = chan_make(struct words *);
        go(merger, i, workers, parts[i], merged);
    }
    for (int i = 0; i < workers; i++) {
        wg_go(&pool, worker, paths, sizes, parts);
    }
    go(close_when_done, &pool, sizes);

    struct totals totals = follow(sizes);
    struct index all;
    for (int i = 0; i < SHARDS; i++) {
        struct part p = chan_recv(merged);
        all.shard[p.number] = p.words;
        chan_free(parts[p.number]);
    }
    report(&totals, &all);
    double took = (double)go_since(start) / 1e9, mb = (double)totals.bytes / 1e6;
    fprintf(stderr, "findex: %.1f MB in %.2f s, %.0f MB/s, %d workers\n", mb, took, mb / took,
            workers);
    chan_free(paths);
    chan_free(sizes);
    chan_free(merged);
    if (!state.readable) {
        fprintf(stderr, "findex: cannot read %s\n", argv[1]);
    }
    return state.readable ? 0 : 1;
}
