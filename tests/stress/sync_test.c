/* SPDX-License-Identifier: MIT */
/* Locks, conditions, wait groups and semaphores under load: nobody is inside with whom he must not
 * be, no wake is lost, and who gives up holds nothing. */
#include "stress.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

enum { WORKERS = 8, THREADS = 2 };

struct counter {
    go_mutex mu;
    long n, inside; /* plain: the mutex orders them */
    long entered;
    go_waitgroup wg;
};

static bool enter(go_mutex *m, struct stress_rand *r)
{
    switch (stress_below(r, 4)) {
    case 0:
        return mutex_trylock(m);
    case 1: {
        int err = mutex_lock_until(m, go_now() + stress_below(r, 40) * GO_US);
        REQUIRE(err == 0 || err == -ETIMEDOUT);
        return err == 0;
    }
    default:
        mutex_lock(m);
        return true;
    }
}

static void counts(struct counter *c, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        if (enter(&c->mu, &r)) {
            REQUIRE_EQ_INT(c->inside++, 0);
            stress_pause(&r);
            c->n++;
            REQUIRE_EQ_INT(--c->inside, 0);
            mutex_unlock(&c->mu);
            stress_add(&c->entered, 1);
        }
        stress_pause(&r);
    }
    wg_done(&c->wg);
}

struct thread_count {
    struct counter *c;
    int id;
    long rounds;
};
static void *thread_counts(void *arg)
{
    struct thread_count *t = arg;
    counts(t->c, t->id, t->rounds);
    return NULL;
}

TEST_SEEDS(sync, one_is_inside_a_mutex, STRESS_SEEDS)
{
    struct counter c = {0};
    pthread_t thread[THREADS];
    struct thread_count arg[THREADS];
    long rounds = test_iterations(1500);
    wg_add(&c.wg, WORKERS + THREADS);
    for (int i = 0; i < WORKERS; i++) {
        go(counts, &c, i, rounds);
    }
    for (int i = 0; i < THREADS; i++) {
        arg[i] = (struct thread_count){&c, WORKERS + i, rounds / 4 + 1};
        REQUIRE_EQ_INT(pthread_create(&thread[i], NULL, thread_counts, &arg[i]), 0);
    }
    wg_wait(&c.wg);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    EXPECT_EQ_INT(c.n, c.entered);
    EXPECT(mutex_trylock(&c.mu)); /* who gave up left nothing behind */
    mutex_unlock(&c.mu);
}

struct pair {
    go_rwmutex mu;
    long a, b;                 /* plain; equal whenever nobody writes */
    long readers, writers;     /* inside now */
    long written, counted;
    go_waitgroup wg;
};

static bool enter_write(go_rwmutex *m, struct stress_rand *r)
{
    switch (stress_below(r, 4)) {
    case 0:
        return rwmutex_trylock(m);
    case 1:
        return rwmutex_lock_until(m, go_now() + stress_below(r, 40) * GO_US) == 0;
    default:
        rwmutex_lock(m);
        return true;
    }
}

static bool enter_read(go_rwmutex *m, struct stress_rand *r)
{
    switch (stress_below(r, 4)) {
    case 0:
        return rwmutex_tryrlock(m);
    case 1:
        return rwmutex_rlock_until(m, go_now() + stress_below(r, 40) * GO_US) == 0;
    default:
        rwmutex_rlock(m);
        return true;
    }
}

static void write_pair(struct pair *p, struct stress_rand *r)
{
    stress_add(&p->writers, 1);
    EXPECT_EQ_INT(stress_get(&p->writers), 1);
    EXPECT_EQ_INT(stress_get(&p->readers), 0);
    p->a++;
    stress_pause(r);
    p->b++;
    stress_add(&p->writers, -1);
    rwmutex_unlock(&p->mu);
    stress_add(&p->counted, 1);
}

static void read_pair(struct pair *p, struct stress_rand *r)
{
    stress_add(&p->readers, 1);
    EXPECT_EQ_INT(stress_get(&p->writers), 0);
    long a = p->a;
    stress_pause(r);
    EXPECT_EQ_INT(a, p->b);
    stress_add(&p->readers, -1);
    rwmutex_runlock(&p->mu);
}

static void reads_and_writes(struct pair *p, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        if (stress_below(&r, 5) == 0) {
            if (enter_write(&p->mu, &r)) {
                write_pair(p, &r);
            }
        } else if (enter_read(&p->mu, &r)) {
            read_pair(p, &r);
        }
    }
    wg_done(&p->wg);
}

TEST_SEEDS(sync, writers_are_alone_and_readers_see_no_half, STRESS_SEEDS)
{
    struct pair p = {0};
    long rounds = test_iterations(1500);
    wg_add(&p.wg, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        go(reads_and_writes, &p, i, rounds);
    }
    wg_wait(&p.wg);
    EXPECT_EQ_INT(p.a, p.counted);
    EXPECT_EQ_INT(p.b, p.counted);
    EXPECT(rwmutex_trylock(&p.mu));
    rwmutex_unlock(&p.mu);
}

/* A bounded buffer as textbooks write it: each wait in a loop, one condition per reason. */
struct buffer {
    go_mutex mu;
    go_cond not_empty, not_full;
    long item[8];
    long count, size;
    bool closed;
    long taken, sum;
    go_waitgroup putters, takers;
};

static void wait_some(go_cond *c, go_mutex *m, struct stress_rand *r)
{
    if (stress_below(r, 3) == 0) {
        int err = cond_wait_until(c, m, go_now() + stress_below(r, 60) * GO_US);
        EXPECT(err == 0 || err == -ETIMEDOUT);
        if (err == 0) {
            return;
        }
    } else {
        cond_wait(c, m);
    }
}

static void puts_items(struct buffer *b, int id, long n)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 1; i <= n; i++) {
        mutex_lock(&b->mu);
        while (b->count == b->size) {
            wait_some(&b->not_full, &b->mu, &r);
        }
        b->item[b->count++] = i;
        bool unlock_first = stress_below(&r, 2) == 0;
        if (unlock_first) {
            mutex_unlock(&b->mu);
        }
        cond_signal(&b->not_empty);
        if (!unlock_first) {
            mutex_unlock(&b->mu);
        }
        stress_pause(&r);
    }
    wg_done(&b->putters);
}

static void takes_items(struct buffer *b, int id)
{
    struct stress_rand r = stress_rand(id);
    mutex_lock(&b->mu);
    for (;;) { /* ends when the buffer is closed and empty */
        while (b->count == 0 && !b->closed) {
            wait_some(&b->not_empty, &b->mu, &r);
        }
        if (b->count == 0) {
            break;
        }
        b->sum += b->item[--b->count];
        b->taken++;
        cond_signal(&b->not_full);
        if (stress_below(&r, 2) == 0) {
            mutex_unlock(&b->mu);
            stress_pause(&r);
            mutex_lock(&b->mu);
        }
    }
    mutex_unlock(&b->mu);
    wg_done(&b->takers);
}

TEST_SEEDS(sync, no_signal_of_a_condition_is_lost, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    struct buffer b = {.size = stress_between(&r, 1, 8)};
    int putters = (int)stress_between(&r, 1, WORKERS);
    int takers = (int)stress_between(&r, 1, WORKERS);
    long n = test_iterations(1500);
    wg_add(&b.putters, putters);
    wg_add(&b.takers, takers);
    for (int i = 0; i < putters; i++) {
        go(puts_items, &b, i, n);
    }
    for (int i = 0; i < takers; i++) {
        go(takes_items, &b, WORKERS + i);
    }
    wg_wait(&b.putters);
    mutex_lock(&b.mu);
    b.closed = true;
    cond_broadcast(&b.not_empty);
    mutex_unlock(&b.mu);
    wg_wait(&b.takers);
    EXPECT_EQ_INT(b.taken, putters * n);
    EXPECT_EQ_INT(b.sum, putters * (n * (n + 1) / 2));
    EXPECT_EQ_INT(b.count, 0);
}

struct barrier {
    go_mutex mu;
    go_cond all_here;
    long here, round, parties;
    go_waitgroup wg;
};

static void meets(struct barrier *b, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        mutex_lock(&b->mu);
        REQUIRE_EQ_INT(b->round, i); /* nobody is a round ahead or behind */
        if (++b->here == b->parties) {
            b->here = 0;
            b->round++;
            cond_broadcast(&b->all_here);
        } else {
            while (b->round == i) {
                cond_wait(&b->all_here, &b->mu);
            }
        }
        mutex_unlock(&b->mu);
        stress_pause(&r);
    }
    wg_done(&b->wg);
}

TEST_SEEDS(sync, a_broadcast_wakes_all, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    struct barrier b = {.parties = stress_between(&r, 2, 20)};
    long rounds = test_iterations(1000);
    wg_add(&b.wg, (int)b.parties);
    for (int i = 0; i < b.parties; i++) {
        go(meets, &b, i, rounds);
    }
    wg_wait(&b.wg);
    EXPECT_EQ_INT(b.round, rounds);
}

static void waits_for(go_waitgroup *wg, long *finished, long n, go_waitgroup *waiters)
{
    wg_wait(wg);
    EXPECT_EQ_INT(stress_get(finished), n); /* not before the last */
    wg_done(waiters);
}

static void finishes(go_waitgroup *wg, long *finished, long id)
{
    struct stress_rand r = stress_rand(id);
    stress_pause(&r);
    __atomic_fetch_add(finished, 1, __ATOMIC_RELEASE);
    wg_done(wg);
}

/* A group used again and again: each wait ends with its own round, for all who wait. */
TEST_SEEDS(sync, a_wait_group_holds_until_the_last, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    go_waitgroup wg = {0};
    for (long round = test_iterations(400); round > 0; round--) {
        go_waitgroup waiters = {0};
        long finished = 0;
        long n = stress_between(&r, 1, 20);
        long m = stress_between(&r, 1, 5);
        wg_add(&wg, (int)n);
        wg_add(&waiters, (int)m);
        for (long i = 0; i < m; i++) {
            go(waits_for, &wg, &finished, n, &waiters);
        }
        for (long i = 0; i < n; i++) {
            go(finishes, &wg, &finished, round * 100 + i);
        }
        wg_wait(&waiters);
        EXPECT_EQ_INT(finished, n);
    }
}

struct pool {
    go_sem sem;
    long inside, done;
    go_waitgroup wg;
};

static void takes_part(struct pool *p, int id, long rounds)
{
    struct stress_rand r = stress_rand(id);
    for (long i = 0; i < rounds; i++) {
        long n = stress_between(&r, 1, p->sem.size);
        bool got;
        switch (stress_below(&r, 4)) {
        case 0: got = sem_try_acquire(&p->sem, n); break;
        case 1: got = sem_acquire_until(&p->sem, n, go_now() + stress_below(&r, 50) * GO_US) == 0;
            break;
        default: got = sem_acquire(NULL, &p->sem, n) == 0; break;
        }
        if (got) {
            EXPECT_INT(__atomic_add_fetch(&p->inside, n, __ATOMIC_RELAXED), <=, p->sem.size);
            stress_pause(&r);
            stress_add(&p->inside, -n);
            sem_release(&p->sem, n);
        }
    }
    wg_done(&p->wg);
}

TEST_SEEDS(sync, a_semaphore_gives_out_no_more_than_it_has, STRESS_SEEDS)
{
    struct stress_rand r = stress_rand(-1);
    struct pool p = {.sem = {.size = stress_between(&r, 1, 10)}};
    wg_add(&p.wg, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        go(takes_part, &p, i, test_iterations(1000));
    }
    wg_wait(&p.wg);
    EXPECT_EQ_INT(p.sem.taken, 0);
    EXPECT(sem_try_acquire(&p.sem, p.sem.size));
    sem_release(&p.sem, p.sem.size);
}
