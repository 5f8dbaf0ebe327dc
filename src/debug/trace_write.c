/* SPDX-License-Identifier: MIT */
/* trace_write.c: the tracer's own thread: takes events out of the rings and writes what they mean.
 *
 * It knows nothing of the state of a goroutine: each event says what ends with it (T2 in trace.c),
 * so what comes from different rings may be written in any order; who reads the file sorts by time.
 * Of a P it knows who runs there, since all of a P's events are in its ring, in order.
 *
 * The file grows by whole packets, a few times in a second at least, so what a process that was
 * killed leaves behind can be read. When the file cannot be written, the rings are emptied all the
 * same, and go_trace_stop tells.
 */
#include "base/fmt.h"
#include "debug/internal.h"
#include "debug/trace.h"
#include "debug/trace_proto.h"
#include "os/os.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    BUFFER = 256 << 10,
    PACE_NS = 10000000,             /* between two looks into the rings ... */
    PACE_MAX_NS = 40000000,         /* ... and when they are empty */
    FUNCTIONS = 8192,               /* with names of their own; a power of two */
    DESCRIBED = 4096,
    EVENT_PACKETS = 8,              /* packets that one event becomes, at most */
};

/* Tracks: (id << 2) | kind. */
enum { TRACK_FIXED, TRACK_P, TRACK_G, TRACK_REGION };
enum { TRACK_PROCESS = 1 << 2, TRACK_ALL_P = 2 << 2, TRACK_ALL_G = 3 << 2 };

/* Interned names. */
enum {
    NAME_RUNNING = 1, NAME_RUNNABLE, NAME_WITHOUT_P, NAME_BUDGET, NAME_FULL, NAME_WAKES, NAME_GO,
    NAME_PREEMPTED, NAME_STEALS, NAME_THREAD, NAME_OTHERS,
    NAME_MAIN = 31,
    NAME_REASON = 32,               /* and the reasons of waiting */
    NAME_FUNCTION = 128,            /* and functions */
    NOTE_G = 1, NOTE_THREAD, NOTE_P, NOTE_MISSED,
};

struct function { uintptr_t entry; uint32_t number; char name[52]; };

struct writer {
    struct goi_pb pb;
    off_t good;                     /* what is in the file as whole packets */
    uint64_t flows;
    int64_t last;                   /* the time of the last event so far */
    uint64_t missed, pauses;        /* switches of the pauses */
    uint32_t nfunctions;
    struct goi_out out;
    bool shown[GOI_MAXPROCS_MAX];   /* Ps whose track is known */
    uint64_t described[DESCRIBED];  /* goroutines whose region track is known */
    struct function functions[FUNCTIONS];
    unsigned char buffer[BUFFER];
};

static struct writer *writer;       /* [o] of the writer's thread */

/* --- the file */

static void flush(void)
{
    const unsigned char *from = writer->buffer;
    size_t n = (size_t)(writer->pb.at - from);
    writer->pb.at = writer->buffer;
    off_t whole = writer->good + (off_t)n;
    while (n > 0 && goi_tracer.error == 0) {
        ssize_t done = write(goi_tracer.fd, from, n);
        if (done >= 0) {
            from += done;
            n -= (size_t)done;
        } else if (errno != EINTR) {
            goi_tracer.error = -errno;
            (void)!ftruncate(goi_tracer.fd, writer->good);
        }
    }
    if (goi_tracer.error == 0) {
        writer->good = whole;
    }
}

/* Room for all that one event becomes. */
static void make_room(void)
{
    if (writer->pb.at + (size_t)EVENT_PACKETS * GOI_PB_MAX > writer->buffer + BUFFER) {
        flush();
    }
}

/* The place to make a text. */
static struct goi_out *text(void)
{
    goi_out_init(&writer->out, -1);
    return &writer->out;
}

/* --- names */

static void name(uint32_t number, const char *what, bool note)
{
    goi_pb_name(&writer->pb, number, what, strlen(what), note);
    make_room();
}

static void keep_function(const struct goi_symbol *s, void *arg)
{
    struct function *f = arg;
    if (f->name[0] == '\0' && s->function != NULL) { /* the innermost comes first */
        memcpy(f->name, s->function, strnlen(s->function, sizeof f->name - 1));
    }
}

/* A goroutine's function; its name is written when it is new. */
static const struct function *function_of(uintptr_t entry)
{
    static const struct function first = {.number = NAME_MAIN, .name = "main"};
    static const struct function others = {.number = NAME_OTHERS, .name = "other functions"};
    if (entry == 0) {
        return &first;
    }
    struct function *f;
    uint32_t at = (uint32_t)((entry * 0x9e3779b97f4a7c15u) >> 40);
    for (;; at++) { /* ends: it is never full */
        f = &writer->functions[at % FUNCTIONS];
        if (f->entry == entry) {
            return f;
        }
        if (f->entry == 0) {
            break;
        }
    }
    if (writer->nfunctions >= FUNCTIONS / 2) {
        return &others;
    }
    f->entry = entry;
    f->number = NAME_FUNCTION + writer->nfunctions++;
    goi_symbolize(entry, keep_function, f);
    if (f->name[0] == '\0') {
        struct goi_out *o = text();
        goi_outf(o, "%p", (void *)entry);
        memcpy(f->name, o->buf, goi_min_size(o->len, sizeof f->name - 1));
    }
    name(f->number, f->name, false);
    return f;
}

/* --- what is written of an event */

static uint64_t track_g(uint64_t g) { return g << 2 | TRACK_G; }
static uint64_t track_p(const struct goi_tracer_ring *r)
{
    return (uint64_t)r->id << 2 | TRACK_P;
}

static int64_t time_of(int64_t at) { return goi_max_i64(at - goi_tracer.start, 0) + 1; }

static void end(uint64_t track, int64_t at)
{
    struct goi_pb_event e = {.type = GOI_PB_END, .at = at, .track = track};
    goi_pb_event(&writer->pb, &e);
}

static void named(int type, uint64_t track, int64_t at, uint32_t number, uint32_t note,
                  uint64_t value)
{
    struct goi_pb_event e = {.type = type,
                             .at = at,
                             .track = track,
                             .name = number,
                             .note = note,
                             .value = value};
    goi_pb_event(&writer->pb, &e);
}

static void begin(uint64_t track, int64_t at, uint32_t number, uint32_t note, uint64_t value)
{
    named(GOI_PB_BEGIN, track, at, number, note, value);
}

static void instant(uint64_t track, int64_t at, uint32_t number, uint32_t note, uint64_t value)
{
    named(GOI_PB_INSTANT, track, at, number, note, value);
}

static void begin_state(uint64_t g, int64_t at, unsigned what)
{
    uint32_t number = what == GOI_TR_RUNNABLE ? NAME_RUNNABLE
                      : what == GOI_TR_AWAY   ? NAME_WITHOUT_P
                                              : NAME_REASON + what;
    if (what != GOI_TR_DEAD) {
        begin(track_g(g), at, number, 0, 0);
    }
}

/* by (0: nobody) has made g runnable: an arrow from one track to the other. */
static void runnable(uint64_t g, uint64_t by, int64_t at, uint32_t how)
{
    uint64_t flow = by != 0 ? ++writer->flows : 0;
    if (by != 0) {
        struct goi_pb_event from = {.type = GOI_PB_INSTANT,
                                    .at = at,
                                    .track = track_g(by),
                                    .name = how,
                                    .note = NOTE_G,
                                    .value = g,
                                    .flow_from = flow};
        goi_pb_event(&writer->pb, &from);
    }
    struct goi_pb_event to = {.type = GOI_PB_BEGIN,
                              .at = at,
                              .track = track_g(g),
                              .name = NAME_RUNNABLE,
                              .note = by != 0 ? NOTE_G : 0,
                              .value = by,
                              .flow_to = flow};
    goi_pb_event(&writer->pb, &to);
}

static void stops(struct goi_tracer_ring *r, int64_t at)
{
    if (r->running != 0) {
        end(track_p(r), at);
        end(track_g(r->running), at);
        r->running = 0;
    }
}

static void runs(struct goi_tracer_ring *r, uint64_t g, uintptr_t entry, unsigned what, int64_t at)
{
    if (g != 0) {
        uint32_t number = function_of(entry)->number;
        if ((what & GOI_TR_OPEN) != 0) {
            end(track_g(g), at);
        }
        begin(track_p(r), at, number, NOTE_G, g);
        begin(track_g(g), at, NAME_RUNNING, NOTE_P, (uint64_t)r->id);
        r->running = g;
    }
}

static void switched(struct goi_tracer_ring *r, const struct goi_tracer_event *e)
{
    int64_t at = time_of(e->at);
    uint64_t from = r->running;
    stops(r, at);
    if (from != 0) {
        begin_state(from, at, e->what & GOI_TR_REASON);
    }
    runs(r, e->g, (uintptr_t)e->other, e->what, at);
}

static void track(uint64_t id, uint64_t parent, const struct goi_out *o, uint64_t rank)
{
    struct goi_pb_track t = {
        .id = id, .parent = parent, .name = o->buf, .nname = o->len, .rank = rank};
    goi_pb_track(&writer->pb, &t);
}

static void known(const struct goi_tracer_event *e, const char *more)
{
    struct goi_tracer_origin origin;
    memcpy(&origin, more, sizeof origin);
    const char *function = "main";
    if ((e->what & GOI_G_FOREIGN) != 0) {
        function = "thread";
    } else if ((e->what & GOI_G_MAIN) == 0) {
        function = function_of((uintptr_t)e->other)->name;
    }
    struct goi_out *o = text();
    goi_outf(o, "%lu %s", (unsigned long)e->g, function);
    if (e->more > sizeof origin) {
        goi_outf(o, " \"%s\"", more + sizeof origin);
    }
    if (origin.site != NULL) {
        const char *slash = strrchr(origin.site, '/');
        goi_outf(o, " (%s)", slash != NULL ? slash + 1 : origin.site);
    }
    track(track_g(e->g), TRACK_ALL_G, o, e->g);
}

static void said(const struct goi_tracer_event *e, const char *more)
{
    uint64_t id = e->g << 2 | TRACK_REGION;
    uint64_t *slot = &writer->described[e->g % DESCRIBED];
    if (*slot != e->g) {
        struct goi_out *o = text();
        goi_out_str(o, "regions");
        track(id, track_g(e->g), o, 0);
        *slot = e->g;
    }
    struct goi_pb_event p = {.at = time_of(e->at), .track = id, .text = more, .ntext = e->more};
    p.type = e->kind == GOI_TR_BEGIN ? GOI_PB_BEGIN
             : e->kind == GOI_TR_END ? GOI_PB_END
                                     : GOI_PB_INSTANT;
    if (e->kind == GOI_TR_END) {
        p.text = NULL;
    }
    goi_pb_event(&writer->pb, &p);
}

/* Events of a P itself. */
static void of_p(struct goi_tracer_ring *r, const struct goi_tracer_event *e, const char *more)
{
    int64_t at = time_of(e->at);
    uintptr_t entry = 0;
    switch (e->kind) {
    case GOI_TR_BOUND:
        memcpy(&entry, more, sizeof entry);
        instant(track_p(r), at, NAME_THREAD, NOTE_THREAD, e->other);
        runs(r, e->g, entry, e->what, at);
        break;
    case GOI_TR_TAKEN:
        stops(r, at);
        begin(track_g(e->g), at, NAME_WITHOUT_P, 0, 0);
        break;
    case GOI_TR_STOLE:
        instant(track_p(r), at, NAME_STEALS, NOTE_P, e->other);
        break;
    case GOI_TR_PAUSE:
        stops(r, at);
        begin(track_p(r), at, e->what == GOI_TR_FULL ? NAME_FULL : NAME_BUDGET, 0, 0);
        writer->pauses++;
        break;
    case GOI_TR_RESUME:
        memcpy(&entry, more, sizeof entry);
        end(track_p(r), at);
        instant(track_p(r), at, NAME_BUDGET, NOTE_MISSED, e->other);
        writer->missed += e->other;
        runs(r, e->g, entry, e->what, at);
        break;
    case GOI_TR_STOP:
        stops(r, at);
        writer->missed += e->other;
        break;
    default:
        goi_unreachable("an event that nobody knows");
    }
}

static void handle(struct goi_tracer_ring *r, const struct goi_tracer_event *e, const char *more)
{
    int64_t at = time_of(e->at);
    writer->last = goi_max_i64(writer->last, at);
    switch (e->kind) {
    case GOI_TR_SWITCH:
        switched(r, e);
        break;
    case GOI_TR_READY:
        end(track_g(e->g), at);
        runnable(e->g, e->other, at, NAME_WAKES);
        break;
    case GOI_TR_QUEUED:
        if ((e->what & GOI_TR_OPEN) != 0) {
            end(track_g(e->g), at);
        }
        runnable(e->g, 0, at, 0);
        break;
    case GOI_TR_CREATED:
        runnable(e->g, e->other, at, NAME_GO);
        break;
    case GOI_TR_KNOWN:
        known(e, more);
        break;
    case GOI_TR_STATE:
    case GOI_TR_THREAD_PARKS:
        if ((e->what & GOI_TR_OPEN) != 0) {
            end(track_g(e->g), at);
        }
        begin_state(e->g, at, e->what & GOI_TR_REASON);
        break;
    case GOI_TR_GONE:
    case GOI_TR_THREAD_RUNS:
        end(track_g(e->g), at);
        break;
    case GOI_TR_PREEMPTED:
        instant(track_g(e->g), at, NAME_PREEMPTED, 0, 0);
        break;
    case GOI_TR_BEGIN:
    case GOI_TR_END:
    case GOI_TR_LOG:
        said(e, more);
        break;
    default:
        of_p(r, e, more);
        break;
    }
}

/* --- the rings */

static bool drain(struct goi_tracer_ring *r)
{
    char more[GOI_TR_TEXT_MAX + sizeof(struct goi_tracer_event)];
    uint32_t head = ld_acq(&r->head); /* [TRACER] */
    uint32_t tail = ld_rlx(&r->tail);
    bool any = head != tail;
    while (tail != head) { /* ends: head is as it was */
        struct goi_tracer_event e = r->event[tail++ & (r->size - 1)];
        for (uint32_t at = 0; at < e.more; at += sizeof e) {
            goi_must(tail != head);
            memcpy(more + at, &r->event[tail++ & (r->size - 1)], sizeof e);
        }
        handle(r, &e, more);
        make_room();
        if (tail % 1024 < 8) {
            st_rel(&r->tail, tail); /* [TRACER] those may be written again */
        }
    }
    st_rel(&r->tail, tail); /* [TRACER] */
    return any;
}

static bool drain_all(void)
{
    bool any = drain(goi_tracer.first);
    for (int i = 0; i < GOI_MAXPROCS_MAX; i++) {
        struct goi_tracer_ring *r = ld_acq(&goi_tracer.rings[i]); /* [TRACER] */
        if (r == NULL) {
            continue;
        }
        if (!writer->shown[i]) {
            struct goi_out *o = text();
            goi_outf(o, "P %d", i);
            track(track_p(r), TRACK_ALL_P, o, (uint64_t)i + 1);
            writer->shown[i] = true;
        }
        any |= drain(r);
    }
    return drain(goi_tracer.others) || any;
}

/* --- first and last */

static void begin_file(void)
{
    static const char *const names[] = {
        [NAME_RUNNING] = "running", [NAME_RUNNABLE] = "runnable",
        [NAME_WITHOUT_P] = "runs without a P",
        [NAME_BUDGET] = "not recorded: too many events", [NAME_FULL] = "not recorded: slow file",
        [NAME_WAKES] = "wakes", [NAME_GO] = "go", [NAME_PREEMPTED] = "preempted",
        [NAME_STEALS] = "steals", [NAME_THREAD] = "thread", [NAME_OTHERS] = "other functions"};
    static const char *const notes[] = {[NOTE_G] = "goroutine", [NOTE_THREAD] = "thread",
                                        [NOTE_P] = "P", [NOTE_MISSED] = "switches not recorded"};
    struct goi_pb_track process = {
        .id = TRACK_PROCESS, .name = "gort", .nname = 4, .pid = (int)getpid()};
    struct goi_pb_track ps = {
        .id = TRACK_ALL_P, .parent = TRACK_PROCESS, .name = "P", .nname = 1, .ordered = true};
    struct goi_pb_track gs = {.id = TRACK_ALL_G,
                              .parent = TRACK_PROCESS,
                              .name = "goroutines",
                              .nname = 10,
                              .ordered = true};
    ps.rank = 1;
    gs.rank = 2;
    goi_pb_begin(&writer->pb);
    for (uint32_t i = 1; i < goi_countof(names); i++) {
        name(i, names[i], false);
    }
    name(NAME_MAIN, "main", false);
    for (uint32_t i = 0; i < NAME_FUNCTION - NAME_REASON && i < GOI_WAIT_REASONS; i++) {
        name(NAME_REASON + i, goi_reason_name((enum wait_reason)i), false);
    }
    for (uint32_t i = 1; i < goi_countof(notes); i++) {
        name(i, notes[i], true);
    }
    process.name = program_invocation_short_name;
    process.nname = strnlen(process.name, 255);
    goi_pb_track(&writer->pb, &process);
    goi_pb_track(&writer->pb, &ps);
    goi_pb_track(&writer->pb, &gs);
}

static void end_file(void)
{
    struct goi_out *o = text();
    goi_outf(o, "end of the trace: %lu switches in %lu pauses, and %lu other events, not recorded",
             (unsigned long)writer->missed, (unsigned long)writer->pauses,
             (unsigned long)goi_tracer.others->lost);
    struct goi_pb_event e = {.type = GOI_PB_INSTANT,
                             .at = writer->last,
                             .track = TRACK_PROCESS,
                             .text = o->buf,
                             .ntext = o->len};
    goi_pb_event(&writer->pb, &e);
}

static void write_until_finished(void)
{
    int64_t pace = PACE_NS;
    for (;;) { /* ends with the trace */
        uint32_t order = ld_acq(&goi_tracer.wake); /* [TRACER] before the look */
        bool any = drain_all();
        flush();
        if (order == GOI_TR_ORDER_FINISH) {
            return;
        }
        pace = any ? (int64_t)PACE_NS : goi_min_i64(2 * pace, PACE_MAX_NS);
        gop_futex_wait(&goi_tracer.wake, GOI_TR_ORDER_WRITE, gop_now() + pace);
    }
}

static size_t writer_bytes(void) { return goi_round_up(sizeof *writer, gop_page_size()); }

bool goi_tracer_writer_new(void)
{
    writer = gop_pages_reserve(writer_bytes(), gop_page_size());
    return writer != NULL;
}

void goi_tracer_writer_free(void) { gop_pages_release(writer, writer_bytes()); }

void *goi_tracer_write(void *arg)
{
    (void)arg;
    gop_block_signals();
    gop_thread_name("gort-tracer");
    while (ld_acq(&goi_tracer.wake) == GOI_TR_ORDER_NONE) { /* [TRACER] ends when it has begun */
        gop_futex_wait(&goi_tracer.wake, GOI_TR_ORDER_NONE, GOI_FOREVER);
    }
    if (ld_acq(&goi_tracer.wake) != GOI_TR_ORDER_FORGET) { /* [TRACER] */
        writer->pb.at = writer->buffer;
        begin_file();
        write_until_finished();
        end_file();
        flush();
    }
    if (close(goi_tracer.fd) != 0 && goi_tracer.error == 0) {
        goi_tracer.error = -errno;
    }
    goi_tracer_ended();
    return NULL;
}
