/* SPDX-License-Identifier: MIT */
/* block.h: code that will sit in the kernel. Entering gives the P away at once when others wait;
 * without the hint sysmon does it about a millisecond later. Outside the runtime, does not park. */
#ifndef GOI_BLOCK_BLOCK_H
#define GOI_BLOCK_BLOCK_H
void goi_block_enter(void);
#endif
