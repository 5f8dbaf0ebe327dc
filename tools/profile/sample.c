/* SPDX-License-Identifier: MIT */
/* sample.c: perf_event_open on every thread of a process, and its rings.
 *
 * The event is a timer of the thread's own processor time, so a thread that sleeps is not seen. The
 * kernel writes each sample with the user's stack pointer and the top of the stack into a ring
 * that is shared with it, and the process notices nothing: no signal, no handler, no thread. An
 * event does not come by itself to threads that are made later when it has a ring for all
 * processors, so the list of threads is read at every look.
 *
 * A sample has 8 KiB of stack, so a ring that is read every 10 ms must grow with the rate: it has
 * room for the samples of RING_MS, which leaves as much as half of that to whatever else keeps this
 * process from running. Who may not have so much memory for all threads has less, and may lose
 * samples, which the kernel counts.
 */
#include "base/atomic.h"
#include "profile.h"
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    RING_PAGES = 32,            /* a power of two: at least so many */
    RING_MS = 25, SAMPLE_BYTES = STACK_BYTES + 1024,
    RECORD_MAX = 1 << 16,
    SP_X86 = 7, SP_ARM64 = 31,  /* the kernel's numbers of the stack pointer */
};

struct thread {
    int tid, fd;
    bool seen;
    struct perf_event_mmap_page *page;
    size_t ring;                /* bytes of samples behind that page */
};

struct sampler {
    int pid, machine, hertz;
    bool kernel;                /* may samples be taken within the kernel? */
    size_t ring;                /* bytes, of those that are made from now on */
    struct thread *thread;
    size_t n;
    uint64_t lost;
    char record[RECORD_MAX];
};

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static int open_event(struct sampler *s, int tid)
{
    struct perf_event_attr a = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof a,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .freq = 1,
        .sample_freq = (uint64_t)s->hertz,
        .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                       PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
        .sample_regs_user = 1ull << (s->machine == EM_AARCH64 ? SP_ARM64 : SP_X86),
        .sample_stack_user = STACK_BYTES,
        .exclude_kernel = !s->kernel,
        .exclude_callchain_kernel = 1,
        .exclude_hv = 1,
    };
    int fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0 && s->kernel && (errno == EACCES || errno == EPERM)) {
        s->kernel = false;
        a.exclude_kernel = 1;
        fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    }
    return fd;
}

static void refuse(int why)
{
    if (why == EACCES || why == EPERM) {
        top_die(TOP_FAILED, "the kernel does not let this user sample: "
                            "kernel.perf_event_paranoid is above 2");
    }
    if (why == ENOENT || why == ENOSYS) {
        top_die(TOP_FAILED, "this kernel has no perf events");
    }
    top_die(TOP_FAILED, "sampling: %s", strerror(why));
}

static size_t ring_bytes(int hertz)
{
    size_t want = (size_t)hertz * RING_MS / 1000 * SAMPLE_BYTES;
    size_t ring = RING_PAGES * page_bytes();
    while (ring < want) { /* ends: it doubles */
        ring *= 2;
    }
    return ring;
}

/* The kernel limits what a user may lock: then smaller ones, also for threads to come. */
static void *map_ring(struct sampler *s, int fd)
{
    for (;; s->ring /= 2) { /* ends at the smallest */
        void *page = mmap(NULL, page_bytes() + s->ring, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED || s->ring <= RING_PAGES * page_bytes()) {
            return page;
        }
    }
}

static void add_thread(struct sampler *s, int tid)
{
    int fd = open_event(s, tid);
    if (fd < 0) {
        if (errno != ESRCH) {
            refuse(errno);
        }
        return;
    }
    void *page = map_ring(s, fd);
    if (page == MAP_FAILED) {
        top_die(TOP_FAILED, "no memory for the samples of %zu threads (kernel.perf_event_mlock_kb, "
                            "ulimit -l): %s", s->n + 1, strerror(errno));
    }
    s->thread = realloc(s->thread, (s->n + 1) * sizeof *s->thread);
    if (s->thread == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    s->thread[s->n++] =
        (struct thread){.tid = tid, .fd = fd, .seen = true, .page = page, .ring = s->ring};
}

static void find_threads(struct sampler *s)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", s->pid);
    DIR *d = opendir(path);
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->thread[i].seen = false;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        int tid = atoi(e->d_name);
        size_t i = 0;
        while (i < s->n && s->thread[i].tid != tid) {
            i++;
        }
        if (i < s->n) {
            s->thread[i].seen = true;
        } else if (tid > 0) {
            add_thread(s, tid);
        }
    }
    closedir(d);
}

/* --- one record */

struct view { const char *at, *end; };

static uint64_t word(struct view *v)
{
    uint64_t x = 0;
    if (v->end - v->at >= 8) {
        memcpy(&x, v->at, 8);
        v->at += 8;
    } else {
        v->at = v->end;
    }
    return x;
}

/* The chain has marks between its parts, which no address looks like. */
static void read_chain(struct view *v, struct sample *one)
{
    uint64_t n = word(v);
    for (uint64_t i = 0; i < n && v->at < v->end; i++) {
        uint64_t pc = word(v);
        if (pc < (uint64_t)-4096 && one->n < FRAMES_MAX) {
            one->pc[one->n] = pc - (one->n > 0 ? 1 : 0); /* behind a call, which is what is meant */
            one->n++;
        }
    }
}

static bool read_sample(struct view v, struct sample *one)
{
    memset(one, 0, offsetof(struct sample, pc));
    (void)word(&v);             /* ip: the chain begins with it, unless it is the kernel's */
    one->tid = (int)(word(&v) >> 32);
    one->time = word(&v);
    read_chain(&v, one);
    if (word(&v) != 0) {        /* the kind of registers; none: a thread of the kernel */
        one->sp = word(&v);
    }
    uint64_t size = word(&v);
    if (size > 0 && size <= (uint64_t)(v.end - v.at)) {
        one->stack = v.at;
        v.at += size;
        uint64_t there = word(&v);
        one->nstack = (size_t)(there < size ? there : size);
    }
    return one->n > 0;
}

static void drain(struct sampler *s, struct thread *x,
                  void (*take)(struct sample *one, void *arg), void *arg)
{
    static struct sample one;
    const char *data = (const char *)x->page + page_bytes();
    size_t size = x->ring;
    uint64_t head = ld_acq(goi_word64((uint64_t *)&x->page->data_head)); /* of the kernel */
    uint64_t tail = x->page->data_tail;
    while (tail < head) {
        struct perf_event_header h;
        size_t at = tail % size;
        memcpy(&h, data + at, sizeof h); /* eight bytes at a multiple of eight: in one part */
        if (h.size < sizeof h) {
            break;
        }
        size_t first = h.size < size - at ? h.size : size - at;
        memcpy(s->record, data + at, first);
        memcpy(s->record + first, data, h.size - first);
        struct view v = {s->record + sizeof h, s->record + h.size};
        if (h.type == PERF_RECORD_SAMPLE && read_sample(v, &one)) {
            take(&one, arg);
        } else if (h.type == PERF_RECORD_LOST) {
            (void)word(&v);
            s->lost += word(&v);
        }
        tail += h.size;
    }
    st_rel(goi_word64((uint64_t *)&x->page->data_tail), head); /* the kernel may write there */
}

void sampler_poll(struct sampler *s, void (*take)(struct sample *one, void *arg), void *arg)
{
    find_threads(s);
    for (size_t i = 0; i < s->n;) {
        struct thread *x = &s->thread[i];
        drain(s, x, take, arg);
        if (x->seen) {
            i++;
            continue;
        }
        munmap(x->page, page_bytes() + x->ring);
        close(x->fd);
        *x = s->thread[--s->n];
    }
}

uint64_t sampler_lost(const struct sampler *s) { return s->lost; }

struct sampler *sampler_new(int pid, int machine, int hertz)
{
    struct sampler *s = calloc(1, sizeof *s);
    if (s == NULL) {
        top_die(TOP_FAILED, "out of memory");
    }
    *s = (struct sampler){.pid = pid, .machine = machine, .hertz = hertz, .kernel = true,
                          .ring = ring_bytes(hertz)};
    find_threads(s);
    return s;
}
