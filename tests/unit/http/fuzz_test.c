/* SPDX-License-Identifier: MIT */
/* The seeds and the kept corpus of the server's fuzzer, as they are and mutated, without a fuzzer:
 * the same inputs for the same seed. */
#include "fuzz/server.h"
#include "harness.h"

#include <dirent.h>

struct input {
    char *data;
    size_t n;
};

static struct input *inputs;
static size_t count;
static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

static void add_input(const void *data, size_t n)
{
    inputs = realloc(inputs, (count + 1) * sizeof *inputs);
    inputs[count].data = malloc(n + 1);
    memcpy(inputs[count].data, data, n);
    inputs[count].n = n;
    count++;
}

static void add_corpus(const char *dir)
{
    DIR *d = opendir(dir);
    static char buf[FUZZ_INPUT_MAX];
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        int fd = e->d_name[0] != '.' ? openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n = fd >= 0 ? read(fd, buf, sizeof buf) : 0;
        if (n > 2) {
            add_input(buf + 2, (size_t)n - 2);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
}

static void begin(void)
{
#define SEED(...) add_input(__VA_ARGS__, sizeof(__VA_ARGS__) - 1);
#include "fuzz/server_seeds.def"
#undef SEED
    const char *dir = getenv("GORT_TEST_DIR");
    if (dir != NULL) {
        char path[4096];
        snprintf(path, sizeof path, "%s/fuzz/corpus/server", dir);
        add_corpus(path);
    }
    fuzz_begin();
}

static void end(void)
{
    for (size_t i = 0; i < count; i++) {
        free(inputs[i].data);
    }
    free(inputs);
    fuzz_end();
}

/* A failing input as a C string, to be kept as a seed. */
static void report(const char *s, size_t n)
{
    char *text = malloc(4 * n + 1);
    for (size_t i = 0; i < n; i++) {
        snprintf(text + 4 * i, 5, "\\%03o", (unsigned char)s[i]);
    }
    text[4 * n] = '\0';
    FAIL("SEED(\"%s\")", text);
    free(text);
}

TEST_LONG(fuzz, seeds_and_corpus_as_they_are, 30)
{
    begin();
    state = 1;
    for (size_t i = 0; i < count; i++) {
        const struct input *in = &inputs[i];
        if (!fuzz_try(in->data, in->n, draw((uint32_t)in->n + 1))) {
            report(in->data, in->n);
        }
    }
    end();
}

/* One step of a mutation; n bytes in buf, which has room for twice as many and more. */
static size_t mutate(char *buf, size_t n)
{
    static const char *const words[] = {
        "\r\n", "\r\n\r\n", "\n", "\r", " ", "\t", ":", ",", "0", "/", "%2e", "..", "\xff", "-1",
        "7fffffff", "HTTP/1.1", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n", "Host: b\r\n", "Expect: 100-continue\r\n",
        "GET /s/x HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    const char *word = words[draw(sizeof words / sizeof words[0])];
    size_t len = strlen(word);
    size_t at = draw((uint32_t)n + 1);
    size_t cut = n - at < 1 ? 0 : draw((uint32_t)(n - at < 20 ? n - at : 20) + 1);
    const struct input *other = &inputs[draw((uint32_t)count)];
    size_t from = draw((uint32_t)other->n + 1);
    size_t part = other->n - from < 200 ? other->n - from : 200;
    switch (draw(6)) {
    case 0:
        if (at < n) {
            buf[at] = (char)(buf[at] ^ 1 << draw(8));
        }
        return n;
    case 1:
        memmove(buf + at, buf + at + cut, n - at - cut);
        return n - cut;
    case 2:
        memmove(buf + at + len, buf + at, n - at);
        memcpy(buf + at, word, len);
        return n + len;
    case 3:
        memmove(buf + at + part, buf + at, n - at);
        memcpy(buf + at, other->data + from, part);
        return n + part;
    case 4:
        return at;
    default:
        memcpy(buf + n, buf + at, n - at);
        return n + (n - at);
    }
}

TEST_LONG(fuzz, mutations, 30)
{
    begin();
    state = test_seed();
    char *buf = malloc(1 << 18);
    go_time until = go_now() + 800 * GO_MS;
    for (long i = 0; i < test_iterations(4000) && go_now() < until; i++) {
        const struct input *in = &inputs[draw((uint32_t)count)];
        size_t n = in->n;
        memcpy(buf, in->data, n);
        for (uint32_t k = 1 + draw(4); k > 0 && n < 20000; k--) {
            n = mutate(buf, n);
        }
        if (!fuzz_try(buf, n, draw((uint32_t)n + 1))) {
            report(buf, n);
            break;
        }
    }
    free(buf);
    end();
}
