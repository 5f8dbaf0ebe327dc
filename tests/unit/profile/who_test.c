/* SPDX-License-Identifier: MIT */
/* Whose sample it was, read from a process that goes on meanwhile. The process is this one, where
 * what is read can be changed between two looks. */
#include "harness.h"
#include "who.c"
#include <malloc.h>
#include <stdarg.h>
#include <unistd.h>

static struct goi_sched sched;
static struct g g;
static struct m m;
static struct g_extra extra;
static union { struct goi_label label; char bytes[sizeof(struct goi_label) + 16]; } one;
static int looks_at_g, ends_at;         /* when it has been looked at so often, it has ended */

const char top_command[] = "test", top_usage_text[] = "";

void top_die(int status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    _exit(status);
}

/* As the kernel reads another process: what lies beside a text is read with it. */
__attribute__((no_sanitize("address"))) static void read_bytes(char *to, const volatile char *from,
                                                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
    }
}

bool target_read(const struct target *t, uintptr_t at, void *to, size_t n)
{
    (void)t;
    if (at == (uintptr_t)&g && ++looks_at_g == ends_at) {
        g.id++;
    }
    read_bytes(to, (const volatile char *)at, n);
    return true;
}

void target_read_maps(struct target *t) { (void)t; }

struct function symbol_of(struct target *t, uintptr_t pc)
{
    (void)t;
    (void)pc;
    return (struct function){.name = "entry"};
}

static struct target target;
static const struct sample sample = {.tid = 1234};

/* A thread that has called the runtime, with a name and a label. */
static void set_up(void)
{
    target.at.sched = &sched;
    sched.foreign_list = &g;
    g.id = 7;
    g.flags = GOI_G_FOREIGN;
    g.parent_id = 3;
    g.m = &m;
    g.extra = &extra;
    m.tid = sample.tid;
    strcpy(extra.name, "named");
    one.label.value = "of another";
    strcpy(one.bytes + offsetof(struct goi_label, key), "kind");
    extra.labels = &one.label;
}

static const char *label_of(const struct who *w, const char *which)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->label[i].key, which) == 0) {
            return w->label[i].value;
        }
    }
    return "";
}

TEST(who, has_its_name_and_labels)
{
    set_up();
    const struct who *w = who_of(&target, &sample);
    EXPECT_EQ_STR(w->title, "named");
    EXPECT_EQ_STR(label_of(w, "name"), "named");
    EXPECT_EQ_STR(label_of(w, "kind"), "of another");
    EXPECT_EQ_STR(label_of(w, "parent"), "3");
}

TEST(who, has_ended_meanwhile_has_no_name_of_another)
{
    set_up();
    ends_at = 2;
    const struct who *w = who_of(&target, &sample);
    EXPECT_EQ_STR(w->title, "thread");
    EXPECT_EQ_STR(label_of(w, "name"), "");
    EXPECT_EQ_STR(label_of(w, "kind"), "");
    EXPECT_EQ_STR(label_of(w, "parent"), "3");
}

TEST(who, is_the_same_takes_no_more_memory)
{
    set_up();
    const struct who *w = who_of(&target, &sample);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 1000; i++) {
        EXPECT_EQ_PTR(who_of(&target, &sample), w);
    }
    EXPECT_UINT(mallinfo2().uordblks, <, before + 4096);
}

/* More than are kept by name: all that come then are the same, and nothing of them is kept. */
TEST(who, is_one_of_the_others_takes_no_memory)
{
    set_up();
    while (strcmp(who_of(&target, &sample)->title, "other goroutines") != 0) { /* ends: KEPT */
        g.id++;
    }
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 1000; i++) {
        g.id++;
        EXPECT_EQ_STR(who_of(&target, &sample)->title, "other goroutines");
    }
    EXPECT_UINT(mallinfo2().uordblks, <, before + 4096);
}
