/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A log grows by whole lines.
 */
#include "util/file.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/stream.h"
#include "util/sys.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct maskdm_appender {
    int fd;
    int stream; /* cannot be cut back */
    char *path;
};

static int open_appender(struct maskdm_appender *a)
{
    struct stat st;

    a->fd = maskdm_sys_open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY);
    if (a->fd < 0)
        return maskdm_stream_fail(a->path);
    if (fstat(a->fd, &st))
        return maskdm_sys_fail("stat", a->path);
    a->stream = !S_ISREG(st.st_mode);
    return maskdm_target_check(&st, a->path);
}

int maskdm_appender_open(struct maskdm_appender **out, const char *path)
{
    struct maskdm_appender *a;
    int status;

    *out = NULL;
    if (!path)
        return maskdm_fail(MASKDM_EINVAL, "the path of a log is NULL");
    a = maskdm_need(1, sizeof *a, "a log");
    if (!a)
        return MASKDM_ENOMEM;
    a->fd = -1;
    a->path = maskdm_strdup(path);
    status = a->path ? open_appender(a) : maskdm_fail_memory(strlen(path) + 1, "a file name");
    if (status < 0)
        maskdm_appender_close(&a);
    *out = a;
    return status;
}

int maskdm_appender_write(struct maskdm_appender *a, const void *buffer, size_t bytes)
{
    struct stat st;
    int status;

    if (a->stream)
        return maskdm_stream_write(a->fd, a->path, buffer, bytes) ? maskdm_sys_fail("write", a->path) : MASKDM_OK;
    if (fstat(a->fd, &st))
        return maskdm_sys_fail("stat", a->path);
    if (!maskdm_sys_write(a->fd, a->path, buffer, bytes, (uint64_t)st.st_size))
        return MASKDM_OK;
    status = maskdm_sys_fail("write", a->path);
    if (!maskdm_sys_before("truncate", a->path) && ftruncate(a->fd, st.st_size))
        return maskdm_fail_prefix(status, "the log may end in half a line");
    return status;
}

void maskdm_appender_close(struct maskdm_appender **a)
{
    if (!*a)
        return;
    if ((*a)->fd >= 0)
        (void)maskdm_sys_close((*a)->fd, (*a)->path);
    maskdm_free((*a)->path);
    maskdm_free(*a);
    *a = NULL;
}
