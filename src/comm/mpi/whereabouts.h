/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a rank is: the machine, and the namespace in which its number means something; so that ranks of one machine
 * see from the kernel that another is no more.
 */
#ifndef MASKDM_COMM_MPI_WHEREABOUTS_H
#define MASKDM_COMM_MPI_WHEREABOUTS_H

#include <stdint.h>

enum { MDM_HOST_NAME = 112 };

struct mdm_whereabouts {
    char host[MDM_HOST_NAME];
    int64_t space, process;
};

/* This process. MPI is asked for the machine's name. */
void mdm_locate(struct mdm_whereabouts *at);
/* 0 also where `other` is on another machine than `own`, so that nobody here can say. */
int mdm_has_ended(const struct mdm_whereabouts *other, const struct mdm_whereabouts *own);

#endif
