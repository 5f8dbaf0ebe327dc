/* SPDX-License-Identifier: MIT */
/* parser_http_parser.c: heads by http_parser, for systems without llhttp. */
#include "head.h"

#include <http_parser.h>

const char goi_parser_name[] = "http_parser";

static int on_url(http_parser *p, const char *at, size_t n)
{
    return goi_head_on_target(p->data, at, n);
}

static int on_name(http_parser *p, const char *at, size_t n)
{
    return goi_head_on_name(p->data, at, n);
}

static int on_value(http_parser *p, const char *at, size_t n)
{
    return goi_head_on_value(p->data, at, n);
}

/* 1: whatever the head says, no body follows here. */
static int on_end(http_parser *p)
{
    (void)p;
    return 1;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_end,
};

int goi_parser_run(struct head *h)
{
    http_parser p;
    http_parser_init(&p, HTTP_REQUEST);
    p.data = h;
    size_t n = http_parser_execute(&p, &settings, h->data, h->size);
    enum http_errno e = HTTP_PARSER_ERRNO(&p);
    if (e == HPE_INVALID_METHOD) {
        return 501;
    }
    return e == HPE_OK && n == h->size ? 0 : 400;
}
