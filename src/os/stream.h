/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing into what stands there and keeps no place to go back to: devices, pipes, open files of this process. A
 * reader that goes away is an error, never a signal in the host. Private to src/os/write.c and append.c.
 */
#ifndef MASKDM_OS_STREAM_H
#define MASKDM_OS_STREAM_H

#include "os/target.h"

#include <stddef.h>

/* A descriptor, or a negative status; a pipe that nobody reads is refused, since waiting for a reader could not be
 * stopped. */
int mdm_stream_open(const struct mdm_target *t);
/* All of it, waiting for a slow reader; 0, or -1 with errno set. */
int mdm_stream_write(int fd, const char *path, const void *buffer, size_t bytes);
/* What can be flushed is; 0, or -1 with errno set. */
int mdm_stream_flush(int fd, const char *path);
/* Record why `path` could not be opened for writing, from errno. */
int mdm_stream_fail(const char *path);

#endif
