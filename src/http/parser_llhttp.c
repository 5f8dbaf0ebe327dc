/* SPDX-License-Identifier: MIT */
/* parser_llhttp.c: heads by llhttp. */
#include "head.h"

#include <llhttp.h>

const char goi_parser_name[] = "llhttp";

static int on_url(llhttp_t *p, const char *at, size_t n)
{
    return goi_head_on_target(p->data, at, n);
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
    return goi_head_on_name(p->data, at, n);
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    return goi_head_on_value(p->data, at, n);
}

/* The head is all there is: stop behind it, whatever it says of a body. */
static int on_end(llhttp_t *p)
{
    (void)p;
    return HPE_PAUSED;
}

int goi_parser_run(struct head *h)
{
    llhttp_t p;
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_end;
    llhttp_init(&p, HTTP_REQUEST, &settings);
    p.data = h;
    llhttp_errno_t e = llhttp_execute(&p, h->data, h->size);
    if (e == HPE_INVALID_METHOD) {
        return 501;
    }
    return e == HPE_PAUSED ? 0 : 400;
}
