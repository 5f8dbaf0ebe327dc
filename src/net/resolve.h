/* SPDX-License-Identifier: MIT */
/* resolve.h: what the files of the resolver share: resolve_name.c picks one of two ways. */
#ifndef GOI_NET_RESOLVE_H
#define GOI_NET_RESOLVE_H
#include <gort/context.h>
#include <gort/net.h>
#include <stdio.h>

/* How to ask name servers. */
struct goi_dns {
    int timeout_ms, tries;
    const char *servers;    /* "127.0.0.1:5353,[::1]:53"; NULL: those of /etc/resolv.conf */
};

/* For tests: what to use in place of what /etc says, when `servers` is set. Before the first
 * lookup. */
extern struct goi_dns goi_dns_instead;

/* resolve_libc.c */
int goi_resolve_libc(go_ctx *ctx, const char *name, go_addrs *out);
/* resolve_cares.c; resolve_nocares.c where there is none, which says -ENOSYS. */
extern const bool goi_have_cares;
int goi_resolve_cares(go_ctx *ctx, const struct goi_dns *dns, const char *name, go_addrs *out);

/* resolve_conf.c. What an /etc/nsswitch.conf says: are files and name servers all that knows about
 * this name, `host` being what this machine calls itself? NULL: there is no such file. */
bool goi_conf_dns_only(FILE *nsswitch, const char *name, const char *host);
/* "timeout:n" and "attempts:n" of an /etc/resolv.conf (NULL: none) and of RES_OPTIONS (or NULL),
 * within libc's bounds; libc's defaults where nothing is said. */
void goi_conf_times(FILE *resolv, const char *options, struct goi_dns *dns);

#endif
