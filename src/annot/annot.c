/* SPDX-License-Identifier: MIT */
/* annot.c: see annot.h. */
#include "annot/annot.h"
#include "annot/valgrind.h"
#include "base/atomic.h"
#include "base/fmt.h"
#include "os/os.h"
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

extern void *__tsan_get_current_fiber(void) GOI_WEAK;
extern void __tsan_destroy_fiber(void *fiber) GOI_WEAK;
extern void __tsan_switch_to_fiber(void *fiber, unsigned flags) GOI_WEAK;
extern void __tsan_set_fiber_name(void *fiber, const char *name) GOI_WEAK;
extern void AnnotateBenignRaceSized(const char *file, int line, uintptr_t addr, uintptr_t size,
                                    const char *why) GOI_WEAK;
extern void __tsan_acquire(void *addr) GOI_WEAK;
extern void __tsan_release(void *addr) GOI_WEAK;
/* Made for a Java machine; no other of TSan's replaces what was released before. */
extern void __tsan_java_release_store(uintptr_t addr) GOI_WEAK;
extern void AnnotateIgnoreSyncBegin(const char *file, int line) GOI_WEAK;
extern void AnnotateIgnoreSyncEnd(const char *file, int line) GOI_WEAK;
extern void AnnotateIgnoreWritesBegin(const char *file, int line) GOI_WEAK;
extern void AnnotateIgnoreWritesEnd(const char *file, int line) GOI_WEAK;
extern void __tsan_read_range(void *addr, long size) GOI_WEAK;
extern void __tsan_write_range(void *addr, long size) GOI_WEAK;
extern void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size) GOI_WEAK;
extern void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size) GOI_WEAK;
extern void __lsan_register_root_region(const void *lo, size_t size) GOI_WEAK;
extern void __asan_unpoison_memory_region(const volatile void *addr, size_t size) GOI_WEAK;

/* The two views of annot.h. */
#ifdef GOI_TSAN_INSIDE
enum { TSAN_SWITCH = 0 };
#else
enum { TSAN_SWITCH = 1 };           /* without synchronisation */
#endif

uint32_t goi_annot;
uint32_t goi_annot_most = 8000;
static goi_a32 fibers;

void goi_annot_init(void)
{
    if (__tsan_create_fiber != NULL) {
        goi_annot |= GOI_ANNOT_TSAN;
        gop_sleepers_deaf();
        goi_annot |= TSAN_SWITCH != 0 ? (uint32_t)GOI_ANNOT_RACE : 0u;
    }
    if (__sanitizer_start_switch_fiber != NULL && __asan_unpoison_memory_region != NULL) {
        goi_annot |= GOI_ANNOT_ASAN;
    }
    if (goi_valgrind(VG_RUNNING_ON_VALGRIND, 0, 0) != 0) {
        goi_annot |= GOI_ANNOT_VALGRIND;
    }
}

/* ThreadSanitizer has a background thread: none before the first pthread_create, one after, two in
 * the child of a fork. It starts them with all signals blocked but those that cannot be, and SYS in
 * newer versions. A thread of the program that blocks as many and never calls the runtime is taken
 * for one of them, so no more than there can be are believed. */
int goi_annot_threads(void)
{
    static const uint64_t masks[] = {0xfffffffe7ffbfeffu, 0xfffffffe3ffbfeffu};
    int n = 0;
    if ((goi_annot & GOI_ANNOT_TSAN) != 0) {
        for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
            n += gop_thread_count_masked(masks[i]);
        }
    }
    return n < 0 ? 0 : n > 2 ? 2 : n;
}

/* One module's thread-local variables of this thread. */
static int thread_locals(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_tls_data != NULL) {
            AnnotateBenignRaceSized(__FILE__, __LINE__, (uintptr_t)info->dlpi_tls_data,
                                    info->dlpi_phdr[i].p_memsz, "thread-local");
        }
    }
    return 0;
}

void goi_annot_adopt(struct goi_annot_stack *s)
{
    if ((goi_annot & GOI_ANNOT_TSAN) != 0) {
        s->fiber = __tsan_get_current_fiber();
        /* errno, and what toupper looks at, belong to one goroutine after the other with no order
         * between them that may be announced. */
        if (AnnotateBenignRaceSized != NULL) {
            dl_iterate_phdr(thread_locals, NULL);
        }
    }
}

bool goi_annot_begin(struct goi_annot_stack *s, uint64_t id, const char *name, const char *site)
{
    s->fake = NULL;
    if ((goi_annot & GOI_ANNOT_TSAN) != 0) {
        struct goi_out text;
        if (add_rlx(&fibers, 1) >= goi_annot_most) { /* [stat] a count, nothing is ordered by it */
            return false;
        }
        goi_out_init(&text, -1);
        goi_outf(&text, "goroutine %lu", (unsigned long)id);
        if (name != NULL && name[0] != '\0') {
            goi_outf(&text, " \"%s\"", name);
        }
        goi_outf(&text, " created at %s", site != NULL ? site : "?");
        goi_out_bytes(&text, "", 1);
        text.buf[sizeof text.buf - 1] = '\0';
        s->fiber = __tsan_create_fiber(TSAN_SWITCH);
        __tsan_set_fiber_name(s->fiber, text.buf);
    }
    return true;
}

/* The next goroutine on this stack must not be said to race with the frames of the last one; nor
 * may an order between the two be announced, for there is none to rely on. TSan forgets what it
 * knows of a range when that is unmapped, and does so before it asks the kernel, which refuses
 * here: the address is odd. To the end of the page, because it forgets whole pages. */
static void forget(const char *lo, const char *hi)
{
    enum { PAGE = 4096 };
    uintptr_t end = ((uintptr_t)hi + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    if (lo != NULL) {
        (void)munmap((char *)(uintptr_t)lo + 1, end - (uintptr_t)lo - 1);
    }
}

void goi_annot_end(struct goi_annot_stack *s)
{
    if ((goi_annot & GOI_ANNOT_TSAN) != 0 && s->fiber != NULL) {
        __tsan_destroy_fiber(s->fiber);
        sub_rlx(&fibers, 1); /* [stat] */
        s->fiber = NULL;
        forget(s->lo, s->hi);
    }
    if ((goi_annot & GOI_ANNOT_ASAN) != 0 && s->lo != NULL) {
        /* Frames that never returned left their red zones behind. Only the part near the top can
         * have been used by a goroutine of ordinary depth. */
        size_t used = goi_min_size((size_t)(s->hi - s->lo), (size_t)1 << 20);
        __asan_unpoison_memory_region(s->hi - used, used);
    }
}

void goi_annot_reachable(const void *lo, const void *hi)
{
    if (__lsan_register_root_region != NULL) {
        __lsan_register_root_region(lo, (size_t)((const char *)hi - (const char *)lo));
    }
}

void goi_annot_register(const void *lo, const void *hi)
{
    if ((goi_annot & GOI_ANNOT_VALGRIND) != 0) {
        (void)goi_valgrind(VG_STACK_REGISTER, (uintptr_t)lo, (uintptr_t)hi);
    }
}

void goi_annot_switch(struct goi_annot_stack *from, struct goi_annot_stack *to, bool dies)
{
    if ((goi_annot & GOI_ANNOT_ASAN) != 0) {
        __sanitizer_start_switch_fiber(dies ? NULL : &from->fake, to->lo,
                                       (size_t)(to->hi - to->lo));
    }
    if ((goi_annot & GOI_ANNOT_TSAN) != 0) {
        __tsan_switch_to_fiber(to->fiber, TSAN_SWITCH);
    }
}

void goi_annot_arrive(struct goi_annot_stack *self)
{
    if ((goi_annot & GOI_ANNOT_ASAN) != 0) {
        __sanitizer_finish_switch_fiber(self->fake, NULL, NULL);
    }
}

void goi_race_acquire_slow(const void *addr) { __tsan_acquire((void *)(uintptr_t)addr); }
void goi_race_release_slow(const void *addr) { __tsan_release((void *)(uintptr_t)addr); }

void goi_race_release_store_slow(const void *addr)
{
    if (__tsan_java_release_store != NULL) {
        __tsan_java_release_store((uintptr_t)addr);
    } else {
        __tsan_release((void *)(uintptr_t)addr);
    }
}

/* TSan's notion of who runs changes, the stack does not. */
void *goi_race_as_slow(const struct goi_annot_stack *s)
{
    void *self = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(s->fiber, TSAN_SWITCH);
    return self;
}

void goi_race_back_slow(void *self) { __tsan_switch_to_fiber(self, TSAN_SWITCH); }

void goi_race_nobody_slow(bool begin)
{
    if (AnnotateIgnoreSyncBegin == NULL || AnnotateIgnoreSyncEnd == NULL) {
        return;
    }
    if (begin) {
        AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
    } else {
        AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
    }
}

void goi_unseen_slow(bool begin)
{
    if (AnnotateIgnoreWritesBegin == NULL || AnnotateIgnoreWritesEnd == NULL) {
        return;
    }
    if (begin) {
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    } else {
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    }
}

void goi_unseen_free(void *p)
{
    bool tsan = (goi_annot & GOI_ANNOT_TSAN) != 0;
    if (tsan) {
        goi_unseen_slow(true);
    }
    free(p);
    if (tsan) {
        goi_unseen_slow(false);
    }
}

/* This file is never instrumented. */
static char at(const char *p)
{
    /* style: volatile because the loops below must not become calls of libc. */
    return *(const volatile char *)p;
}

void goi_unseen_copy(void *to, const void *from, size_t n)
{
    if (GOI_LIKELY(!goi_race_on())) {
        memcpy(to, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        ((char *)to)[i] = at((const char *)from + i);
    }
}

bool goi_unseen_equal(const char *a, const char *b)
{
    if (!goi_race_on()) {
        return strcmp(a, b) == 0;
    }
    size_t i = 0;
    while (at(a + i) == at(b + i) && at(a + i) != '\0') { /* ends: at the end of either */
        i++;
    }
    return at(a + i) == at(b + i);
}

size_t goi_unseen_length(const char *s)
{
    size_t n = 0;
    if (!goi_race_on()) {
        return strlen(s);
    }
    while (at(s + n) != '\0') {
        n++;
    }
    return n;
}

void goi_race_read_slow(const void *addr, size_t n)
{
    if (__tsan_read_range != NULL && n > 0) {
        __tsan_read_range((void *)(uintptr_t)addr, (long)n);
    }
}

void goi_race_write_slow(const void *addr, size_t n)
{
    if (__tsan_write_range != NULL && n > 0) {
        __tsan_write_range((void *)(uintptr_t)addr, (long)n);
    }
}
