/* SPDX-License-Identifier: MIT */
/* libpq, blocking as it is, against a real server: LIBS_POSTGRES says how to reach it. */
#include "crowd.h"
#include <libpq-fe.h>

enum { CROWD = 200, ROUNDS = 3 };

static void *open_postgres(int id)
{
    (void)id;
    PGconn *c = PQconnectdb(getenv("LIBS_POSTGRES"));
    if (!EXPECT_EQ_INT(PQstatus(c), CONNECTION_OK)) {
        FAIL("%s", PQerrorMessage(c));
        PQfinish(c);
        return NULL;
    }
    return c;
}

static void close_postgres(void *c)
{
    PQfinish(c);
}

/* Adds a row, and asks for the sum of its own rows from a server that takes its time. */
static bool add_and_ask(void *c, int id, int round)
{
    char who[16], what[16], want[16];
    const char *const value[] = {who, what};
    snprintf(who, sizeof who, "%d", id);
    snprintf(what, sizeof what, "%d", round);
    snprintf(want, sizeof want, "%d", round * (round + 1) / 2);
    PGresult *r = PQexecParams(c, "INSERT INTO log VALUES ($1::int, $2::int)", 2, NULL, value, NULL,
                               NULL, 0);
    bool right = EXPECT_EQ_INT(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    r = PQexecParams(c, "SELECT sum(n), pg_sleep(0.1) FROM log WHERE id = $1::int", 1, NULL, value,
                     NULL, NULL, 0);
    right = right && EXPECT_EQ_INT(PQresultStatus(r), PGRES_TUPLES_OK) &&
            EXPECT_EQ_STR(PQgetvalue(r, 0, 0), want);
    if (!right) {
        FAIL("%s", PQerrorMessage(c));
    }
    PQclear(r);
    return right;
}

static void execute(const char *statement)
{
    PGconn *c = open_postgres(0);
    REQUIRE(c != NULL);
    PGresult *r = PQexec(c, statement);
    EXPECT_EQ_INT(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    PQfinish(c);
}

static void all_are_there(long uses)
{
    PGconn *c = open_postgres(0);
    REQUIRE(c != NULL);
    PGresult *r = PQexec(c, "SELECT count(*) FROM log");
    EXPECT_EQ_INT(strtol(PQgetvalue(r, 0, 0), NULL, 10), uses);
    PQclear(r);
    PQfinish(c);
}

TEST_LONG(postgres, hundreds_of_goroutines_block_in_libpq, 60)
{
    static const struct library postgres = {open_postgres, add_and_ask, close_postgres};
    execute("SET client_min_messages = warning; DROP TABLE IF EXISTS log"); /* of a skipped test */
    execute("CREATE TABLE log (id int, n int)");
    execute("CREATE INDEX by_id ON log (id)");
    run_crowd(&postgres, CROWD, ROUNDS, all_are_there);
}
