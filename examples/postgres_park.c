/* SPDX-License-Identifier: MIT */
/* libpq with its waiting replaced: a hundred connections wait for a PostgreSQL server at the same
 * time, and none of them holds a thread. libpq has a second set of calls that never wait; between
 * them the goroutine parks in go_fd_wait.
 *
 *     gort run examples/postgres_park.c -I/usr/include/postgresql -lpq -- 'host=... dbname=...'
 *
 * The blocking calls work as well; then each wait holds a thread (tests/libs does that). */
#include <gort.h>
#include <gort/short.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS = 100 };

/* What PQconnectdb does, but parked; the socket may be another one after each step. (A host is best
 * given as hostaddr: looking up its name is the one thing in which libpq always waits itself.) */
static PGconn *connect_to(const char *where)
{
    PGconn *c = PQconnectStart(where);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    if (c == NULL || PQstatus(c) == CONNECTION_BAD) {
        return c;
    }
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        int event = next == PGRES_POLLING_READING ? GO_READ : GO_WRITE;
        if (go_fd_wait(PQsocket(c), event, GO_FOREVER) < 0) {
            break;
        }
        next = PQconnectPoll(c);
    }
    PQsetnonblocking(c, 1);
    return c;
}

/* Sends what is in the output buffer; meanwhile the server may want to be read. */
static bool flush(PGconn *c)
{
    int more = PQflush(c);
    while (more == 1) {
        int ready = go_fd_wait(PQsocket(c), GO_READ | GO_WRITE, GO_FOREVER);
        if (ready < 0 || ((ready & GO_READ) != 0 && !PQconsumeInput(c))) {
            return false;
        }
        more = PQflush(c);
    }
    return more == 0;
}

static PGresult *next_result(PGconn *c)
{
    while (PQisBusy(c)) {
        if (go_fd_wait(PQsocket(c), GO_READ, GO_FOREVER) < 0 || !PQconsumeInput(c)) {
            return NULL;
        }
    }
    return PQgetResult(c); /* does not wait now */
}

/* What PQexecParams does, but parked: the last result. NULL: PQerrorMessage says why. */
static PGresult *query(PGconn *c, const char *text, int n, const char *const *values)
{
    PGresult *last = NULL;
    if (!PQsendQueryParams(c, text, n, NULL, values, NULL, NULL, 0) || !flush(c)) {
        return NULL;
    }
    for (PGresult *r = next_result(c); r != NULL; r = next_result(c)) {
        PQclear(last);
        last = r;
    }
    return last;
}

static PGconn *connect_or_exit(const char *where)
{
    PGconn *c = connect_to(where);
    if (c == NULL || PQstatus(c) != CONNECTION_OK) {
        fprintf(stderr, "postgres_park: %s", PQerrorMessage(c));
        exit(1);
    }
    return c;
}

/* The first value of the first row, as a number. */
static int number(PGconn *c, const char *text, int n, const char *const *values)
{
    PGresult *r = query(c, text, n, values);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        fprintf(stderr, "postgres_park: %s", PQerrorMessage(c));
        exit(1);
    }
    int value = (int)strtol(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return value;
}

/* The server answers when it has got its lock 1, which somebody else has. */
static void ask(const char *where, int i, int *out)
{
    char text[16];
    const char *const values[] = { text };
    snprintf(text, sizeof text, "%d", i);
    PGconn *c = connect_or_exit(where);
    *out = number(c, "SELECT $1::int * 2, pg_advisory_lock_shared(1)", 1, values);
    PQfinish(c);
}

int main(int argc, char **argv)
{
    static int answer[CONNECTIONS];
    go_waitgroup all = { 0 };
    int sum = 0;
    int threads = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: postgres_park 'host=... dbname=...'\n");
        return 2;
    }
    PGconn *c = connect_or_exit(argv[1]);
    number(c, "SELECT 1, pg_advisory_lock(1)", 0, NULL);
    for (int i = 0; i < CONNECTIONS; i++) {
        wg_go(&all, ask, argv[1], i, &answer[i]);
    }
    while (number(c, "SELECT count(*) FROM pg_locks WHERE NOT granted", 0, NULL) != CONNECTIONS) {
        go_sleep(GO_MS);
    }
    FILE *f = fopen("/proc/self/status", "re");
    for (char line[128]; threads == 0 && fgets(line, sizeof line, f) != NULL;) {
        (void)!sscanf(line, "Threads: %d", &threads);
    }
    fclose(f);
    printf("%d connections wait for the server; a thread for each: %s\n", CONNECTIONS,
           threads < CONNECTIONS / 4 ? "no" : "yes");
    number(c, "SELECT 1, pg_advisory_unlock(1)", 0, NULL);
    wg_wait(&all);
    PQfinish(c);
    for (int i = 0; i < CONNECTIONS; i++) {
        sum += answer[i];
    }
    printf("the sum of the answers is %d\n", sum);
}
