/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which process made a handle. A forked child has the handle's memory, but none of the threads behind it, and locks
 * that another thread may have held and nobody will release: all that it may do is free.
 */
#ifndef MASKDM_BASE_MAKER_H
#define MASKDM_BASE_MAKER_H

long mdm_maker_id(void);
int mdm_maker_is_here(long maker); /* whether `maker` is this process */
/* MASKDM_OK in the process that made `what`, else a recorded MASKDM_EINVAL. */
int mdm_maker_check(long maker, const char *what);

#endif
