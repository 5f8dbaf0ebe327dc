/* SPDX-License-Identifier: MIT */
/* sqlite3: one file with a connection for each of hundreds of goroutines, which wait for its lock
 * by sleeping; and one connection for all, which wait for its mutex. */
#include "crowd.h"
#include <sqlite3.h>

enum { CROWD = 200, ROUNDS = 3 };

static char path[256];
static sqlite3 *shared;

static int integer_of(sqlite3 *db, const char *query)
{
    sqlite3_stmt *s;
    int n = -1;
    if (!EXPECT_EQ_INT(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK)) {
        return n;
    }
    int status = sqlite3_step(s);
    if (EXPECT_EQ_INT(status, SQLITE_ROW)) {
        n = sqlite3_column_int(s, 0);
    }
    sqlite3_finalize(s);
    return n;
}

static bool execute(sqlite3 *db, const char *statement)
{
    char *why = NULL;
    if (sqlite3_exec(db, statement, NULL, NULL, &why) != SQLITE_OK) {
        FAIL("%s: %s", statement, why);
        sqlite3_free(why);
        return false;
    }
    return true;
}

static void *open_own(int id)
{
    sqlite3 *db = NULL;
    (void)id;
    if (!EXPECT_EQ_INT(sqlite3_open(path, &db), SQLITE_OK)) {
        return NULL;
    }
    sqlite3_busy_timeout(db, 50000);
    return execute(db, "PRAGMA synchronous = OFF") ? db : NULL;
}

/* A transaction that holds the lock while it writes two rows, then a while without it. */
static bool insert_two(void *db, int id, int round)
{
    char s[256];
    snprintf(s, sizeof s,
             "BEGIN IMMEDIATE; INSERT INTO log VALUES (%d, %d); INSERT INTO log VALUES (%d, %d); "
             "COMMIT", id, 2 * round, id, 2 * round + 1);
    if (!execute(db, s)) {
        return false;
    }
    snprintf(s, sizeof s, "SELECT count(*) FROM log WHERE id = %d", id);
    bool right = EXPECT_EQ_INT(integer_of(db, s), 2 * round + 2);
    sqlite3_sleep(100); /* blocks, as everything here */
    return right;
}

static void close_own(void *db)
{
    EXPECT_EQ_INT(sqlite3_close(db), SQLITE_OK);
}

static void *open_shared(int id)
{
    (void)id;
    return shared;
}

static bool insert_one(void *db, int id, int round)
{
    char s[128];
    snprintf(s, sizeof s, "INSERT INTO log VALUES (%d, %d)", id, round);
    bool right = execute(db, s);
    sqlite3_sleep(100);
    return right;
}

static void close_shared(void *db)
{
    (void)db;
}

static void prepare(void)
{
    const char *dir = getenv("LIBS_DIR");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    snprintf(path, sizeof path, "%s/log-%d.db", dir != NULL ? dir : "/tmp", (int)getpid());
    REQUIRE_EQ_INT(sqlite3_open_v2(path, &shared, flags, NULL), SQLITE_OK);
    sqlite3_busy_timeout(shared, 50000);
    REQUIRE(execute(shared, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; "
                            "CREATE TABLE log (id INTEGER, n INTEGER); "
                            "CREATE INDEX by_id ON log (id, n)"));
}

static void finish(void)
{
    EXPECT_EQ_INT(sqlite3_close(shared), SQLITE_OK);
    unlink(path);
}

static void all_are_there_twice(long uses)
{
    EXPECT_EQ_INT(integer_of(shared, "SELECT count(*) FROM log"), 2 * uses);
    EXPECT_EQ_INT(integer_of(shared, "SELECT count(*) FROM (SELECT DISTINCT id, n FROM log)"),
                  2 * uses);
}

static void all_are_there(long uses)
{
    EXPECT_EQ_INT(integer_of(shared, "SELECT count(*) FROM log"), uses);
}

TEST_LONG(sqlite, hundreds_of_connections_wait_for_one_lock, 60)
{
    static const struct library own = {open_own, insert_two, close_own};
    prepare();
    defer(finish);
    run_crowd(&own, CROWD, ROUNDS, all_are_there_twice);
}

TEST_LONG(sqlite, hundreds_of_goroutines_share_a_connection, 60)
{
    static const struct library one = {open_shared, insert_one, close_shared};
    prepare();
    defer(finish);
    run_crowd(&one, CROWD, ROUNDS, all_are_there);
}
