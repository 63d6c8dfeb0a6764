/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a path to write leads. Symbolic links are followed to their end, so that it is the file there that is
 * replaced and the links stay; devices and pipes are written into; what can be neither is refused.
 */
#ifndef MASKDM_OS_TARGET_H
#define MASKDM_OS_TARGET_H

#include <sys/stat.h>

struct mdm_target {
    char *path;     /* the end of the links, which need not exist */
    int followed;   /* whether there were links */
    int exists;
    int stream;     /* written into as it is: a character device, a pipe, an open file of this process */
    int descriptor; /* that open file where the path names one (/dev/stdout, /dev/fd/3), -1: none */
    struct stat st; /* where it exists */
};

int mdm_target_find(struct mdm_target *out, const char *path);       /* fills *out in every case */
void mdm_target_free(struct mdm_target *t);
/* MASKDM_EINVAL with the kind's name for a folder, a socket and a block device. */
int mdm_target_check(const struct stat *st, const char *path);

#endif
