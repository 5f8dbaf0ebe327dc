/* SPDX-License-Identifier: MIT */
/* upcalls.h: what src/net asks of a layer above it, by name. */
#ifndef GOI_NET_UPCALLS_H
#define GOI_NET_UPCALLS_H

/* debug/knobs.c: GORTDEBUG=netdns. In the order of the words in debug/knobs.def. */
enum goi_netdns { GOI_NETDNS_ANY, GOI_NETDNS_LIBC, GOI_NETDNS_CARES };
enum goi_netdns goi_knob_netdns(void);

#endif
