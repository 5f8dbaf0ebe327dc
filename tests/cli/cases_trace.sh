# SPDX-License-Identifier: MIT
# `gort trace`, and GORTDEBUG=trace=FILE, which makes what it reads. Sourced by run.sh.

trace_helper() {
    helper=$GORT_BUILD/libexec/gort/gort-trace
    [ -x "$helper" ] || skip "no gort-trace in this build"
}

traced_program() {
    cat >program.c <<'C'
#include <gort.h>
#include <gort/short.h>
static void worker(chan(int) c)
{
    go_set_name("a <worker>");
    go_region("parse") {
        (void)chan_recv(c);
    }
}
int main(void)
{
    chan(int) c = chan_make(int);
    go(worker, c);
    chan_send(c, 1);
    go_yield();
    return 3;
}
C
    "$GORT_BUILD/bin/gort" build -o program program.c || skip "nothing can be linked here"
}

test_real_trace_of_a_program_becomes_a_page() {
    trace_helper
    traced_program
    run env GORTDEBUG=trace=file.pftrace ./program
    want_status 3
    want_err ""
    run "$GORT_BUILD/bin/gort" trace file.pftrace
    want_status 0
    want_out file.pftrace.html
    grep -q '<title>file.pftrace - gort trace</title>' file.pftrace.html
    ! grep -q '@DATA@' file.pftrace.html
    run "$GORT_BUILD/bin/gort" trace -o page.html file.pftrace
    want_out page.html
    cmp page.html file.pftrace.html
}

test_real_trace_page_in_a_browser() {
    trace_helper
    browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
        skip "no Chromium"
    traced_program
    run env GOMAXPROCS=1 GORTDEBUG=trace=file.pftrace ./program
    run "$helper" file.pftrace
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$PWD/browser" --virtual-time-budget=2000 --dump-dom \
        "file://$PWD/file.pftrace.html" >dom.html 2>browser.txt || skip "Chromium does not run here"
    # One P, two goroutines, and each woke the other: main started the worker, and sent.
    grep -Eq '<body data-shown="1 2 [1-9][0-9]*"' dom.html || complain "$(grep '<body' dom.html)"
    grep -q '<td>worker</td>' dom.html
    grep -q '<td>parse</td>' dom.html
    grep -q '&lt;worker&gt;' dom.html
    grep -q '0 switches in 0 pauses' dom.html
}

test_real_trace_that_cannot_be_written_is_said_and_the_program_goes_on() {
    trace_helper
    traced_program
    run env GORTDEBUG=trace=/nonexistent/file ./program
    want_status 3
    want_err_has "gort: GORTDEBUG: trace=/nonexistent/file: no trace: No such file or directory"
    run env GORTDEBUG=trace=/dev/full ./program
    want_status 3
    want_err_has "gort: GORTDEBUG: trace=/dev/full: not complete: No space left on device"
}

test_real_trace_refuses_what_is_no_trace_and_shows_what_is_cut_off() {
    trace_helper
    echo hello >hello.txt
    run "$helper" hello.txt
    want_status 1
    want_err_has "gort trace: hello.txt: this is no trace"
    run "$helper" missing
    want_status 1
    run "$helper"
    want_status 2
    printf '\012\002\120\001\012\007\120' >cut.pftrace
    run "$helper" cut.pftrace
    want_status 0
    want_err_has "its end is missing"
}
