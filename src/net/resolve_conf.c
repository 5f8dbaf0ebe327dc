/* SPDX-License-Identifier: MIT */
/* resolve_conf.c: what files in /etc say about the resolver that c-ares does not read.
 *
 * c-ares knows /etc/hosts and name servers. nsswitch.conf may name other sources (multicast DNS,
 * the machine's own names, a directory), which only libc's modules know. Names that one of them
 * could answer go to libc, so that a program finds the same hosts with c-ares as without (the rules
 * are Go's). And c-ares 1.18 does not know how resolv.conf spells its timeouts.
 */
#include "net/resolve.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TIMEOUT_S = 5, TIMEOUT_MAX_S = 30, TRIES = 2, TRIES_MAX = 5 };

#define BLANKS " \t\r\n"

static bool ends_with(const char *name, size_t n, const char *end)
{
    size_t k = strlen(end);
    return n >= k && strncasecmp(name + n - k, end, k) == 0;
}

/* Could the machine's own names (the module myhostname) have this one? */
static bool own_name(const char *name, size_t n, const char *host)
{
    return memchr(name, '.', n) == NULL || ends_with(name, n, "localhost") ||
           ends_with(name, n, "localhost.localdomain") ||
           (strlen(host) == n && strncasecmp(name, host, n) == 0);
}

/* Does this source leave the name to files and name servers? */
static bool harmless(const char *source, const char *name, const char *host)
{
    size_t n = strlen(name);
    n -= n > 0 && name[n - 1] == '.';
    if (strcmp(source, "files") == 0 || strcmp(source, "dns") == 0) {
        return true;
    }
    if (strncmp(source, "mdns", 4) == 0) {
        return !ends_with(name, n, ".local");
    }
    return strcmp(source, "myhostname") == 0 && !own_name(name, n, host);
}

/* The sources behind "hosts:". What stands in brackets says when to go on to the next; it is the
 * default that c-ares follows, so files and dns may not have one. */
static bool sources_harmless(char *text, const char *name, const char *host)
{
    char *rest = text;
    bool known = false;
    for (;;) { /* ends: each turn takes a word off, or all of them */
        rest += strspn(rest, BLANKS);
        if (*rest == '\0') {
            return true;
        }
        if (*rest == '[') {
            char *end = strchr(rest, ']');
            if (known || end == NULL) {
                return false;
            }
            rest = end + 1;
            continue;
        }
        size_t n = strcspn(rest, BLANKS "[");
        char source[16];
        if (n >= sizeof source) {
            return false;
        }
        memcpy(source, rest, n);
        source[n] = '\0';
        if (!harmless(source, name, host)) {
            return false;
        }
        known = strcmp(source, "files") == 0 || strcmp(source, "dns") == 0;
        rest += n;
    }
}

bool goi_conf_dns_only(FILE *nsswitch, const char *name, const char *host)
{
    char *line = NULL;
    size_t room = 0;
    bool only = true;
    while (nsswitch != NULL && getline(&line, &room, nsswitch) >= 0) {
        line[strcspn(line, "#")] = '\0';
        char *word = line + strspn(line, BLANKS);
        if (strncasecmp(word, "hosts:", 6) == 0) {
            only = sources_harmless(word + 6, name, host);
        }
    }
    free(line);
    return only;
}

/* The number behind `key` among words; `old` when there is none. 0 counts as 1. */
static int option(const char *words, const char *key, int most, int old)
{
    size_t k = strlen(key);
    int value = old;
    while (*words != '\0') {
        words += strspn(words, BLANKS);
        if (strncmp(words, key, k) == 0) {
            long n = strtol(words + k, NULL, 10);
            value = n < 1 ? 1 : n > most ? most : (int)n;
        }
        words += strcspn(words, BLANKS);
    }
    return value;
}

static void options(const char *words, struct goi_dns *dns)
{
    int seconds = option(words, "timeout:", TIMEOUT_MAX_S, dns->timeout_ms / 1000);
    dns->timeout_ms = seconds * 1000;
    dns->tries = option(words, "attempts:", TRIES_MAX, dns->tries);
}

void goi_conf_times(FILE *resolv, const char *environment, struct goi_dns *dns)
{
    char *line = NULL;
    size_t room = 0;
    dns->timeout_ms = TIMEOUT_S * 1000;
    dns->tries = TRIES;
    while (resolv != NULL && getline(&line, &room, resolv) >= 0) {
        if (strncmp(line, "options", 7) == 0 && strchr(BLANKS, line[7]) != NULL) {
            options(line + 7, dns);
        }
    }
    free(line);
    if (environment != NULL) {
        options(environment, dns);
    }
}
