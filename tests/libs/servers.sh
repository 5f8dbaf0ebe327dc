# SPDX-License-Identifier: MIT
# servers.sh: sourced by tests that need a real redis-server or PostgreSQL. They live in a temporary
# directory, listen on a socket there and on no port, and end with their script, however it ends.
#
#   why_no_redis, why_no_postgres   print why it cannot be started; nothing when it can
#   start_redis DIR                 sets redis_pid, redis_socket
#   start_postgres DIR              sets postgres_pid, postgres_at (for PQconnectdb)
#   stop_servers
redis_pid= postgres_pid=

postgres_bin()
{
    for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) \
        "$(dirname "$(command -v initdb || echo /)")"; do
        [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && echo "$bin" && return
    done
    return 1
}

# It refuses to run as root.
postgres_user()
{
    for user in postgres nobody; do
        id "$user" >/dev/null 2>&1 && echo "$user" && return
    done
    return 1
}

why_no_redis() { command -v redis-server >/dev/null || echo "no redis-server"; }

why_no_postgres()
{
    if ! postgres_bin >/dev/null; then
        echo "no PostgreSQL server"
    elif [ "$(id -u)" = 0 ] && { ! postgres_user >/dev/null || ! command -v setpriv >/dev/null; }
    then
        echo "PostgreSQL does not run as root, and there is no other user for it"
    fi
}

# ended_with_us COMMAND...: becomes the command, killed by the kernel when this shell is.
ended_with_us()
{
    if setpriv --pdeathsig KILL true 2>/dev/null; then
        exec setpriv --pdeathsig KILL "$@"
    fi
    exec "$@"
}

# until_ready PID COMMAND...: false when the process ends first.
until_ready()
{
    pid=$1
    shift
    while ! "$@" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.05
    done
}

start_redis()
{
    redis_socket=$1/redis.sock
    mkdir -p "$1" &&
        { (ended_with_us redis-server --port 0 --unixsocket "$redis_socket" --save '' \
            --appendonly no --dir "$1" --maxclients 2000) >"$1/log" 2>&1 & redis_pid=$!; } &&
        until_ready "$redis_pid" grep -q 'eady to accept connections' "$1/log" ||
        { cat "$1/log"; return 1; }
}

# as_postgres COMMAND...: by the user it may run as.
as_postgres()
{
    if [ "$(id -u)" = 0 ]; then
        user=$(postgres_user)
        exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups \
            setpriv --pdeathsig KILL "$@"
    fi
    ended_with_us "$@"
}

start_postgres()
{
    bin=$(postgres_bin)
    postgres_at="host=$1 user=gort dbname=postgres"
    mkdir -p "$1" && chmod 755 "$(dirname "$1")" &&
        { [ "$(id -u)" != 0 ] || chown "$(postgres_user)" "$1"; } &&
        (cd "$1" && as_postgres "$bin/initdb" -D "$1/data" -U gort -A trust -E UTF8 --locale=C \
            --no-sync --no-instructions) >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log"; return 1; }
    (cd "$1" && as_postgres "$bin/postgres" -D "$1/data" -c listen_addresses= \
        -c unix_socket_directories="$1" -c max_connections=250 -c shared_buffers=16MB \
        -c fsync=off -c synchronous_commit=off -c autovacuum=off) >"$1.log" 2>&1 &
    postgres_pid=$!
    until_ready "$postgres_pid" "$bin/pg_isready" -q -h "$1" || { cat "$1.log"; return 1; }
}

stop_servers()
{
    [ -z "$redis_pid" ] || { kill "$redis_pid" && wait "$redis_pid"; } 2>/dev/null
    [ -z "$postgres_pid" ] || { kill -INT "$postgres_pid" && wait "$postgres_pid"; } 2>/dev/null
    redis_pid= postgres_pid=
}
