/* SPDX-License-Identifier: MIT */
/* trace_proto.h: packets of a Perfetto trace, into a buffer: just what trace_write.c needs.
 *
 * A trace is a row of packets; each says what exists (a track, the text behind a number) or what
 * happened on a track at a time. Messages within messages carry their length in front, always as
 * two bytes here (a number may be written longer than it need be), so that they are filled in
 * place. Numbers of fields and meanings: Perfetto's protos/perfetto/trace. */
#ifndef GOI_DEBUG_TRACE_PROTO_H
#define GOI_DEBUG_TRACE_PROTO_H
#include "base/base.h"

enum { GOI_PB_MAX = 2048 };             /* bytes of a packet, at most */

struct goi_pb { unsigned char *at; };   /* where the next byte goes; there is room for a packet */

/* event types */
enum { GOI_PB_BEGIN = 1, GOI_PB_END = 2, GOI_PB_INSTANT = 3 };

struct goi_pb_event {
    int type;
    int64_t at;
    uint64_t track;
    uint32_t name;              /* number of an interned name, or 0 */
    const char *text;           /* the name itself, or NULL */
    size_t ntext;
    uint32_t note;              /* number of an interned annotation's name, or 0 */
    uint64_t value;             /* ... and what it says */
    uint64_t flow_from, flow_to;    /* 0: none */
};

struct goi_pb_track {
    uint64_t id, parent;        /* parent 0: none */
    const char *name;
    size_t nname;
    int pid;                    /* of a process; 0: it is none */
    bool ordered;               /* its children have ranks */
    uint64_t rank;
};

void goi_pb_begin(struct goi_pb *b);    /* the first packet: forget what was known */
void goi_pb_name(struct goi_pb *b, uint32_t number, const char *text, size_t n, bool note);
void goi_pb_track(struct goi_pb *b, const struct goi_pb_track *t);
void goi_pb_event(struct goi_pb *to, const struct goi_pb_event *e);

#endif
