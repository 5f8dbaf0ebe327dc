/* SPDX-License-Identifier: MIT */
/* signal.c: SIGQUIT, and the signals that kill.
 *
 * SIGQUIT prints all goroutines and ends the process with status 2, as in Go. The handler only
 * leaves a mark and wakes sysmon, which prints from a thread of its own: whatever the interrupted
 * thread was in the middle of, it goes on and lets go of its locks. If sysmon does not come, a
 * second SIGQUIT prints from the handler itself.
 *
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT print the signal and the goroutine's stack, then the
 * default action is put back and takes its course: the instruction runs again, or the signal is
 * sent again, so that exit status and core are what they would be without us. Handlers that the
 * program installed before the runtime started are left alone, and ones that it installs later
 * replace ours. A SIGQUIT that was ignored already when the process began is not (a shell does
 * that to `prog &`), as in Go; one that the program itself ignores is. SIGSEGV and SIGBUS reach us
 * through stack/overflow.c, which looks for stack overflows first.
 *
 * A thread without a goroutine dies as if Gort were not there.
 *
 * [QUIT] the handler stores quit_wanted and then sysmon_wake; sysmon, before it sleeps, clears
 * sysmon_wake and then loads quit_wanted. Both have a full fence in between, so one of them sees
 * the other.
 */
#include "debug/crash.h"
#include "os/os.h"
#include "sched/internal.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAIN_SLACK = 64 << 10 };

static goi_a32 quit_wanted;             /* [a:QUIT] SIGQUITs so far */
static struct goi_frames frames;        /* [o] of the reporting thread */

static const struct { int sig; const char *name, *text; } fatal_signals[] = {
    {SIGSEGV, "SIGSEGV", "segmentation violation"}, {SIGBUS, "SIGBUS", "bus error"},
    {SIGFPE, "SIGFPE", "floating-point exception"}, {SIGILL, "SIGILL", "illegal instruction"},
    {SIGABRT, "SIGABRT", "abort"}};

/* --- SIGQUIT */

bool goi_debug_wanted(void)
{
    fence_seq(); /* [QUIT] */
    return ld_rlx(&quit_wanted) != 0;
}

GOI_NORETURN static void quit(struct g *g, const struct goi_frames *f)
{
    if (!goi_crash_begin()) {
        _exit(2);
    }
    goi_out_str(goi_crash_out(), "SIGQUIT: quit\n");
    goi_crash_goroutines(g, f, true);
    _exit(2);
}

void goi_debug_tick(void)
{
    if (GOI_UNLIKELY(ld_rlx(&quit_wanted) != 0)) {
        quit(NULL, NULL);
    }
}

static void on_quit(int sig, siginfo_t *info, void *ucontext)
{
    int saved = errno;
    (void)sig;
    (void)info;
    if (add_rlx(&quit_wanted, 1) > 0) {
        struct m *m = goi_m();
        goi_frames_signal(&frames, ucontext);
        quit(m != NULL ? m->g : NULL, &frames);
    }
    fence_seq(); /* [QUIT] */
    st_rel(&goi_sched.sysmon_wake, 1);
    gop_futex_wake(&goi_sched.sysmon_wake, 1);
    errno = saved;
}

/* --- signals that kill */

/* The process's own stack has no guard of ours: an access just below sp, at the resource limit. */
static bool main_overflow(const struct g *g, const siginfo_t *info, const void *ucontext,
                          size_t *limit)
{
    struct rlimit r;
    uintptr_t sp = goi_signal_sp(ucontext);
    uintptr_t at = (uintptr_t)info->si_addr;
    if ((g->flags & GOI_G_MAIN) == 0 || info->si_signo != SIGSEGV || info->si_code <= 0 ||
        getrlimit(RLIMIT_STACK, &r) != 0 || r.rlim_cur == RLIM_INFINITY) {
        return false;
    }
    *limit = (size_t)r.rlim_cur;
    return at < sp + 4096 && at + MAIN_SLACK > sp;
}

static void describe(struct goi_out *o, int sig, const siginfo_t *info, const void *ucontext)
{
    const char *name = "signal";
    const char *text = "";
    for (size_t i = 0; i < goi_countof(fatal_signals); i++) {
        if (fatal_signals[i].sig == sig) {
            name = fatal_signals[i].name;
            text = fatal_signals[i].text;
        }
    }
    if (sig == SIGABRT) {
        goi_outf(o, "%s: %s\n", name, text);
        return;
    }
    /* No address can be what goi_replay put there, so the kernel knows none. */
    if (sig == SIGSEGV && info->si_code == SI_KERNEL && goi_signal_unlisted(ucontext)) {
        goi_out_str(o, "fatal error: a go_do uses a variable that it does not list\n");
    } else {
        goi_out_str(o, "fatal error: unexpected signal\n");
    }
    goi_outf(o, "[signal %s: %s code=0x%x addr=%p pc=0x%lx]\n", name, text,
             (unsigned)info->si_code, info->si_addr, (unsigned long)goi_signal_pc(ucontext));
}

static void default_again(int sig, const siginfo_t *info)
{
    struct sigaction dfl;
    memset(&dfl, 0, sizeof dfl);
    dfl.sa_handler = SIG_DFL;
    sigemptyset(&dfl.sa_mask);
    sigaction(sig, &dfl, NULL);
    if (info->si_code <= 0) {
        raise(sig); /* sent, not made by an instruction: pending until the handler returns */
    }
}

static void on_fatal(int sig, siginfo_t *info, void *ucontext)
{
    int saved = errno;
    struct m *m = goi_m();
    struct g *g = m != NULL ? m->g : NULL;
    size_t limit;
    if (g != NULL && goi_crash_begin()) {
        struct goi_out *o = goi_crash_out();
        bool system = (g->flags & (GOI_G_SCHED | GOI_G_SYSTEM)) != 0;
        goi_frames_signal(&frames, ucontext);
        if (!system && main_overflow(g, info, ucontext, &limit)) {
            goi_outf(o, "runtime: goroutine stack exceeds %zu-byte limit\n", limit);
            goi_out_str(o, "fatal error: stack overflow\n");
            goi_crash_goroutines(g, &frames, false);
            goi_out_str(o, "\nfor a larger stack of main: ulimit -s, or a goroutine of its own\n");
            goi_out_flush(o);
            _exit(2);
        }
        describe(o, sig, info, ucontext);
        goi_crash_goroutines(system ? NULL : g, &frames, true);
    }
    default_again(sig, info);
    errno = saved;
}

/* [c] SIGQUIT was ignored before main. */
static bool quit_was_ignored;

static GOI_CONSTRUCTOR void look_at_quit(void)
{
    struct sigaction sa;
    quit_was_ignored = sigaction(SIGQUIT, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

/* Only where nobody else has a say. */
static void install(int sig, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction sa;
    if (sigaction(sig, NULL, &sa) != 0 || (sa.sa_flags & SA_SIGINFO) != 0 ||
        (sa.sa_handler != SIG_DFL &&
         !(sig == SIGQUIT && sa.sa_handler == SIG_IGN && quit_was_ignored))) {
        return;
    }
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = handler;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&sa.sa_mask);
    sigaction(sig, &sa, NULL);
}

void goi_debug_init(void)
{
    int saved = errno;
    install(SIGQUIT, on_quit);
    for (size_t i = 0; i < goi_countof(fatal_signals); i++) {
        install(fatal_signals[i].sig, on_fatal);
    }
    errno = saved;
}
