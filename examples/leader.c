/* SPDX-License-Identifier: MIT */
/* leader.c: one leader, many readers.
 *
 * Five nodes start at the same time; a Once makes exactly one of them the leader, and the others
 * wait until it is installed. The leader then changes the configuration under the write lock, while
 * the followers read it under read locks, all at the same time, and never see half a change.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { NODES = 5, VERSIONS = 50 };

static struct {
    go_once elected;
    int leader, elections;
} cluster;

static struct {
    go_rwmutex mu;
    int version, check; /* check is always the square of version */
} config;

struct outcome {
    int leader, torn;
    bool led;
};

static void elect(int node)
{
    cluster.leader = node;
    cluster.elections++;
}

static void lead(void)
{
    for (int v = 1; v <= VERSIONS; v++) {
        rwmutex_lock(&config.mu);
        config.version = v;
        go_yield(); /* readers must not look now */
        config.check = v * v;
        rwmutex_unlock(&config.mu);
        go_yield();
    }
}

static int follow(void)
{
    int torn = 0;
    for (int seen = 0; seen < VERSIONS;) {
        rwmutex_rlock(&config.mu);
        seen = config.version;
        torn += config.check != seen * seen;
        rwmutex_runlock(&config.mu);
        go_yield();
    }
    return torn;
}

static void node(int id, recv_chan(bool) start, send_chan(struct outcome) out)
{
    chan_recv(start);
    once_call(&cluster.elected, elect, id);
    struct outcome o = { .leader = cluster.leader, .led = cluster.leader == id };
    if (o.led) {
        lead();
    } else {
        o.torn = follow();
    }
    chan_send(out, o);
}

int main(void)
{
    chan(bool) start = chan_make(bool);
    chan(struct outcome) out = chan_make(struct outcome);
    for (int id = 1; id <= NODES; id++) {
        go(node, id, start, out);
    }
    chan_close(start);

    int leaders = 0, agree = 0, torn = 0;
    for (int i = 0; i < NODES; i++) {
        struct outcome o = chan_recv(out);
        leaders += o.led;
        agree += o.leader == cluster.leader;
        torn += o.torn;
    }
    printf("%d election, %d leader, %d nodes agree on it\n", cluster.elections, leaders, agree);
    printf("configuration version %d, half changes seen: %d\n", config.version, torn);

    chan_free(start);
    chan_free(out);
    return 0;
}
