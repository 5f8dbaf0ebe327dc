/* SPDX-License-Identifier: MIT */
/* url.c: addresses, by libcurl, which also fetches them: so both mean the same by one. */
#include "audit.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

/* The scheme of an absolute reference, or 0. */
static size_t scheme_length(const char *ref)
{
    size_t n = 0;
    if (!isalpha((unsigned char)ref[0])) {
        return 0;
    }
    while (isalnum((unsigned char)ref[n]) || strchr("+-.", ref[n] != '\0' ? ref[n] : ' ')) {
        n++;
    }
    return ref[n] == ':' ? n : 0;
}

/* Hosts are the same in small letters. */
static bool lower_host(CURLU *u)
{
    char *host = NULL;
    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        return false;
    }
    for (char *p = host; *p != '\0'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    bool good = curl_url_set(u, CURLUPART_HOST, host, 0) == CURLUE_OK;
    curl_free(host);
    return good;
}

static char *resolve(const char *base, const char *ref)
{
    char *text = NULL, *url = NULL;
    CURLU *u = must_have(curl_url());
    bool good = (base == NULL || curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK) &&
                curl_url_set(u, CURLUPART_URL, ref, CURLU_URLENCODE) == CURLUE_OK &&
                lower_host(u) && curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_URL, &text, CURLU_NO_DEFAULT_PORT) == CURLUE_OK;
    if (good) {
        url = copy(text);
        curl_free(text);
    }
    curl_url_cleanup(u);
    return url;
}

enum reference url_resolve(const char *base, const char *ref, char **url)
{
    size_t n = scheme_length(ref);
    bool web = (n == 4 && strncasecmp(ref, "http", n) == 0) ||
               (n == 5 && strncasecmp(ref, "https", n) == 0);
    *url = NULL;
    if (n > 0 && !web) {
        return REF_OTHER;
    }
    if (n == 0 && base == NULL) {
        return REF_MALFORMED;
    }
    /* An empty one, or only a fragment, is the page itself; libcurl takes neither. */
    *url = ref[0] == '\0' || ref[0] == '#' ? resolve(NULL, base) : resolve(base, ref);
    return *url != NULL ? REF_PAGE : REF_MALFORMED;
}

const char *url_path(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    return path != NULL ? path : "/";
}

char *url_origin(const char *url)
{
    const char *host = strstr(url, "://");
    size_t n = host == NULL ? 0 : (size_t)(host - url) + 3;
    return copy_n(url, n + strcspn(url + n, "/?#"));
}

const char *url_short(const char *site, const char *url)
{
    size_t n = strlen(site);
    return strncmp(url, site, n) == 0 && url[n] == '/' ? url + n : url;
}
