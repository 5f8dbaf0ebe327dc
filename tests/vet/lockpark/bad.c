/* SPDX-License-Identifier: MIT */
/* A thread's lock held while the goroutine parks. */
#include <gort/short.h>
#include <pthread.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
struct shared {
    pthread_mutex_t mu;
    pthread_rwlock_t rw;
    int n;
};

static void sends(chan(int) c)
{
    pthread_mutex_lock(&mu);
    chan_send(c, 1); // want "goi_chan_send may park with mu held, a thread's lock taken in line 15"
    pthread_mutex_unlock(&mu);
}

static int receives(struct shared *s, chan(int) c)
{
    pthread_mutex_lock(&s->mu);
    if (s->n > 0) {
        s->n = chan_recv(c); // want "may park with s->mu held"
    }
    pthread_mutex_unlock(&s->mu);
    return s->n;
}

static void naps(void) { go_sleep(GO_MS); }

static void by_a_function(struct shared *s)
{
    pthread_rwlock_rdlock(&s->rw);
    naps(); // want "naps may park with s->rw held"
    pthread_rwlock_unlock(&s->rw);
}

static void locks_ours(struct shared *s, go_mutex *m)
{
    if (pthread_mutex_trylock(&s->mu) == 0) {
        mutex_lock(m); // want "go_mutex_lock may park"
        mutex_unlock(m);
        pthread_mutex_unlock(&s->mu);
    }
}

static int selects(chan(int) c)
{
    int v = 0;
    pthread_mutex_lock(&mu);
    switch (chan_select(recv(got, c, &v), after(late, GO_SEC))) { // want "may park with mu held"
    case got:
        break;
    case late:
        break;
    }
    pthread_mutex_unlock(&mu);
    return v;
}

int main(void)
{
    static struct shared s;
    static go_mutex m;
    chan(int) c = chan_make(int, 1);
    sends(c);
    by_a_function(&s);
    locks_ours(&s, &m);
    return receives(&s, c) + selects(c);
}
