# SPDX-License-Identifier: MIT
# tree.sh: sourced by run.sh and record.sh. make_tree DIR writes the tree of files that findex is
# tried on: what a tokeniser gets wrong, files larger than its block, and things that are no files.

# Lines that put words, comments, numbers and literals across every block boundary.
long_file()
{
    awk -v n="$1" 'BEGIN {
        for (i = 0; i < n; i++) {
            printf "int name_%d = %d; /* comment %d, name */ char *s%d = \"text \\\" name\";\n",
                   i % 97, i, i, i % 89
        }
    }'
}

make_tree()
{
    mkdir -p "$1/sub/deeper" "$1/empty" "$1/many"
    long_file 6000 >"$1/long.c"
    printf 'no newline at the end' >"$1/sub/open"
    : >"$1/sub/nothing"
    cat >"$1/sub/tricky.c" <<'EOF'
/**/int a;/***/int b;/* * / * */int c; // line int no /* no
x = 0x1Fab + 10UL + 1.5e3f + 1'000'000; y1 = 'c'; z_ = '\''; q = '"'; "/* no */" yes
/ slash // "no
"open to the end of the line
int again; 'alone
'\\' "\\" after "a\
b" int _ __x $dollar caf\u00e9 /
EOF
    printf '\000\001binary\377word\200 \303\251t\303\251' >"$1/sub/deeper/binary"
    { awk 'BEGIN { for (i = 0; i < 30000; i++) printf "w%d ", i % 7 }'
      printf '/*'; awk 'BEGIN { for (i = 0; i < 20000; i++) printf "* no " }'; printf '*/ tail'
    } >"$1/sub/deeper/one_line"
    for i in 0 1 2 3 4 5 6 7 8 9; do
        for j in 0 1 2 3 4 5 6 7 8 9; do
            echo "int file_$i$j, common, shared_$i; // comment" >"$1/many/$i$j.h"
        done
    done
    ln -s long.c "$1/link"
    ln -s . "$1/loop"
    mkfifo "$1/pipe"
}
