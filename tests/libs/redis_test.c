/* SPDX-License-Identifier: MIT */
/* hiredis, blocking as it is, against a real server, whose socket is in LIBS_REDIS. */
#include "crowd.h"
#include <hiredis/hiredis.h>

enum { CROWD = 300, ROUNDS = 3, PAIRS = 100, TURNS = 20 };

static void *open_redis(int id)
{
    (void)id;
    redisContext *c = redisConnectUnix(getenv("LIBS_REDIS"));
    if (!EXPECT(c != NULL) || !EXPECT_EQ_STR(c->errstr, "")) {
        return NULL;
    }
    return c;
}

static void close_redis(void *c)
{
    redisFree(c);
}

/* Sets, gets, and waits for what does not come. */
static bool wait_in_vain(void *c, int id, int round)
{
    redisReply *set = redisCommand(c, "SET key:%d %d", id, round);
    redisReply *get = redisCommand(c, "GET key:%d", id);
    redisReply *none = redisCommand(c, "BLPOP nothing:%d 0.1", id);
    bool right = EXPECT(set != NULL && get != NULL && none != NULL) &&
                 EXPECT_EQ_STR(set->str, "OK") && EXPECT_EQ_INT(atoi(get->str), round) &&
                 EXPECT_EQ_INT(none->type, REDIS_REPLY_NIL);
    freeReplyObject(set);
    freeReplyObject(get);
    freeReplyObject(none);
    return right;
}

static void nothing_else(long uses)
{
    (void)uses;
}

TEST_LONG(redis, hundreds_of_goroutines_block_in_hiredis, 60)
{
    static const struct library redis = {open_redis, wait_in_vain, close_redis};
    run_crowd(&redis, CROWD, ROUNDS, nothing_else);
}

/* One of two hands a number over a list, the other back over another: each waits for a goroutine
 * that may run only because the waiting one does not hold it up. */
static void partner(int pair, int side, go_waitgroup *wg)
{
    defer(wg_done, wg);
    redisContext *c = open_redis(pair);
    for (int i = 0; i < TURNS && c != NULL; i++) {
        if (side == 0) {
            freeReplyObject(redisCommand(c, "RPUSH there:%d %d", pair, i));
        }
        redisReply *r = redisCommand(c, "BLPOP %s:%d 50", side == 0 ? "back" : "there", pair);
        if (!EXPECT(r != NULL && r->elements == 2)) {
            break;
        }
        EXPECT_EQ_INT(atoi(r->element[1]->str), i);
        freeReplyObject(r);
        if (side == 1) {
            freeReplyObject(redisCommand(c, "RPUSH back:%d %d", pair, i));
        }
    }
    redisFree(c);
}

TEST_LONG(redis, goroutines_wait_for_each_other_through_the_server, 60)
{
    go_waitgroup wg = {0};
    wg_add(&wg, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        go(partner, i, 1, &wg);
        go(partner, i, 0, &wg);
    }
    wg_wait(&wg);
}
