/* SPDX-License-Identifier: MIT */
/* routes.c: the file that says what is expected. A line for each route:
 *
 *     # path        status  what else
 *     /             200     title="Welcome" contains="opening hours" type=text/html
 *     /old          301     to=/new
 *     /private      403
 *     /reports*     200     max-time=3s max-size=5M
 *
 * Values with blanks are quoted. A route that the sitemap does not have is visited as well, unless
 * it ends in a star. */
#include "audit.h"

#include <ctype.h>
#include <errno.h>

/* The next word of a line, without its quotes, or NULL. Cuts the line up. */
static char *next_word(char **line)
{
    char *from = *line + strspn(*line, " \t\r\n");
    char *to = from, *p = from;
    bool quoted = false;
    if (*from == '\0' || *from == '#') {
        return NULL;
    }
    for (; *p != '\0' && (quoted || !isspace((unsigned char)*p)); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else {
            *to++ = *p;
        }
    }
    *line = *p != '\0' ? p + 1 : p;
    *to = '\0';
    return from;
}

static bool set(char **field, const char *value)
{
    free(*field);
    *field = copy(value);
    return true;
}

static bool option(struct route *r, char *word)
{
    char *value = strchr(word, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    return strcmp(word, "to") == 0         ? set(&r->to, value)
           : strcmp(word, "title") == 0    ? set(&r->title, value)
           : strcmp(word, "contains") == 0 ? set(&r->contains, value)
           : strcmp(word, "type") == 0     ? set(&r->type, value)
           : strcmp(word, "max-time") == 0 ? parse_duration(value, &r->max_time)
           : strcmp(word, "max-size") == 0 ? parse_size(value, &r->max_size)
                                           : false;
}

static void route_free(struct route *r)
{
    free(r->path);
    free(r->to);
    free(r->title);
    free(r->contains);
    free(r->type);
}

/* A line with its comment and blanks gone. What is wrong with it, or NULL. */
static const char *read_line(char *path, char *rest, struct route *r)
{
    char *status = next_word(&rest);
    *r = (struct route){ .path = copy(path), .status = status != NULL ? atoi(status) : 0 };
    if (path[0] != '/') {
        return "a path begins with a /";
    }
    if (r->status < 100 || r->status > 599) {
        return "the second word is the expected status, as 200";
    }
    for (char *word = next_word(&rest); word != NULL; word = next_word(&rest)) {
        if (!option(r, word)) {
            return "known are to=, title=, contains=, type=, max-time=2s and max-size=100k";
        }
    }
    return NULL;
}

static bool read_lines(FILE *in, const char *file, struct routes *out)
{
    char *line = NULL;
    size_t size = 0, room = 0;
    const char *wrong = NULL;
    for (int number = 1; wrong == NULL && getline(&line, &size, in) > 0; number++) {
        char *rest = line, *path = next_word(&rest);
        if (path == NULL) {
            continue;
        }
        out->item = grow(out->item, out->count, &room, sizeof *out->item);
        wrong = read_line(path, rest, &out->item[out->count++]);
        if (wrong != NULL) {
            fprintf(stderr, "audit: %s:%d: %s\n", file, number, wrong);
        }
    }
    free(line);
    return wrong == NULL;
}

bool routes_read(const char *file, struct routes *out)
{
    *out = (struct routes){ 0 };
    if (file == NULL) {
        return true;
    }
    FILE *in = fopen(file, "re");
    if (in == NULL) {
        fprintf(stderr, "audit: cannot read %s: %s\n", file, strerror(errno));
        return false;
    }
    bool good = read_lines(in, file, out);
    fclose(in);
    return good;
}

void routes_free(struct routes *r)
{
    for (size_t i = 0; i < r->count; i++) {
        route_free(&r->item[i]);
    }
    free(r->item);
}

const struct route *routes_find(const struct routes *r, const char *path)
{
    const struct route *best = NULL;
    size_t length = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct route *this = &r->item[i];
        size_t n = strlen(this->path);
        if (strcmp(this->path, path) == 0) {
            return this;
        }
        if (this->path[n - 1] == '*' && strncmp(this->path, path, n - 1) == 0 && n > length) {
            best = this;
            length = n;
        }
    }
    return best;
}
