/* SPDX-License-Identifier: MIT */
/* chan_type.h: the types of channels. Internal; chan.h says what they are.
 *
 * By themselves, because gcc's -Wextra says of a function that returns a const int that nobody will
 * see the const. So it is meant: what a chan(const int) carries are ints. The warning stands at the
 * words of these macros, and nothing else does; it is not given where those are a system's. */
#ifndef GO_DETAIL_CHAN_TYPE_H
#define GO_DETAIL_CHAN_TYPE_H

#pragma GCC system_header

#define go_chan(...) __typeof__(__typeof__(__VA_ARGS__) (**)(struct go_chan *))
#define go_send_chan(...) __typeof__(__typeof__(__VA_ARGS__) (*const *)(struct go_chan *))
#define go_recv_chan(...) __typeof__(__typeof__(__VA_ARGS__) (*volatile *)(struct go_chan *))

#endif
