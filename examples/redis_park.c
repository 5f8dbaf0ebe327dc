/* SPDX-License-Identifier: MIT */
/* hiredis with its waiting replaced: two hundred connections wait for a Redis server at the same
 * time, and none of them holds a thread. hiredis works on non-blocking sockets and leaves the
 * waiting to its caller; here that is go_fd_wait, in one function, and the rest reads as before.
 *
 *     gort run examples/redis_park.c -lhiredis -- /run/redis/redis.sock
 *
 * Blocking hiredis works as well; then each wait holds a thread (tests/libs does that). */
#include <gort.h>
#include <gort/short.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS = 200 };

/* Sends what is in the output buffer. */
static bool flush(redisContext *c)
{
    int all = 0;
    while (redisBufferWrite(c, &all) == REDIS_OK) {
        if (all) {
            return true;
        }
        if (go_fd_wait(c->fd, GO_WRITE, GO_FOREVER) < 0) {
            return false;
        }
    }
    return false;
}

/* What redisCommand does, but parked. NULL: c->errstr says why. */
static redisReply *command(redisContext *c, const char *format, ...)
{
    void *reply = NULL;
    va_list args;
    va_start(args, format);
    int status = redisvAppendCommand(c, format, args);
    va_end(args);
    if (status != REDIS_OK || !flush(c)) {
        return NULL;
    }
    while (redisGetReplyFromReader(c, &reply) == REDIS_OK && reply == NULL) {
        if (go_fd_wait(c->fd, GO_READ, GO_FOREVER) < 0 || redisBufferRead(c) != REDIS_OK) {
            return NULL;
        }
    }
    return reply;
}

static redisContext *connect_to(const char *path)
{
    redisContext *c = redisConnectUnixNonBlock(path);
    if (c == NULL || c->err != 0) {
        fprintf(stderr, "redis_park: %s: %s\n", path, c != NULL ? c->errstr : "no memory");
        exit(1);
    }
    return c;
}

/* Waits for a number in a list of its own, and adds it to the sum. */
static void waiter(const char *path, int i, go_waitgroup *asked)
{
    redisContext *c = connect_to(path);
    redisReply *r = command(c, "INCR waiting");
    freeReplyObject(r);
    wg_done(asked);
    r = command(c, "BLPOP box:%d 0", i);
    if (r != NULL && r->elements == 2) {
        freeReplyObject(command(c, "INCRBY sum %s", r->element[1]->str));
    }
    freeReplyObject(r);
    redisFree(c);
}

/* Sends it. */
static void sender(const char *path, int i)
{
    redisContext *c = connect_to(path);
    freeReplyObject(command(c, "RPUSH box:%d %d", i, i));
    redisFree(c);
}

int main(int argc, char **argv)
{
    int threads = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: redis_park SOCKET\n");
        return 2;
    }
    go_waitgroup all = { 0 };
    go_waitgroup asked = { 0 };
    redisContext *c = connect_to(argv[1]);
    freeReplyObject(command(c, "DEL waiting sum"));
    wg_add(&asked, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        wg_go(&all, waiter, argv[1], i, &asked);
    }
    wg_wait(&asked);
    redisReply *r = command(c, "GET waiting");
    FILE *f = fopen("/proc/self/status", "re");
    for (char line[128]; threads == 0 && fgets(line, sizeof line, f) != NULL;) {
        (void)!sscanf(line, "Threads: %d", &threads);
    }
    fclose(f);
    printf("%s connections wait for the server; a thread for each: %s\n",
           r != NULL ? r->str : c->errstr, threads < CONNECTIONS / 4 ? "no" : "yes");
    freeReplyObject(r);
    for (int i = 0; i < CONNECTIONS; i++) {
        wg_go(&all, sender, argv[1], i);
    }
    wg_wait(&all);
    r = command(c, "GET sum");
    printf("the sum is %s\n", r != NULL ? r->str : c->errstr);
    freeReplyObject(r);
    redisFree(c);
}
