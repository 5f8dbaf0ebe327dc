# SPDX-License-Identifier: MIT
# audit.sh: the auditor, on its demonstration site, on a real server, and on peers that misbehave.
# Part of run.sh, whose functions and variables it uses.

audit_dir=$examples/audit

# audited DEMO-OPTION... COMMAND...: serves the demonstration site while the command runs; what that
# prints is in out and err. The bounds on time here are wide, because the machine may be busy.
audited()
{
    status=0
    timeout "$limit" "$work/demo" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# The findings of report.json, "KIND PATH" a line, sorted.
audit_kinds()
{
    python3 -c '
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
for f in report["findings"]:
    print(f["kind"], f["path"])' "$1" | sort
}

# expect_kinds LABEL STATUS: what was found is what stands in the file `want`.
expect_kinds()
{
    : >"$work/diff"
    sort -o "$work/want" "$work/want"
    if [ "$status" != "$2" ]; then
        fail "$1" "exit status $status instead of $2"
    elif ! audit_kinds "$work/report.json" >"$work/got" 2>"$work/diff"; then
        fail "$1" "the JSON report cannot be read"
    elif ! diff "$work/want" "$work/got" >"$work/diff"; then
        fail "$1" "other findings than expected"
    else
        pass "$1"
    fi
}

# The report for readers: whole, well-formed where that can be seen, and free of other files.
audit_html()
{
    : >"$work/diff"
    if ! grep -q '</html>' "$work/report.html"; then
        fail "audit: HTML report" "it is not whole"
    elif grep -Eq '<(script|link|img)|url\(' "$work/report.html"; then
        fail "audit: HTML report" "it needs other files"
    elif ! python3 - "$work/report.html" <<'PY' 2>"$work/diff"; then
import re, sys, xml.dom.minidom
charts = re.findall(r"<svg.*?</svg>", open(sys.argv[1], encoding="utf-8").read(), re.S)
assert len(charts) == 2
for chart in charts:
    svg = xml.dom.minidom.parseString(chart)
    assert len(svg.getElementsByTagName("rect")) >= 20
PY
        fail "audit: HTML report" "its charts are no SVG"
    else
        pass "audit: HTML report"
    fi
}

# What it makes of pieces of HTML and of references.
audit_cases()
{
    if ! "$gort" build -o "$work/cases" "$here/audit/cases.c" "$audit_dir/html.c" \
        "$audit_dir/url.c" "$audit_dir/util.c" -lcurl 2>"$work/diff"; then
        fail "audit: HTML and references" "the test does not build"
    elif ! "$work/cases" >"$work/diff"; then
        fail "audit: HTML and references" "other results than expected"
    else
        pass "audit: HTML and references"
    fi
}

audit_demo()
{
    for p in $procs; do
        GOMAXPROCS=$p audited --slow 4 "$work/audit" --routes "$audit_dir/demo/routes.txt" \
            --rate 1000 --max-time 3s --timeout 30s --json "$work/report.json" \
            --html "$work/report.html" "{}/sitemap.xml"
        "$work/demo" --faults >"$work/want"
        expect_kinds "audit: the planted faults, GOMAXPROCS=$p" 1
    done
    audit_html
}

# A sitemap index, in a file, of one in a file; a page that takes longer than it may; an address
# where nobody is; an entry that is none.
audit_files()
{
    cat >"$work/index.xml" <<XML
<sitemapindex><sitemap><loc>@SITE@/sitemap.xml</loc></sitemap></sitemapindex>
XML
    cat >"$work/pages.xml" <<XML
<?xml version="1.0" encoding="iso-8859-1"?>
<!-- a comment -->
<s:urlset xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="urn:images">
<s:url><s:loc>
   @SITE@/article/1
</s:loc><i:image><i:loc>@SITE@/odd/gone</i:loc></i:image></s:url>
<s:url><s:loc><![CDATA[@SITE@/odd/slow?a=1&b=2]]></s:loc></s:url>
<s:url><s:loc>/relative</s:loc></s:url>
</s:urlset>
XML
    audited --slow 30 sh -c "sed -i 's|@SITE@|{}|' '$work/pages.xml' '$work/index.xml'
        exec '$work/audit' --timeout 3s --max-time 30s --json '$work/report.json' \
            '$work/pages.xml'"
    echo "timeout /odd/slow?a=1&b=2" >"$work/want"
    expect_kinds "audit: a sitemap in a file, a timeout" 1
    audited sh -c "sed -i 's|http:[^<]*/sitemap|{}/sitemap|' '$work/index.xml'
        exec '$work/audit' --no-external --report-only --max-time 60s --rate 1000 \
            --json '$work/report.json' '$work/index.xml'"
    if [ "$status" = 0 ] && grep -q '/article/300"' "$work/report.json"; then
        pass "audit: a sitemap of sitemaps"
    else
        fail "audit: a sitemap of sitemaps" "exit status $status, or pages are missing"
    fi
}

audit_refusals()
{
    : >"$work/diff"
    echo "<urlset><url><loc>http://127.0.0.1:1/</loc></url>" >"$work/broken.xml"
    echo "/ 200 colour=blue" >"$work/routes"
    for args in "$work/not-there.xml" "$work/broken.xml" "http://127.0.0.1:1/sitemap.xml" \
        "--routes $work/routes $work/broken.xml" "--workers 0 $work/broken.xml" ""; do
        status=0
        # The arguments are words without blanks.
        timeout "$limit" "$work/audit" --backoff 1ms $args >"$work/out" 2>"$work/err" || status=$?
        if [ "$status" = 2 ] && [ -s "$work/err" ]; then
            pass "audit: says why it cannot begin with '${args##*/}'"
        else
            fail "audit: ${args:-nothing}" "exit status $status, or no word about it"
        fi
    done
}

# Ctrl-C, or the deadline, while a page takes its time: the report comes, with what is known by
# then. Ctrl-C comes from the server, when it is asked for a certain page; one worker, so that the
# page before has been seen to.
audit_interrupted()
{
    : >"$work/diff"
    status=0
    timeout "$limit" python3 "$here/hostile.py" "$work/hostile.xml" "$work/want" \
        "$work/audit" --workers 1 --rate 10 --max-time 60s --timeout 60s \
        --json "$work/report.json" "$work/hostile.xml.ctrl-c" >"$work/out" 2>"$work/err" ||
        status=$?
    if [ "$status" = 3 ] && grep -q '^ended early, on request: [1-9]' "$work/out" &&
        grep -q '"end": "interrupted", *$' "$work/report.json"; then
        pass "audit: Ctrl-C, and the report of what was done"
    else
        fail "audit: Ctrl-C" "exit status $status, or no partial report"
    fi
    audited --slow 60 "$work/audit" --deadline 3s --max-time 60s --timeout 60s \
        --json "$work/report.json" "{}/sitemap.xml"
    if [ "$status" = 3 ] && grep -q '"end": "deadline"' "$work/report.json"; then
        pass "audit: the deadline, and the report of what was done"
    else
        fail "audit: the deadline" "exit status $status, or no partial report"
    fi
}

audit_progress()
{
    command -v script >/dev/null || { skip "audit: progress bar" "no script(1)"; return; }
    : >"$work/diff"
    audited --slow 1 script -qec "'$work/audit' --rate 1000 --max-time 60s {}/sitemap.xml" \
        "$work/typescript" </dev/null
    if grep -q "$(printf '\r')\[#.*of 3[0-9][0-9], .* under way" "$work/typescript"; then
        pass "audit: a bar moves on a terminal"
    else
        fail "audit: progress bar" "there is none on a terminal"
    fi
}

# Peers that break every rule are lines in the report, and steer no terminal.
audit_hostile()
{
    status=0
    timeout "$limit" python3 "$here/hostile.py" "$work/hostile.xml" "$work/want" \
        "$work/audit" --timeout 4s --retries 1 --backoff 1ms --max-time 30s \
        --json "$work/report.json" "$work/hostile.xml" >"$work/out" 2>"$work/err" || status=$?
    expect_kinds "audit: peers that break every rule" 1
    if LC_ALL=C grep -q "$(printf '[\001-\010\016-\037]')" "$work/out"; then
        fail "audit: peers that break every rule" "their control characters are in the table"
    fi
}

# How it asks: requests a second, how many at once, and when again.
audit_pace()
{
    for kind in rate workers backoff retry-after; do
        if timeout "$limit" python3 "$here/paced.py" "$work/paced.xml" $kind "$work/audit" \
            >"$work/diff" 2>"$work/err"; then
            pass "audit: keeps its pace ($kind)"
        else
            fail "audit: keeps its pace ($kind)" "it does not"
        fi
    done
}

# ---- a real server: nginx with the files of /usr/share/doc -------------------------------------

nginx_start()
{
    docs=$work/docs
    mkdir -p "$docs" "$work/nginx"
    (cd /usr/share/doc && find . -type f ! -name '*.gz' -size -900k | sort | head -n 400 |
        tar cf - -T - | tar xf - -C "$docs")
    echo '<title>Planted</title><a href="/not-here.html">x</a> <a href="/">all</a>' \
        >"$docs/planted.html"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
    cat >"$work/nginx/conf" <<CONF
daemon off; master_process off; pid $work/nginx/pid; error_log $work/nginx/error.log;
events { }
http { access_log off; include /etc/nginx/mime.types; default_type text/plain; gzip on;
  client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p;
  fastcgi_temp_path $work/nginx/f; uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
  server { listen 127.0.0.1:$port; root $docs; autoindex on;
    location = /sitemap.xml { alias $work/nginx/sitemap.xml; } } }
CONF
    "$nginx" -c "$work/nginx/conf" >"$work/nginx/out" 2>&1 &
    nginx_pid=$!
    # Until it answers: it has no other way to say that it is there.
    python3 - "$port" "$docs" "$work/nginx/sitemap.xml" <<'PY'
import os, socket, sys, time, urllib.parse, xml.sax.saxutils
port, docs, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(out, "w") as f:
    f.write("<urlset>\n")
    for d, _, names in sorted(os.walk(docs)):
        for n in sorted(names):
            path = os.path.relpath(os.path.join(d, n), docs)
            url = f"http://127.0.0.1:{port}/" + urllib.parse.quote(path)
            f.write(f"<url><loc>{xml.sax.saxutils.escape(url)}</loc></url>\n")
    f.write(f"<url><loc>http://127.0.0.1:{port}/gone.html</loc></url></urlset>\n")
for _ in range(300):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit(1)
PY
}

# Its pages have what they have, links to what is not there as well. What is certain: all are
# visited, and the two faults planted among them are found.
audit_nginx()
{
    : >"$work/diff"
    nginx=$(PATH=$PATH:/usr/sbin command -v nginx) ||
        { skip "audit: nginx with /usr/share/doc" "no nginx (on Debian: nginx-light)"; return; }
    [ -d /usr/share/doc ] || { skip "audit: nginx" "no /usr/share/doc"; return; }
    status=0
    if nginx_start; then
        timeout "$limit" "$work/audit" --no-external --rate 2000 --retries 0 --max-time 30s \
            --timeout 30s --json "$work/report.json" "http://127.0.0.1:$port/sitemap.xml" \
            >"$work/out" 2>"$work/err" || status=$?
        cp "$work/err" "$work/diff"
    else
        cp "$work/nginx/out" "$work/diff"
    fi
    kill "$nginx_pid" 2>/dev/null && wait "$nginx_pid"
    if [ "$status" = 1 ] && audit_kinds "$work/report.json" >"$work/got" &&
        grep -qx 'broken-link /planted.html' "$work/got" &&
        grep -qx 'status /gone.html' "$work/got" &&
        [ "$(grep -c '^status ' "$work/got")" = 1 ] &&
        ! grep -Eq '^(unreachable|timeout|flaky)' "$work/got"; then
        pass "audit: nginx with /usr/share/doc"
    else
        fail "audit: nginx with /usr/share/doc" "exit status $status, or other findings"
    fi
}

audit()
{
    : >"$work/diff"
    command -v python3 >/dev/null || { skip audit "no python3"; return; }
    if ! ls "$("$gort" env | sed -n 's/^GORT_LIB=//p')"/libgort-http.* >/dev/null 2>&1; then
        skip audit "no libgort-http"
        return
    fi
    if ! echo '#include <expat.h>' | ${CC:-cc} -E - >/dev/null 2>&1; then
        skip audit "no expat.h (on Debian: libexpat1-dev)"
        return
    fi
    if ! "$gort" build -o "$work/demo" "$audit_dir"/demo/*.c 2>"$work/err" ||
        ! "$gort" build -o "$work/audit" "$audit_dir"/*.c -lcurl -lexpat 2>>"$work/err" ||
        [ -s "$work/err" ]; then
        fail audit "does not build without a word"
        return
    fi
    audit_cases
    audit_demo
    audit_files
    audit_refusals
    audit_interrupted
    audit_progress
    audit_hostile
    audit_pace
    audit_nginx
}
