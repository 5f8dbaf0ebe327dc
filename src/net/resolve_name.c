/* SPDX-License-Identifier: MIT */
/* resolve_name.c: who is asked for a name: c-ares where it was found, or libc.
 *
 * With c-ares a lookup is a parked goroutine, with libc a thread. GORTDEBUG=netdns=libc and
 * netdns=cares choose. Without a choice c-ares is asked, unless /etc/nsswitch.conf has a source
 * that only libc knows and that could have this name. The files are read at each lookup, as c-ares
 * reads its own: a change of them shows at once, and they cost less than the first packet.
 */
#include "net/internal.h"
#include "net/resolve.h"
#include "net/upcalls.h"
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct goi_dns goi_dns_instead;

static bool left_to_cares(const char *name)
{
    enum goi_netdns wanted = goi_knob_netdns();
    if (!goi_have_cares || wanted == GOI_NETDNS_LIBC) {
        return false;
    }
    if (wanted == GOI_NETDNS_CARES || goi_dns_instead.servers != NULL) {
        return true;
    }
    char host[HOST_NAME_MAX + 1] = "";
    (void)gethostname(host, sizeof host - 1);
    FILE *f = fopen("/etc/nsswitch.conf", "re");
    bool only = goi_conf_dns_only(f, name, host);
    if (f != NULL) {
        fclose(f);
    }
    return only;
}

static struct goi_dns times(void)
{
    struct goi_dns dns = goi_dns_instead;
    if (dns.servers == NULL) {
        FILE *f = fopen("/etc/resolv.conf", "re");
        goi_conf_times(f, getenv("RES_OPTIONS"), &dns);
        if (f != NULL) {
            fclose(f);
        }
    }
    return dns;
}

int goi_resolve_name(go_ctx *ctx, const char *name, go_addrs *out)
{
    if (!left_to_cares(name)) {
        return goi_resolve_libc(ctx, name, out);
    }
    const struct goi_dns dns = times();
    return goi_resolve_cares(ctx, &dns, name, out);
}
