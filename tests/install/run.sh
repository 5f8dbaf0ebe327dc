#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: installs a build into an empty prefix and uses it from outside, as a stranger would:
# C and C++, static and shared, by pkg-config, by CMake, by plain -lgort, and by `gort` itself;
# libgort-http likewise, where it was built.
#
# Environment: GORT_BUILD (default ./build), CC, CXX.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${GORT_BUILD:-$here/../../build}" && pwd) || exit 1
CC=${CC:-cc}
CXX=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
http=no
[ ! -e "$build/lib/libgort-http.a" ] || http=yes
unset LD_LIBRARY_PATH PKG_CONFIG_PATH CFLAGS CXXFLAGS LDFLAGS
passed=0 failed=0

# try NAME COMMAND...: one test; what the command printed is shown when it failed.
try()
{
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok $((passed + failed)) - install: $name"
    else
        failed=$((failed + 1))
        echo "not ok $((passed + failed)) - install: $name"
        sed 's/^/#   /' "$work/log" | head -n 60
    fi
}

# runs NAME: the program just built prints what it should.
runs()
{
    [ "$(timeout 30 "./$1")" = "sum 4498500" ]
}

uses_shared() { readelf -d "$1" | grep -q 'NEEDED.*libgort\.so\.0'; }
uses_shared_http() { readelf -d "$1" | grep -q 'NEEDED.*libgort-http\.so\.0'; }
uses_archive() { ! readelf -d "$1" | grep -q 'NEEDED.*libgort'; }

install_into()
{
    DESTDIR=${2:-} cmake --install "$build" --prefix "$1"
}

# Everything that README.md promises is there, and nothing of it names the build tree.
complete()
{
    for f in bin/gort include/gort.h include/gort/base.h include/gort/short.h lib/libgort.a \
        lib/libgort.so lib/libgort.so.0 lib/pkgconfig/gort.pc lib/cmake/gort/gortConfig.cmake \
        lib/cmake/gort/gortTargets.cmake; do
        [ -e "$1/$f" ] || { echo "missing: $f"; return 1; }
    done
    if [ "$http" = yes ]; then
        for f in include/gort/http.h lib/libgort-http.a lib/libgort-http.so \
            lib/libgort-http.so.0 lib/pkgconfig/gort-http.pc; do
            [ -e "$1/$f" ] || { echo "missing: $f"; return 1; }
        done
    fi
    # As the beginning of a path: a clone in /gort is not named by include/gort.
    source=$(cd "$here/../.." && pwd)
    before='(^|[^[:alnum:]_./}-])'
    if grep -rIlE "$before($build|$source)(/|[^[:alnum:]_.-]|$)" "$1/lib" "$1/include"; then
        echo "names the build tree or the source tree"
        return 1
    fi
}

# exports_only_ours FILE
exports_only_ours()
{
    nm -D --defined-only "$1" | awk '{ sub(/@.*/, "", $3) }
        $3 !~ /^(go_|goi_|GORT_(HTTP_)?0$|pthread_exit$|_NSConcreteGlobalBlock$)/ { print; bad = 1 }
        END { exit bad }'
}

pc() { PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "$@"; }

# by_pkg_config COMPILER SOURCE shared|static
by_pkg_config()
{
    case $3 in
    shared)
        # shellcheck disable=SC2046
        "$1" -O2 -o program "$2" $(pc --cflags --libs gort) "-Wl,-rpath,$prefix/lib" &&
            uses_shared program && runs program
        ;;
    static)
        # shellcheck disable=SC2046
        "$1" -O2 -static -o program "$2" $(pc --static --cflags --libs gort) &&
            uses_archive program && runs program
        ;;
    esac
}

# http_by_pkg_config shared|static: the libraries that libgort-http is made of stay shared.
http_by_pkg_config()
{
    case $1 in
    shared)
        # shellcheck disable=SC2046
        "$CC" -O2 -o program "$here/hello_http.c" $(pc --cflags --libs gort-http) \
            "-Wl,-rpath,$prefix/lib" && uses_shared program && uses_shared_http program &&
            runs program
        ;;
    static)
        # shellcheck disable=SC2046
        "$CC" -O2 -o program "$here/hello_http.c" $(pc --static --cflags --libs gort-http |
            sed 's/-lgort-http /-l:libgort-http.a /; s/-lgort /-l:libgort.a /') &&
            uses_archive program && runs program
        ;;
    esac
}

http_version_agrees()
{
    v=$(pc --modversion gort-http) && [ "$v" = "$(pc --modversion gort)" ] &&
        [ -e "$prefix/lib/libgort-http.so.$v" ]
}

# plain COMPILER SOURCE shared|static: what somebody does who reads nothing.
plain()
{
    case $3 in
    shared)
        "$1" -o program "$2" "-I$prefix/include" "-L$prefix/lib" -lgort &&
            uses_shared program && LD_LIBRARY_PATH=$prefix/lib runs program
        ;;
    static)
        # shellcheck disable=SC2046
        "$1" -o program "$2" "-I$prefix/include" "$prefix/lib/libgort.a" \
            $(pc --variable=static_libs gort) && uses_archive program && runs program
        ;;
    esac
}

# Closed while its goroutines and threads are there. (With libgort.so that one stays, but not the
# plugin: whoever closes it has waited for its goroutines, as for threads.)
plugin()
{
    # shellcheck disable=SC2046
    "$CC" -O2 -fPIC -shared -o plugin.so "$here/plugin.c" "-I$prefix/include" \
        "$prefix/lib/libgort.a" $(pc --variable=static_libs gort) &&
        "$CC" -O2 -o host "$here/host.c" -ldl &&
        [ "$(timeout 30 ./host ./plugin.so)" = "sum 4498500" ]
}

by_cmake()
{
    cp "$here/CMakeLists.txt" "$here/hello.c" "$here/hello.cc" "$here/hello_http.c" \
        "$work/project" &&
        cmake -G Ninja -S "$work/project" -B "$work/project/build" "-DCMAKE_PREFIX_PATH=$prefix" \
            "-DCMAKE_C_COMPILER=$CC" "-DCMAKE_CXX_COMPILER=$CXX" &&
        ninja -C "$work/project/build"
}

cmake_program()
{
    cd "$work/project/build" && runs "$1" &&
        case $1 in http_shared) uses_shared_http "$1" ;; esac &&
        case $1 in *shared) uses_shared "$1" ;; *) uses_archive "$1" ;; esac
}

by_gort()
{
    [ "$(XDG_CACHE_HOME=$work/cache "$prefix/bin/gort" run "$here/hello.c")" = "sum 4498500" ]
}

http_by_gort()
{
    export XDG_CACHE_HOME="$work/cache"
    [ "$("$prefix/bin/gort" run "$here/hello_http.c")" = "sum 4498500" ]
}

by_gort_env()
{
    # shellcheck disable=SC2046
    "$CC" -o program "$here/hello.c" $("$prefix/bin/gort" env --cflags --libs) && runs program
}

version_agrees()
{
    v=$(pc --modversion gort) && "$prefix/bin/gort" version | grep -F "$v" &&
        [ -e "$prefix/lib/libgort.so.$v" ]
}

# --- gdb finds the goroutines by itself, from what was installed

debugger() { timeout 100 gdb -nx -batch -iex "set debuginfod enabled off" "$@" >gdb.out 2>gdb.err; }

# With python, and allowed to trace.
gdb_works()
{
    command -v gdb && debugger -ex "python print('yes')" && grep yes gdb.out &&
        debugger -ex run /bin/true && ! grep -i ptrace gdb.err
}

# shows_goroutines OPTION... PROGRAM [CORE]: only what gdb has loaded by itself is there.
shows_goroutines()
{
    set -- "$@" -ex "info goroutines" -ex "goroutine 5 bt" -ex "goroutine all bt 3"
    debugger "$@"
    cat gdb.out gdb.err
    grep '^\*    1 \[running\]' gdb.out &&
        grep '^     3 \[chan receive\]  consumes at waits.c:.*by main at waits.c' gdb.out &&
        grep '^     5 \[chan receive\]  consumes at waits.c:.*"the deep one"$' gdb.out &&
        [ "$(grep -c ' consumes (jobs=' gdb.out)" -ge 6 ] &&
        grep '^goroutine 4 \[chan receive\]' gdb.out && ! grep Python gdb.err
}

gdb_of_gort()
{
    "$prefix/bin/gort" build -g -O1 -o waits "$here/waits.c" &&
        shows_goroutines -iex "add-auto-load-safe-path $prefix" -ex run ./waits
}

gdb_of_core()
{
    rm -f core*
    # shellcheck disable=SC3045 # without it there is no core, as on other machines
    (ulimit -c unlimited 2>/dev/null && exec ./waits core) >core.log 2>&1
    set -- core*
    [ -s "$1" ] && [ "$1" != core.log ] || return 0 # none is written here
    shows_goroutines -iex "add-auto-load-safe-path $prefix" ./waits "$1"
}

gdb_of_shared()
{
    "$CC" -g -O1 -o waits_shared "$here/waits.c" "-I$prefix/include" "-L$prefix/lib" -lgort \
        "-Wl,-rpath,$prefix/lib" &&
        shows_goroutines -iex "add-auto-load-safe-path $prefix" \
            -iex "add-auto-load-scripts-directory $prefix/share/gdb/auto-load" -ex run \
            ./waits_shared
}

# Below /usr gdb trusts its own directory, and looks there under the library's full name.
gdb_below_usr()
{
    DESTDIR=$work/usr cmake --install "$build" --prefix /usr || return 1
    lib=$(cd "$work/usr" && find usr -name 'libgort.so.*.*.*' ! -name '*.py' | head -n 1)
    [ -n "$lib" ] && [ -e "$work/usr/usr/share/gdb/auto-load/$lib-gdb.py" ]
}

use_gdb()
{
    try "gdb: the script is where gdb looks below /usr" gdb_below_usr
    if gdb_works >/dev/null 2>&1; then
        try "gdb: a program of gort build" gdb_of_gort
        try "gdb: its core file" gdb_of_core
        try "gdb: a program with libgort.so" gdb_of_shared
    else
        echo "# gdb with python, and leave to trace, are missing: not tried"
    fi
}

use_prefix()
{
    for how in shared static; do
        try "$1: C, pkg-config, $how" by_pkg_config "$CC" "$here/hello.c" $how
        try "$1: C++, pkg-config, $how" by_pkg_config "$CXX" "$here/hello.cc" $how
        [ "$http" = no ] || try "$1: http, pkg-config, $how" http_by_pkg_config $how
    done
}

mkdir "$work/project" "$work/cwd"
cd "$work/cwd" || exit 1
prefix=$work/prefix
try "installs into an empty prefix" install_into "$prefix"
try "everything is there and names no build tree" complete "$prefix"
try "exports nothing but go_ and goi_" exports_only_ours "$prefix/lib/libgort.so"
try "one version everywhere" version_agrees
use_prefix "prefix"
for how in shared static; do
    try "C, plain, $how" plain "$CC" "$here/hello.c" $how
    try "C++, plain, $how" plain "$CXX" "$here/hello.cc" $how
done
try "a plugin that is closed" plugin
try "CMake: find_package and build" by_cmake
programs="c_shared c_static cc_shared cc_static"
[ "$http" = no ] || programs="$programs http_shared http_static"
for program in $programs; do
    try "CMake: $program" cmake_program "$program"
done
try "gort run" by_gort
if [ "$http" = yes ]; then
    try "gort run with http" http_by_gort
    try "http: exports nothing but go_ and goi_" exports_only_ours "$prefix/lib/libgort-http.so"
    try "http: one version" http_version_agrees
else
    echo "ok - install: libgort-http # SKIP it was not built"
fi
try "gort env" by_gort_env
use_gdb
try "DESTDIR" install_into /opt/gort "$work/stage"
try "DESTDIR: everything is there" complete "$work/stage/opt/gort"
mv "$prefix" "$work/moved"
prefix=$work/moved
use_prefix "moved"
try "moved: gort run" by_gort
echo "# install: $passed passed, $failed failed"
[ "$failed" = 0 ]
