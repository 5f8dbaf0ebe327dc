/* SPDX-License-Identifier: MIT */
/* resolve_libc.c: names by getaddrinfo(3), which blocks its thread.
 *
 * It runs in a goroutine of its own, announced as blocking, so the processor is passed on at once
 * and the caller can leave when its context ends; the answer then comes to nobody, and the last of
 * the two releases the memory. getaddrinfo cannot be interrupted, so a resolver that does not
 * answer keeps threads: at most LOOKUPS at a time (Go: 500), further ones wait for their turn.
 */
#include "net/internal.h"
#include "net/resolve.h"
#include <gort/go.h>
#include <gort/select.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUPS = 500 };

struct lookup {
    go_chan(int) done;      /* room for the answer: the sender never waits */
    go_mutex mu;
    int users;              /* guarded by mu */
    int error;
    go_addrs found;
    char name[];
};

static go_sem turns = {.size = LOOKUPS};

static void drop(struct lookup *l)
{
    go_mutex_lock(&l->mu);
    bool last = --l->users == 0;
    go_mutex_unlock(&l->mu);
    if (last) {
        go_chan_free(l->done);
        free(l);
    }
}

static int error_of(int eai)
{
    return eai == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
}

static void ask(struct lookup *l)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int r = 0;
    go_blocking {
        r = getaddrinfo(l->name, NULL, &hints, &list);
    }
    if (r == 0) {
        for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
            bool ip = a->ai_family == AF_INET || a->ai_family == AF_INET6;
            if (ip && l->found.count < GO_ADDRS_MAX) {
                go_addr *to = &l->found.addr[l->found.count++];
                memcpy(&to->storage, a->ai_addr, a->ai_addrlen);
                to->length = a->ai_addrlen;
            }
        }
        freeaddrinfo(list);
    }
    l->error = r == 0 && l->found.count > 0 ? 0 : error_of(r);
    go_sem_release(&turns, 1);
    go_chan_send(l->done, 1);
    drop(l);
}

int goi_resolve_libc(go_ctx *ctx, const char *name, go_addrs *out)
{
    size_t n = strlen(name) + 1;
    struct lookup *l = calloc(1, sizeof *l + n);
    if (l == NULL) {
        return -ENOMEM;
    }
    memcpy(l->name, name, n);
    l->done = go_chan_make(int, 1);
    l->users = 2;
    int r = l->done != NULL ? go_sem_acquire(ctx, &turns, 1) : -ENOMEM;
    if (r != 0) {
        go_chan_free(l->done);
        free(l);
        return r;
    }
    go_spawn(ask, l);
    go_recv_chan(char) end = ctx != NULL ? go_ctx_done(ctx) : NULL;
    switch (go_chan_select(recv(answered, l->done, NULL), recv(ended, end))) {
    case answered:
        r = l->error;
        *out = l->found;
        break;
    case ended:
        r = go_ctx_err(ctx);
        break;
    }
    drop(l);
    return r;
}
