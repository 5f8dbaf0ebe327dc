/* SPDX-License-Identifier: MIT */
/* overflow.c: telling a stack overflow from any other fault.
 *
 * A goroutine that runs out of stack touches its guard and gets SIGSEGV (SIGBUS on some systems).
 * It has no stack left to handle it on, so every thread that runs goroutines has an alternate
 * signal stack. The handler asks whether the address lies in a guard; if so, the registered
 * reporter names the goroutine. If not, the fault is none of ours, and it must look as if we had
 * never been here:
 *
 *  - a handler that was installed before ours is called, with its own mask;
 *  - SIG_DFL, and SIG_IGN of a fault, which the kernel treats alike: the default action is put back
 *    and the handler returns; the instruction faults again, and the core shows the faulting place
 *    and not this file. A signal that was *sent* (kill, raise) does not come again by itself and is
 *    sent once more;
 *  - a handler installed after ours simply replaces it: sigaction is not intercepted. It must ask
 *    for SA_ONSTACK to see overflows, as any such handler must.
 *
 * Before all that it asks whether the address lies in a stack that hibernates (hibernate.c), whose
 * page is then back. Once goroutines hibernate the handler runs with all signals blocked, and takes
 * that back when the fault is another one: the reporter may then meet such stacks itself.
 *
 *   O1  The handler calls nothing that is not async-signal-safe; goi_stack_find takes no lock.
 *       (by inspection; tests/unit/stack/overflow_test.c runs it)
 *   O2  The previous disposition is stored before ours can be called, and never changes.
 *
 * The reporter may fault in its turn: the signal is blocked in the handler, so the kernel then
 * kills the process with the same signal, and there is no loop.
 */
#include "os/os.h"
#include "stack/hibernate.h"
#include "stack/stack.h"
#include "base/assert.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* Room for the kernel's frame (more with wide vector registers), the reporter and a symboliser. */
#define ALT_STACK_BYTES ((size_t)64 << 10)
/* A stack the thread has already is kept when it is at least so large. */
#define ALT_STACK_ENOUGH ((size_t)16 << 10)

static void (*reporter)(const struct goi_stack *s, void *fault, void *ucontext);
static struct sigaction old_segv, old_bus;
static _Thread_local char *own_map; /* what goi_overflow_thread_init mapped for this thread */

/* Kernel-made: the instruction faults again when the handler returns. */
static bool was_sent(const siginfo_t *info)
{
    return info->si_code <= 0;
}

static void set_default(int sig)
{
    struct sigaction dfl;
    memset(&dfl, 0, sizeof dfl);
    dfl.sa_handler = SIG_DFL;
    sigemptyset(&dfl.sa_mask);
    sigaction(sig, &dfl, NULL);
}

static void default_again(int sig, const siginfo_t *info)
{
    set_default(sig);
    if (was_sent(info)) {
        /* Pending until the handler returns and unblocks it. */
        raise(sig);
    }
}

static void chain(int sig, siginfo_t *info, void *ucontext)
{
    const struct sigaction *old = sig == SIGSEGV ? &old_segv : &old_bus;
    if ((old->sa_flags & SA_SIGINFO) == 0) {
        if (old->sa_handler == SIG_IGN && was_sent(info)) {
            return;
        }
        if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
            default_again(sig, info);
            return;
        }
    }
    if ((old->sa_flags & SA_RESETHAND) != 0) {
        set_default(sig); /* the next one finds neither of us */
    }
    /* The kernel restores the mask when we return. */
    sigset_t mask = old->sa_mask;
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    if ((old->sa_flags & SA_NODEFER) != 0) {
        sigemptyset(&mask);
        sigaddset(&mask, sig);
        pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
    }
    if ((old->sa_flags & SA_SIGINFO) != 0) {
        old->sa_sigaction(sig, info, ucontext);
    } else {
        old->sa_handler(sig);
    }
}

static void unblock_all(void *ucontext)
{
    pthread_sigmask(SIG_SETMASK, &((ucontext_t *)ucontext)->uc_sigmask, NULL);
}

static void block(int sig)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, sig);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
    int saved = errno;
    struct goi_stack s;
    enum goi_stack_where where = was_sent(info) ? GOI_STACK_NOWHERE
                                                : goi_stack_find(info->si_addr, &s);
    if (where == GOI_STACK_INSIDE && goi_hibernate_fault(&s, info->si_addr)) {
        errno = saved;
        return;
    }
    if (ld_rlx(&goi_hibernate_used)) {
        unblock_all(ucontext);
    }
    if (where == GOI_STACK_IN_GUARD) {
        reporter(&s, info->si_addr, ucontext);
    }
    if (ld_rlx(&goi_hibernate_used)) {
        block(sig);
    }
    chain(sig, info, ucontext);
    errno = saved;
}

void goi_overflow_block_all(void)
{
    struct sigaction sa;
    if (sigaction(SIGSEGV, NULL, &sa) == 0 && (sa.sa_flags & SA_SIGINFO) != 0 &&
        sa.sa_sigaction == on_fault) {
        sigfillset(&sa.sa_mask);
        (void)sigaction(SIGSEGV, &sa, NULL);
    }
}

bool goi_overflow_handles(void)
{
    struct sigaction sa;
    return sigaction(SIGSEGV, NULL, &sa) == 0 && (sa.sa_flags & SA_SIGINFO) != 0 &&
           sa.sa_sigaction == on_fault;
}

int goi_overflow_init(void (*report)(const struct goi_stack *s, void *fault, void *ucontext))
{
    struct sigaction sa;
    int saved = errno;
    goi_must(reporter == NULL);
    reporter = report;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&sa.sa_mask);
    /* O2: the old disposition is stored before ours can be called. */
    int r = sigaction(SIGSEGV, NULL, &old_segv) == 0 && sigaction(SIGBUS, NULL, &old_bus) == 0 &&
                    sigaction(SIGSEGV, &sa, NULL) == 0 && sigaction(SIGBUS, &sa, NULL) == 0
                ? 0
                : -errno;
    errno = saved;
    return r;
}

size_t goi_overflow_stack_size(void)
{
    long min = sysconf(_SC_SIGSTKSZ);
    size_t most = min > 0 ? 4 * (size_t)min : 0;
    return goi_round_up(most > ALT_STACK_BYTES ? most : ALT_STACK_BYTES, gop_page_size());
}

/* An alternate stack with a guard below it; NULL: refused. */
static char *map_stack(size_t size)
{
    size_t page = gop_page_size();
    char *map = gop_pages_reserve(size + page, page);
    if (map == NULL) {
        return NULL;
    }
    /* Best effort: the reporter is written to need less than there is. */
    if (gop_pages_guard(map, page) != 0) {
        (void)gop_pages_protect(map, page, false);
    }
    own_map = map;
    return map + page;
}

int goi_overflow_thread_init(void *mem)
{
    int saved = errno, r = 0;
    size_t size = goi_overflow_stack_size();
    stack_t have;
    bool kept = sigaltstack(NULL, &have) == 0 && (have.ss_flags & SS_DISABLE) == 0 &&
                have.ss_size >= ALT_STACK_ENOUGH;
    if (!kept) {
        stack_t ss = {.ss_sp = mem != NULL ? mem : map_stack(size), .ss_size = size};
        if (ss.ss_sp == NULL) {
            r = -ENOMEM;
        } else if (sigaltstack(&ss, NULL) != 0) {
            r = -errno;
        }
    }
    errno = saved;
    return r;
}

void *goi_overflow_thread_stack(void) { return own_map; }

void goi_overflow_thread_fini(void)
{
    int saved = errno;
    size_t size = goi_overflow_stack_size(), page = gop_page_size();
    stack_t have, off = {.ss_flags = SS_DISABLE};
    /* If the user has put another one in place, ours is not in use either. */
    bool ours = own_map != NULL && sigaltstack(NULL, &have) == 0 && have.ss_sp == own_map + page;
    if (own_map != NULL && (!ours || sigaltstack(&off, NULL) == 0)) {
        gop_pages_release(own_map, size + page);
        own_map = NULL;
    }
    errno = saved;
}
