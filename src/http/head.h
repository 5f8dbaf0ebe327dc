/* SPDX-License-Identifier: MIT */
/* head.h: the head of a request: found, parsed, and doubted. */
#ifndef GOI_HTTP_HEAD_H
#define GOI_HTTP_HEAD_H

#include <gort/base.h>

enum { GOI_HEADERS_MAX = 100 };

/* Both end in a zero that replaced the byte behind them. */
struct header {
    const char *name;
    const char *value;
    uint32_t name_len, value_len;
};

struct head {
    char *data;                 /* what is parsed: the conn's buffer */
    size_t size;
    char *method;               /* words of the first line, with a zero behind them */
    char *target;
    uint32_t method_len, target_len;
    int minor;                  /* HTTP/1.minor */
    uint32_t path_len;          /* of the target: up to the ?, or all of it */
    bool has_percent;           /* in the path */
    bool unclean;               /* the path may have //, /. or /.. in it */
    bool is_head;               /* the method is HEAD */
    bool keep_alive;
    bool expect;                /* 100-continue */
    bool chunked;
    bool upgrade;               /* Connection: upgrade */
    int64_t content_length;     /* -1: no such header */
    const char *host;           /* NULL: none */
    int status;                 /* 0, or why it is refused */
    int count;
    struct header header[GOI_HEADERS_MAX];
};

/* Looks for the end of the head that begins at data: its length, 0 when more is needed, or the
 * negative of the status to refuse with. *from is where to look on: 0 at first. */
ssize_t goi_head_scan(const char *data, size_t len, size_t *from);

/* Parses a whole head as goi_head_scan found it. 0, or the status to refuse it with. Writes zeros
 * into data. */
int goi_head_parse(struct head *h, char *data, size_t size);

/* What the parser calls, in the order of the bytes: the target, and each field and its value. Not 0
 * to stop; h->status says why. */
int goi_head_on_target(struct head *h, const char *at, size_t n);
int goi_head_on_name(struct head *h, const char *at, size_t n);
int goi_head_on_value(struct head *h, const char *at, size_t n);

/* The parser's part: parser_llhttp.c or parser_http_parser.c. 0, or a status. */
int goi_parser_run(struct head *h);
/* What is linked in, for the log and the tests. */
extern const char goi_parser_name[];

#endif
