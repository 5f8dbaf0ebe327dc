/* SPDX-License-Identifier: MIT */
/* fmt.c: see fmt.h. Used while the process is dying, so it trusts nothing but write(2). */
#include "base/fmt.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

void goi_out_init(struct goi_out *o, int fd)
{
    o->fd = fd;
    o->len = 0;
    o->dropped = 0;
}

void goi_out_flush(struct goi_out *o)
{
    size_t done = 0;
    if (o->fd < 0) {
        return;
    }
    while (done < o->len) {
        ssize_t n = write(o->fd, o->buf + done, o->len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            o->dropped += o->len - done;
            break;
        }
        done += (size_t)n;
    }
    o->len = 0;
}

void goi_out_bytes(struct goi_out *o, const char *s, size_t n)
{
    while (n > 0) {
        size_t room = sizeof o->buf - o->len;
        if (room == 0) {
            if (o->fd < 0) {
                o->dropped += n;
                return;
            }
            goi_out_flush(o);
            continue;
        }
        size_t part = n < room ? n : room;
        memcpy(o->buf + o->len, s, part);
        o->len += part;
        s += part;
        n -= part;
    }
}

void goi_out_str(struct goi_out *o, const char *s) { goi_out_bytes(o, s, strlen(s)); }

static void out_number(struct goi_out *o, uint64_t x, unsigned base)
{
    char digits[24];
    size_t n = sizeof digits;
    do {
        digits[--n] = "0123456789abcdef"[x % base];
        x /= base;
    } while (x != 0);
    goi_out_bytes(o, digits + n, sizeof digits - n);
}

static void out_signed(struct goi_out *o, int64_t x)
{
    if (x < 0) {
        goi_out_bytes(o, "-", 1);
        out_number(o, 0 - (uint64_t)x, 10);
    } else {
        out_number(o, (uint64_t)x, 10);
    }
}

/* One verb; returns the position after it. */
static const char *out_verb(struct goi_out *o, const char *f, va_list *ap)
{
    int longs = 0;
    while (*f == 'l' || *f == 'z') {
        longs++;
        f++;
    }
    switch (*f) {
    case 's': {
        const char *s = va_arg(*ap, const char *);
        goi_out_str(o, s != NULL ? s : "(null)");
        break;
    }
    case 'd':
        out_signed(o, longs > 0 ? va_arg(*ap, long) : va_arg(*ap, int));
        break;
    case 'u':
        out_number(o, longs > 0 ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned), 10);
        break;
    case 'x':
        out_number(o, longs > 0 ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned), 16);
        break;
    case 'p':
        goi_out_str(o, "0x");
        out_number(o, (uintptr_t)va_arg(*ap, void *), 16);
        break;
    case 'c': {
        char c = (char)va_arg(*ap, int);
        goi_out_bytes(o, &c, 1);
        break;
    }
    case '\0':
        return f;
    default:
        goi_out_bytes(o, f, 1);
        break;
    }
    return f + 1;
}

void goi_voutf(struct goi_out *o, const char *format, va_list ap)
{
    const char *f = format;
    va_list args;
    va_copy(args, ap);
    while (*f != '\0') {
        size_t plain = strcspn(f, "%");
        goi_out_bytes(o, f, plain);
        f += plain;
        if (*f == '%') {
            f = out_verb(o, f + 1, &args);
        }
    }
    va_end(args);
}

void goi_outf(struct goi_out *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    goi_voutf(o, format, ap);
    va_end(ap);
}
