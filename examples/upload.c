/* SPDX-License-Identifier: MIT */
/* An upload processor: what is sent is counted, summed and written to a file while it arrives, in
 * pieces, so that a large file takes no more memory than a small one. Four are processed at a time,
 * the others wait. A file appears under its name when it is whole, and not before.
 *
 *     gort run examples/upload.c -- :8080
 *     curl --data-binary @notes.txt localhost:8080/files/notes.txt
 *     curl localhost:8080/files/notes.txt */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AT_A_TIME = 4, PIECE = 16384, LARGEST = 1 << 20 };

static char directory[] = "/tmp/upload-XXXXXX";
static go_sem slots = { .size = AT_A_TIME };
static go_map names; /* of the files that are there, to remove them at the end */

struct sums {
    long bytes, lines, words;
    uint64_t checksum; /* FNV-1a */
    bool in_word;
};

static void add(struct sums *s, const char *data, ssize_t n)
{
    s->bytes += n;
    for (ssize_t i = 0; i < n; i++) {
        bool blank = isspace((unsigned char)data[i]) != 0;
        s->lines += data[i] == '\n';
        s->words += !blank && !s->in_word;
        s->in_word = !blank;
        s->checksum = (s->checksum ^ (unsigned char)data[i]) * 0x100000001b3;
    }
}

/* Reads the body to its end into a file: 0 or an error. */
static int receive(go_http_request *req, int fd, struct sums *s)
{
    char piece[PIECE];
    ssize_t n = go_http_read(req, piece, sizeof piece);
    while (n > 0) {
        add(s, piece, n);
        if (write(fd, piece, (size_t)n) != n) {
            return errno != 0 ? -errno : -ENOSPC;
        }
        n = go_http_read(req, piece, sizeof piece);
    }
    return (int)n;
}

/* Into a file without a name that one could ask for, which gets its name at the end. */
static int process(go_http_request *req, const char *name, struct sums *s)
{
    char part[300], whole[300];
    snprintf(part, sizeof part, "%s/.part-XXXXXX", directory);
    snprintf(whole, sizeof whole, "%s/%s", directory, name);
    int fd = mkstemp(part);
    if (fd < 0) {
        return -errno;
    }
    int error = receive(req, fd, s);
    close(fd);
    if (error == 0 && rename(part, whole) == 0) {
        return 0;
    }
    unlink(part);
    return error != 0 ? error : -EIO;
}

static int post_file(go_http_request *req, go_http_response *res, void *arg)
{
    const char *name = go_http_path_value(req, "name");
    struct sums s = { .checksum = 0xcbf29ce484222325 };
    (void)arg;
    if (name[0] == '.' || strchr(name, '/') != NULL || strlen(name) > 100) {
        return go_http_error(res, 400, "not a good name");
    }
    int error = sem_acquire(go_http_ctx(req), &slots, 1);
    if (error == 0) {
        error = process(req, name, &s);
        sem_release(&slots, 1);
    }
    if (error == -EFBIG) {
        return go_http_error(res, 413, "too large");
    } else if (error != 0) {
        return error;
    }
    map_store(&names, name, NULL);
    go_http_status(res, 201);
    return go_http_printf(res, "%s: %ld bytes, %ld lines, %ld words, checksum %016llx\n", name,
                          s.bytes, s.lines, s.words, (unsigned long long)s.checksum);
}

static bool remove_file(go_map_key name, void *value, void *arg)
{
    char path[300];
    (void)value;
    (void)arg;
    snprintf(path, sizeof path, "%s/%s", directory, name.string);
    return unlink(path) == 0;
}

int main(int argc, char **argv)
{
    go_listener *l;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:8080", &l);
    if (error != 0 || mkdtemp(directory) == NULL) {
        fprintf(stderr, "upload: cannot listen, or make %s\n", directory);
        return 1;
    }
    map_init(&names, GO_MAP_STRING);
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "POST /files/{name}", post_file, NULL);
    go_http_files(mux, "GET /files/", directory);
    go_http_options options = { .max_body_bytes = LARGEST };
    go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    printf("listening on %s\n", listener_addr(l));
    fflush(stdout);
    error = go_http_serve(stop, l, &options, mux);
    printf("%zu files\n", map_len(&names));
    map_range(&names, remove_file, NULL);
    error |= rmdir(directory); /* fails if something was left */
    map_free(&names);
    go_http_mux_free(mux);
    ctx_free(stop);
    return error != 0;
}
