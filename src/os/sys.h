/* SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls of the file helper: each asks the test hook first, goes on after a signal, and keeps
 * descriptors out of child processes. Private to src/util.
 */
#ifndef MASKDM_OS_SYS_H
#define MASKDM_OS_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { MDM_SYS_NAME_KEPT = 180 };    /* bytes of a file's name in its temporary sibling's, below NAME_MAX */

/* -1 with errno set when a test wants `operation` on `path` to fail, else 0. */
int mdm_sys_before(const char *operation, const char *path);
/* Record "cannot OPERATION PATH: REASON" from errno: MASKDM_ENOTFOUND where nothing is there, MASKDM_ENOMEM
 * (descriptors too), or MASKDM_EIO. */
int mdm_sys_fail(const char *operation, const char *path);

int mdm_sys_open(const char *path, int flags);    /* descriptor or -1 */
int mdm_sys_make(const char *path, int flags, mode_t mode);    /* with the permissions of a file that is made */
int mdm_sys_stat(const char *path, struct stat *st);
int mdm_sys_may_write(const char *folder);    /* 0: entries may be made in it, as far as can be said */
int mdm_sys_close(int fd, const char *path);
int mdm_sys_fsync(int fd, const char *path);
int mdm_sys_unlink(const char *path);
int mdm_sys_rename(const char *from, const char *to);
/* how: LOCK_SH or LOCK_EX of flock(); EWOULDBLOCK where another has it. */
int mdm_sys_lock(int fd, const char *path, int how);
/* All of `bytes`, or -1. `at` is where they land: beyond RLIMIT_FSIZE it is EFBIG instead of a signal. What is no
 * regular file has no such place. A full pipe is waited for. */
#define MDM_SYS_NO_PLACE UINT64_MAX
int mdm_sys_write(int fd, const char *path, const void *buffer, size_t bytes, uint64_t at);
/* At most `bytes`; 0 at the end of the file. */
ssize_t mdm_sys_pread(int fd, const char *path, void *buffer, size_t bytes, uint64_t at);

/* The folder that `path` stands in, "." for a bare name (mdm_free), or NULL and a recorded ENOMEM. */
char *mdm_sys_folder_of(const char *path);
/* Open for reading and flush; MASKDM_OK or a recorded error. */
int mdm_sys_flush_folder(const char *folder);

#endif
