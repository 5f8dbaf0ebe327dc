/* SPDX-License-Identifier: MIT */
/* ident.c: the calling goroutine's identity: number, name, labels, local values, its thread. */
#include "sched/internal.h"
#include "sched/panic.h"
#include <gort/go.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void go_yield(void)
{
    struct m *m = goi_yield(goi_enter());
    goi_leave(m);
}

uint64_t go_id(void) { return goi_self_g()->id; }

int go_count(void)
{
    (void)goi_self_g();
    int n = (int)goi_g_count();
    goi_inside_acquire(&goi_sched.ngoroutines_exited);
    return n;
}

static struct g_extra *extra_of(struct g *g)
{
    if (g->extra == NULL) {
        g->extra = calloc(1, sizeof *g->extra);
        if (g->extra == NULL) {
            goi_fatal("out of memory (naming a goroutine)");
        }
    }
    return g->extra;
}

void goi_g_keep_caught(struct g *g, const char *text)
{
    struct g_extra *x = extra_of(g);
    free(x->caught);
    x->caught = strdup(text);
}

const char *go_panic_caught(void)
{
    const struct g *g = goi_self_g();
    return g->extra != NULL ? g->extra->caught : NULL;
}

void goi_g_set_name(struct g *g, const char *name)
{
    if (name == NULL && g->extra == NULL) {
        return;
    }
    struct g_extra *x = extra_of(g);
    g->tracer_seen = 0; /* by that name the trace does not know it */
    memset(x->name, 0, sizeof x->name);
    if (name != NULL) {
        memcpy(x->name, name, strnlen(name, GOI_NAME_MAX));
    }
}

void go_set_name(const char *name) { goi_g_set_name(goi_self_g(), name); }

void go_set_label(const char *key, const char *value)
{
    struct g_extra *x = extra_of(goi_self_g());
    struct goi_label **at = &x->labels;
    if (key == NULL) {
        return;
    }
    while (*at != NULL && strcmp((*at)->key, key) != 0) {
        at = &(*at)->next;
    }
    struct goi_label *old = *at;
    if (old != NULL) {
        *at = old->next;
        free(old);
    }
    if (value == NULL) {
        return;
    }
    size_t nkey = strlen(key) + 1;
    size_t nvalue = strlen(value) + 1;
    struct goi_label *label = malloc(sizeof *label + nkey + nvalue);
    if (label == NULL) {
        goi_fatal("out of memory (labelling a goroutine)");
    }
    memcpy(label->key, key, nkey);
    label->value = label->key + nkey;
    memcpy(label->key + nkey, value, nvalue);
    label->next = *at; /* in the place of the old one, at the end when new */
    *at = label;
}

/* Goroutine-local values: a short list, found by the address of the key. */
struct goi_local {
    struct goi_local *next;
    const void *key;
    max_align_t value[];
};

void *goi_local_get(const void *key, size_t size)
{
    struct g_extra *x = extra_of(goi_self_g());
    for (struct goi_local *l = x->locals; l != NULL; l = l->next) {
        if (l->key == key) {
            return l->value;
        }
    }
    struct goi_local *l = calloc(1, sizeof *l + size);
    if (l == NULL) {
        goi_fatal("out of memory (goroutine-local value)");
    }
    l->key = key;
    l->next = x->locals;
    x->locals = l;
    return l->value;
}

void goi_g_extra_free(struct g *g)
{
    struct g_extra *x = g->extra;
    g->extra = NULL;
    while (x->labels != NULL) {
        struct goi_label *next = x->labels->next;
        free(x->labels);
        x->labels = next;
    }
    while (x->locals != NULL) {
        struct goi_local *next = x->locals->next;
        free(x->locals);
        x->locals = next;
    }
    free(x->caught);
    free(x);
}

/* LockOSThread: schedule() and the scheduler loop honour g->locked_m. */
void go_lock_thread(void)
{
    struct m *m = goi_enter();
    struct g *g = m->g;
    if (!m->foreign) {
        if (g->lock_depth == UINT16_MAX) {
            goi_leave(m);
            goi_panic_text("LockOSThread nesting overflow");
        }
        g->lock_depth++;
        g->locked_m = m;
        g->odd |= GOI_ODD_LOCKED;
        m->locked_g = g;
    }
    goi_leave(m);
}

void go_unlock_thread(void)
{
    struct m *m = goi_enter();
    struct g *g = m->g;
    if (!m->foreign && g->lock_depth > 0 && --g->lock_depth == 0) {
        g->locked_m = NULL;
        g->odd &= (uint8_t)~GOI_ODD_LOCKED;
        m->locked_g = NULL;
    }
    goi_leave(m);
}

void goi_thread_exit(void) { gop_thread_exit(NULL); }
