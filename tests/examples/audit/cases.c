/* SPDX-License-Identifier: MIT */
/* cases.c: what the auditor makes of pieces of HTML and of references. Built with html.c, url.c and
 * util.c of examples/audit by tests/examples/audit.sh; says what is wrong, exit status 1. */
#include "../../../examples/audit/audit.h"

static int wrong;

/* A page, its title ("-": none) and its links, each followed by a blank. */
static const struct {
    const char *html, *title, *links;
} pages[] = {
    { "", "-", "" },
    { "plain text", "-", "" },
    { "<title>A</title>", "A", "" },
    { "<TITLE\n>  A \n B\t</TiTlE >", "A B", "" },
    { "<title></title><title>B</title>", "B", "" },
    { "<title>A</title><title>B</title>", "A", "" },
    { "<title>1 &lt; 2 &amp;&#65;&#x42; &euro;&nosuch; &</title>", "1 < 2 &AB €&nosuch; &", "" },
    { "<title>a <b>c</b></title>", "a <b>c</b>", "" },
    { "<title>never closed", "never closed", "" },
    { "<title>A</titles></title>", "A</titles>", "" },
    { "<svg><title>S</title></svg><title>P</title>", "P", "" },
    { "<svg><title>S</title></svg>", "-", "" },
    { "<!-- <title>C</title> --><title>A</title>", "A", "" },
    { "<!--><title>A</title>-->", "A", "" },
    { "<!---><title>A</title>-->", "A", "" },
    { "<!-- a --!><title>A</title>", "A", "" },
    { "<!doctype html><?xml?></ ><title>A</title>", "A", "" },
    { "<script>'<title>S</title>'</script><title>A</title>", "A", "" },
    { "<a href=x>", "-", "x " },
    { "<a href='x y'>", "-", "x y " },
    { "<A HREF = \"x>y\" href=z>", "-", "x>y " },
    { "<a href=x/>", "-", "x/ " },
    { "<a/href=x>", "-", "x " },
    { "<a title='>' href=x>", "-", "x " },
    { "<a =href=no href=x>", "-", "x " },
    { "<a href=a?b=1&amp;c=2&copy=3>", "-", "a?b=1&c=2&copy=3 " },
    { "<a href>", "-", " " },
    { "<a name=x></a href=y>", "-", "" },
    { "<abbr href=x><b src=y>", "-", "" },
    { "a < b <a href=x> 1<2", "-", "x " },
    { "<a href=x", "-", "" },
    { "<a href='x", "-", "" },
    { "<!-- <a href=x> --><a href=y>", "-", "y " },
    { "<style><a href=x></style><textarea><a href=y></textarea><a href=z>", "-", "z " },
    { "<img src=a><script src=b></script><link rel=stylesheet href=c><link rel=preconnect href=d>"
      "<iframe src=e></iframe><area href=f>", "-", "a b c e f " },
};

/* Where a reference on a page leads: a url, "other", or "malformed". */
static const struct {
    const char *base, *ref, *to;
} references[] = {
    { "http://h/a/b", "c", "http://h/a/c" },
    { "http://h/a/b", "../c", "http://h/c" },
    { "http://h/a/b", "../../../c", "http://h/c" },
    { "http://h/a/b", "/c?d#e", "http://h/c?d" },
    { "http://h/a/b", "?d", "http://h/a/b?d" },
    { "http://h/a/b", "#e", "http://h/a/b" },
    { "http://h/a/b", "", "http://h/a/b" },
    { "http://h/a/b", "//other/c", "http://other/c" },
    { "https://h/a/b", "//other/c", "https://other/c" },
    { "http://h/a/b", "HTTP://Other:80", "http://other/" },
    { "http://h/a/b", "https://other:443/c", "https://other/c" },
    { "http://h:8080/a", "b", "http://h:8080/b" },
    { "http://h/a", "b c", "http://h/b%20c" },
    { "http://h/a", "http://[::1]:81/x", "http://[::1]:81/x" },
    { "http://h/a", "mailto:x@y", "other" },
    { "http://h/a", "JavaScript:void(0)", "other" },
    { "http://h/a", "data:text/html,x", "other" },
    { "http://h/a", "http://[no", "malformed" },
    { "http://h/a", "http://h:99999999/", "malformed" },
    { NULL, "/c", "malformed" },
    { NULL, "http://h", "http://h/" },
};

static void check_page(size_t i)
{
    struct html h;
    char links[256] = "";
    html_scan(pages[i].html, strlen(pages[i].html), &h);
    for (size_t j = 0; j < h.links.count; j++) {
        size_t n = strlen(links);
        snprintf(links + n, sizeof links - n, "%s ", h.links.item[j]);
    }
    const char *title = h.title != NULL ? h.title : "-";
    if (strcmp(title, pages[i].title) != 0 || strcmp(links, pages[i].links) != 0) {
        printf("%s\n    title %s, links %s\n", pages[i].html, title, links);
        wrong++;
    }
    html_free(&h);
}

static void check_reference(size_t i)
{
    char *url = NULL;
    enum reference kind = url_resolve(references[i].base, references[i].ref, &url);
    const char *to = kind == REF_PAGE ? url : kind == REF_OTHER ? "other" : "malformed";
    if (strcmp(to, references[i].to) != 0) {
        printf("%s on %s leads to %s\n", references[i].ref, references[i].base, to);
        wrong++;
    }
    free(url);
}

/* The same words, whatever the markup, and others. */
static void check_words(void)
{
    static const char *const same[] = { "<p>two  words</p>", "<title>x</title>two\nwords<br>",
                                        " two <!-- x -->words<script>three</script>" };
    static const char *const other[] = { "twowords", "two word", "words two", "" };
    struct html h, k;
    html_scan(same[0], strlen(same[0]), &h);
    for (size_t i = 0; i < 3; i++) {
        html_scan(same[i], strlen(same[i]), &k);
        wrong += k.text != h.text && printf("other words: %s\n", same[i]) > 0;
        html_free(&k);
    }
    for (size_t i = 0; i < 4; i++) {
        html_scan(other[i], strlen(other[i]), &k);
        wrong += k.text == h.text && printf("the same words: %s\n", other[i]) > 0;
        html_free(&k);
    }
    html_free(&h);
}

int main(void)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        check_page(i);
    }
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        check_reference(i);
    }
    check_words();
    return wrong > 0;
}
