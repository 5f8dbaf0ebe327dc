# SPDX-License-Identifier: MIT
# session.sh: sourced by run.sh and record.sh. A server among the examples is started on a free
# port, talked to by sessions/NAME.sh, and told to end by SIGTERM; what the session printed and then
# what the program printed, but for the line with its address, is what is compared.

# get OPTION... URL: curl's answer and, in a line of its own, its status.
get() { curl -s --noproxy '*' --max-time 30 -w 'status %{http_code}\n' "$@"; }

# session NAME PROGRAM DIR [SCRIPT]: writes DIR/out and DIR/err; the program's exit status.
session()
{
    talk=${4:-$here/sessions/$1.sh}
    rm -rf "$3" && mkdir -p "$3/session" && : >"$3/log"
    timeout --foreground "${limit:-60}" "$2" 127.0.0.1:0 >"$3/log" 2>"$3/err" &
    program=$! # timeout hands the signal on (without --foreground: twice) and the status back
    until at=$(sed -n 's/^listening on //p' "$3/log") && [ -n "$at" ]; do
        kill -0 "$program" 2>/dev/null || break
        sleep 0.02
    done
    if [ -n "$at" ]; then
        (work=$3/session && . "$talk") >"$3/out" 2>>"$3/err"
    fi
    # A second signal would be the end at once.
    [ -e "$3/session/told" ] || kill "$program" 2>/dev/null
    wait "$program"
    ended=$?
    grep -v '^listening on ' "$3/log" >>"$3/out"
    return "$ended"
}
