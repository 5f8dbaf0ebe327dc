/* SPDX-License-Identifier: MIT */
/* crash.c: how a process ends that cannot go on: fatal errors, panics, deadlock, stack overflow.
 *
 * The words are Go's, the status is 2. The order: what the program has printed to stdout so far,
 * the message, the goroutine at fault, the others (GORTTRACEBACK decides), the end.
 *
 * Whoever comes first prints. Other threads that fail meanwhile stop for good; the same thread
 * failing again, in the middle of its own report, ends the process at once. Nothing here allocates
 * from the heap or waits without bound for a lock: the thread may hold any of the runtime's.
 *
 *   R1  One report per process.                                    (crash_begin)
 *   R2  A crash while crashing ends the process, with what has been printed so far.
 */
#include "debug/crash.h"
#include "debug/cycle.h"
#include "debug/dump.h"
#include "debug/internal.h"
#include "os/os.h"
#include "sched/internal.h"
#include "sched/panic.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_NS = 200000000, STATUS = 2 };

static goi_a32 crashing;            /* [a:CRASH] kernel id of the thread that reports */
static struct goi_out out;          /* [o] the reporting thread */
static struct goi_frames frames;    /* [o] */

bool goi_crash_begin(void)
{
    uint32_t me = (uint32_t)gop_thread_id();
    uint32_t owner = 0;
    if (cas_acqrel(&crashing, &owner, me)) { /* [CRASH] R1 */
        goi_out_init(&out, 2);
        return true;
    }
    if (owner == me) {
        return false;
    }
    goi_freeze();
}

bool goi_crash_elsewhere(void)
{
    uint32_t owner = ld_acq(&crashing); /* [CRASH] */
    return owner != 0 && owner != (uint32_t)gop_thread_id();
}

/* What the program has printed shall not be lost, and shall come first. Not from signal handlers:
 * stdio may be in the middle of something. */
static void flush_stdout(void)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    if (ftrylockfile(stdout) == 0) {
        (void)fflush_unlocked(stdout);
        funlockfile(stdout);
    }
}

static void begin_or_end(void)
{
    if (!goi_crash_begin()) {
        goi_out_str(&out, "\nfatal error: failed again while reporting\n");
        goi_out_flush(&out);
        _exit(STATUS); /* R2 */
    }
    flush_stdout();
}

GOI_NORETURN static void finish(void)
{
    goi_out_flush(&out);
    if (goi_traceback == GOI_TRACEBACK_CRASH) {
        signal(SIGABRT, SIG_DFL);
        raise(SIGABRT);
    }
    _exit(STATUS);
}

static struct g *current(void)
{
    struct m *m = goi_m();
    return m != NULL && (m->g->flags & (GOI_G_SCHED | GOI_G_SYSTEM)) == 0 ? m->g : NULL;
}

struct goi_out *goi_crash_out(void) { return &out; }

/* A stack without a goroutine: the scheduler's, or that of a thread which the runtime has not met
 * yet and which gets the number it would have had. */
static void print_bare_stack(const struct goi_frames *f, bool system)
{
    if (goi_m() != NULL) {
        goi_out_str(&out, "\nruntime stack:\n");
        system = true;
    } else if (gop_thread_id() == (int)getpid()) {
        goi_out_str(&out, "\ngoroutine 1 [running]:\n");
    } else {
        uint64_t id = add_rlx(&goi_sched.id_next, 1);
        goi_outf(&out, "\ngoroutine %lu [running, locked to thread]:\n",
                 (unsigned long)(id > 1 ? id : 2));
    }
    goi_dump_frames(&out, f->pc, f->n, f->total, system);
}

void goi_crash_goroutines(struct g *g, const struct goi_frames *f, bool others)
{
    bool system = goi_traceback >= GOI_TRACEBACK_SYSTEM;
    goi_out_flush(&out);
    if (goi_traceback == GOI_TRACEBACK_NONE) {
        return;
    }
    if (g == NULL && f != NULL) {
        print_bare_stack(f, system);
    }
    struct goi_capture_want want = {.others = others || goi_traceback >= GOI_TRACEBACK_ALL,
                                    .crashing = true,
                                    .patience = PATIENCE_NS,
                                    .current = g,
                                    .frames = f};
    struct goi_capture *c = goi_capture_take(&want);
    if (c != NULL) {
        goi_dump_write(&out, c, system, true);
    } else if (g != NULL && f != NULL) {
        goi_outf(&out, "\ngoroutine %lu [running]:\n", (unsigned long)g->id);
        goi_dump_frames(&out, f->pc, f->n, f->total, system);
    }
    goi_out_flush(&out);
}

GOI_NOINLINE void goi_fatal(const char *text)
{
    begin_or_end();
    goi_frames_here(&frames);
    goi_outf(&out, "fatal error: %s\n", text);
    goi_crash_goroutines(current(), &frames, true);
    finish();
}

void goi_fatal_alone(const char *text)
{
    static const struct goi_frames none;
    begin_or_end();
    goi_outf(&out, "fatal error: %s\n", text);
    goi_crash_goroutines(current(), &none, false);
    finish();
}

void goi_crash_deadlock(const char *text)
{
    goi_cycles_hold(); /* before the crash begins: what is being told is told to its end */
    begin_or_end();
    goi_outf(&out, "fatal error: %s\n", text);
    goi_crash_goroutines(NULL, NULL, true);
    goi_cycles_write(&out);
    finish();
}

/* What follows a line end is indented, so that no message can look like the rest of the report. */
static void print_indented(const char *s)
{
    for (size_t n = strcspn(s, "\n"); s[n] != '\0'; n = strcspn(s, "\n")) {
        goi_out_bytes(&out, s, n);
        goi_out_str(&out, "\n\t");
        s += n + 1;
    }
    goi_out_str(&out, s);
}

/* The oldest first, each newer one that was started by a deferred call a step to the right. */
static void print_panics(const struct goi_panic *newest)
{
    size_t n = 0;
    for (const struct goi_panic *p = newest; p != NULL; p = p->prev) {
        n++;
    }
    for (size_t i = n; i-- > 0;) {
        const struct goi_panic *p = newest;
        for (size_t k = 0; k < i; k++) {
            p = p->prev;
        }
        if (p->goexit) {
            continue;
        }
        bool nested = p->prev != NULL && !p->prev->goexit;
        goi_outf(&out, "%spanic: ", nested ? "\t" : "");
        print_indented(p->message);
        goi_out_str(&out, "\n");
    }
}

GOI_NOINLINE void goi_crash_panic(struct goi_panic *p)
{
    begin_or_end();
    goi_frames_here(&frames);
    print_panics(p);
    goi_crash_goroutines(current(), &frames, false);
    finish();
}

/* On the alternate signal stack of the thread that ran out of stack. */
void goi_crash_overflow(const struct goi_stack *s, void *fault, void *ucontext)
{
    uintptr_t sp = goi_signal_sp(ucontext);
    struct g *g = (struct g *)(void *)s->top;
    (void)fault;
    if (sp < (uintptr_t)s->window || sp > (uintptr_t)s->top) {
        return; /* a wild pointer that hit somebody else's guard */
    }
    if (!goi_crash_begin()) {
        _exit(STATUS); /* R2 */
    }
    goi_frames_signal(&frames, ucontext);
    size_t limit = GOI_STACK_SIZE_MIN << s->klass;
    goi_outf(&out, "runtime: goroutine stack exceeds %zu-byte limit\n", limit);
    goi_out_str(&out, "fatal error: stack overflow\n");
    goi_crash_goroutines(g, &frames, false);
    goi_outf(&out, "\nfor a larger stack: go_with(GO_OPTS(.stack = %zu * GO_MIB), fn, args...)\n",
             limit >= (size_t)1 << 20 ? limit >> 19 : (size_t)1);
    finish();
}
