/* SPDX-License-Identifier: MIT */
/* trace_proto.c: see trace_proto.h. */
#include "debug/trace_proto.h"
#include <string.h>

/* Field numbers. */
enum {
    TRACE_PACKET = 1,
    PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10, PACKET_EVENT = 11, PACKET_INTERNED = 12,
    PACKET_FLAGS = 13, PACKET_TRACK = 60,
    EVENT_NOTE = 4, EVENT_TYPE = 9, EVENT_NAME_NUMBER = 10, EVENT_TRACK = 11, EVENT_NAME = 23,
    EVENT_FLOW = 47, EVENT_FLOW_END = 48,
    NOTE_NAME_NUMBER = 1, NOTE_UINT = 3,
    INTERNED_EVENT_NAME = 2, INTERNED_NOTE_NAME = 3, INTERNED_NUMBER = 1, INTERNED_TEXT = 2,
    TRACK_ID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_PARENT = 5, TRACK_ORDER = 11,
    TRACK_RANK = 12,
    PROCESS_PID = 1, PROCESS_NAME = 6,
};

enum { VARINT = 0, FIXED64 = 1, BYTES = 2 };
enum { STATE_CLEARED = 1, STATE_NEEDED = 2, ORDER_EXPLICIT = 3, SEQUENCE = 1 };

GOI_INLINE void varint(struct goi_pb *b, uint64_t x)
{
    while (x >= 0x80) {
        *b->at++ = (unsigned char)(x | 0x80);
        x >>= 7;
    }
    *b->at++ = (unsigned char)x;
}

GOI_INLINE void tag(struct goi_pb *b, unsigned field, unsigned type)
{
    varint(b, (uint64_t)field << 3 | type);
}

GOI_INLINE void number(struct goi_pb *b, unsigned field, uint64_t x)
{
    tag(b, field, VARINT);
    varint(b, x);
}

GOI_INLINE void fixed64(struct goi_pb *b, unsigned field, uint64_t x)
{
    tag(b, field, FIXED64);
    for (int i = 0; i < 8; i++) {
        *b->at++ = (unsigned char)(x >> (8 * i));
    }
}

GOI_INLINE void bytes(struct goi_pb *b, unsigned field, const char *s, size_t n)
{
    tag(b, field, BYTES);
    varint(b, n);
    memcpy(b->at, s, n);
    b->at += n;
}

/* A message within: its length is filled in at the end. */
GOI_INLINE unsigned char *open_message(struct goi_pb *b, unsigned field)
{
    tag(b, field, BYTES);
    b->at += 2;
    return b->at;
}

GOI_INLINE void close_message(struct goi_pb *b, unsigned char *from)
{
    size_t n = (size_t)(b->at - from);
    from[-2] = (unsigned char)(n | 0x80);
    from[-1] = (unsigned char)(n >> 7);
}

void goi_pb_begin(struct goi_pb *b)
{
    unsigned char *packet = open_message(b, TRACE_PACKET);
    number(b, PACKET_SEQUENCE, SEQUENCE);
    number(b, PACKET_FLAGS, STATE_CLEARED);
    close_message(b, packet);
}

void goi_pb_name(struct goi_pb *b, uint32_t iid, const char *text, size_t n, bool note)
{
    unsigned char *packet = open_message(b, TRACE_PACKET);
    number(b, PACKET_SEQUENCE, SEQUENCE);
    number(b, PACKET_FLAGS, STATE_NEEDED);
    unsigned char *all = open_message(b, PACKET_INTERNED);
    unsigned char *one = open_message(b, note ? INTERNED_NOTE_NAME : INTERNED_EVENT_NAME);
    number(b, INTERNED_NUMBER, iid);
    bytes(b, INTERNED_TEXT, text, n);
    close_message(b, one);
    close_message(b, all);
    close_message(b, packet);
}

void goi_pb_track(struct goi_pb *b, const struct goi_pb_track *t)
{
    unsigned char *packet = open_message(b, TRACE_PACKET);
    number(b, PACKET_SEQUENCE, SEQUENCE);
    unsigned char *track = open_message(b, PACKET_TRACK);
    number(b, TRACK_ID, t->id);
    if (t->parent != 0) {
        number(b, TRACK_PARENT, t->parent);
    }
    if (t->pid != 0) {
        unsigned char *process = open_message(b, TRACK_PROCESS);
        number(b, PROCESS_PID, (uint64_t)t->pid);
        bytes(b, PROCESS_NAME, t->name, t->nname);
        close_message(b, process);
    } else {
        bytes(b, TRACK_NAME, t->name, t->nname);
    }
    if (t->ordered) {
        number(b, TRACK_ORDER, ORDER_EXPLICIT);
    }
    if (t->rank != 0) {
        number(b, TRACK_RANK, t->rank & INT32_MAX);
    }
    close_message(b, track);
    close_message(b, packet);
}

void goi_pb_event(struct goi_pb *to, const struct goi_pb_event *e)
{
    struct goi_pb here = *to;   /* in a register: the bytes that are written might be *to */
    struct goi_pb *b = &here;
    unsigned char *packet = open_message(b, TRACE_PACKET);
    number(b, PACKET_TIMESTAMP, (uint64_t)e->at);
    number(b, PACKET_SEQUENCE, SEQUENCE);
    number(b, PACKET_FLAGS, STATE_NEEDED);
    unsigned char *event = open_message(b, PACKET_EVENT);
    if (e->note != 0) {
        unsigned char *note = open_message(b, EVENT_NOTE);
        number(b, NOTE_NAME_NUMBER, e->note);
        number(b, NOTE_UINT, e->value);
        close_message(b, note);
    }
    number(b, EVENT_TYPE, (uint64_t)e->type);
    if (e->name != 0) {
        number(b, EVENT_NAME_NUMBER, e->name);
    } else if (e->text != NULL) {
        bytes(b, EVENT_NAME, e->text, e->ntext);
    }
    number(b, EVENT_TRACK, e->track);
    if (e->flow_from != 0) {
        fixed64(b, EVENT_FLOW, e->flow_from);
    }
    if (e->flow_to != 0) {
        fixed64(b, EVENT_FLOW_END, e->flow_to);
    }
    close_message(b, event);
    close_message(b, packet);
    *to = here;
}
