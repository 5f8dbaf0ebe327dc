/* SPDX-License-Identifier: MIT */
/* main.c: gort trace: one page of HTML that shows an execution trace.
 *
 *     gort trace [-o PAGE] FILE
 *
 * The page is page.html, which reads the trace itself: the file is put into it as it is, in base64,
 * so the page needs nothing else and can be sent to somebody. Here only what would make the page
 * useless is looked at: that the file is a row of whole packets. A trace of a program that was
 * killed may end within one; the page then shows what came before.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const unsigned char page_html[];
extern const size_t page_html_size;

enum { FAILED = 1, USAGE = 2 };

static _Noreturn void fail(int status, const char *what, const char *why)
{
    fprintf(stderr, "gort trace: %s%s%s\n", what, why != NULL ? ": " : "",
            why != NULL ? why : "");
    exit(status);
}

static unsigned char *read_all(const char *path, size_t *size)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    if (f == NULL || fstat(fileno(f), &st) != 0) {
        fail(FAILED, path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        fail(FAILED, path, "not a file");
    }
    unsigned char *bytes = malloc((size_t)st.st_size + 1);
    if (bytes == NULL) {
        fail(FAILED, path, "larger than the memory");
    }
    *size = fread(bytes, 1, (size_t)st.st_size, f);
    if (ferror(f)) {
        fail(FAILED, path, strerror(errno));
    }
    fclose(f);
    return bytes;
}

/* The bytes of whole packets at the beginning: field 1, a length, so many bytes. */
static size_t whole_packets(const unsigned char *b, size_t size)
{
    size_t at = 0;
    while (at < size && b[at] == 0x0a) {
        size_t next = at + 1;
        uint64_t n = 0;
        unsigned shift = 0;
        bool more = true;
        while (more && next < size && shift < 35) {
            n |= (uint64_t)(b[next] & 127) << shift;
            more = b[next++] > 127;
            shift += 7;
        }
        if (more || n > size - next) {
            break;
        }
        at = next + (size_t)n;
    }
    return at;
}

static void put_escaped(const char *text, FILE *to)
{
    for (const char *c = text; *c != '\0'; c++) {
        switch (*c) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        default: putc(*c, to);
        }
    }
}

static void put_base64(const unsigned char *b, size_t n, FILE *to)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t x = (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) |
                     (i + 2 < n ? b[i + 2] : 0);
        char four[4] = {digits[x >> 18], digits[x >> 12 & 63],
                        i + 1 < n ? digits[x >> 6 & 63] : '=', i + 2 < n ? digits[x & 63] : '='};
        fwrite(four, 1, sizeof four, to);
    }
}

/* The page, with @TITLE@ and @DATA@ filled in. */
static void put_page(const char *title, const unsigned char *bytes, size_t n, FILE *to)
{
    const char *at = (const char *)page_html;
    const char *end = at + page_html_size;
    while (at < end) {
        const char *mark = memchr(at, '@', (size_t)(end - at));
        size_t plain = (size_t)((mark != NULL ? mark : end) - at);
        fwrite(at, 1, plain, to);
        at += plain;
        if (mark == NULL) {
            break;
        }
        if (end - at > 7 && strncmp(at, "@TITLE@", 7) == 0) {
            put_escaped(title, to);
            at += 7;
        } else if (end - at > 6 && strncmp(at, "@DATA@", 6) == 0) {
            put_base64(bytes, n, to);
            at += 6;
        } else {
            putc(*at++, to);
        }
    }
}

static char *page_of(const char *path)
{
    size_t n = strlen(path);
    char *page = malloc(n + sizeof ".html");
    if (page == NULL) {
        fail(FAILED, path, strerror(errno));
    }
    memcpy(page, path, n);
    memcpy(page + n, ".html", sizeof ".html");
    return page;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    const char *page = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
            page = argv[++i];
        } else if ((argv[i][0] == '-' && argv[i][1] != '\0') || path != NULL) {
            fail(USAGE, "usage: gort trace [-o PAGE] FILE", NULL);
        } else {
            path = argv[i];
        }
    }
    if (path == NULL) {
        fail(USAGE, "usage: gort trace [-o PAGE] FILE", NULL);
    }
    size_t size;
    unsigned char *bytes = read_all(path, &size);
    size_t whole = whole_packets(bytes, size);
    if (whole == 0) {
        fail(FAILED, path, "this is no trace (GORTDEBUG=trace=FILE makes one)");
    }
    if (whole < size) {
        fprintf(stderr, "gort trace: %s: its end is missing; what is there is shown\n", path);
    }
    page = page != NULL ? page : page_of(path);
    FILE *to = fopen(page, "we");
    if (to == NULL) {
        fail(FAILED, page, strerror(errno));
    }
    const char *slash = strrchr(path, '/');
    put_page(slash != NULL ? slash + 1 : path, bytes, whole, to);
    if (fclose(to) != 0) {
        int why = errno;
        (void)remove(page);
        fail(FAILED, page, strerror(why));
    }
    printf("%s\n", page);
    return 0;
}
