/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A log grows by whole lines.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/stream.h"
#include "os/sys.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct mdm_appender {
    int fd;
    int stream; /* cannot be cut back */
    char *path;
};

static int open_appender(struct mdm_appender *a)
{
    struct stat st;

    a->fd = mdm_sys_open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY);
    if (a->fd < 0)
        return mdm_stream_fail(a->path);
    if (fstat(a->fd, &st))
        return mdm_sys_fail("stat", a->path);
    a->stream = !S_ISREG(st.st_mode);
    return mdm_target_check(&st, a->path);
}

int mdm_appender_open(struct mdm_appender **out, const char *path)
{
    struct mdm_appender *a;
    int status;

    *out = NULL;
    if (!path)
        return mdm_fail(MASKDM_EINVAL, "the path of a log is NULL");
    a = mdm_need(1, sizeof *a, "a log");
    if (!a)
        return MASKDM_ENOMEM;
    a->fd = -1;
    a->path = mdm_strdup(path);
    status = a->path ? open_appender(a) : mdm_fail_memory(strlen(path) + 1, "a file name");
    if (status < 0)
        mdm_appender_close(&a);
    *out = a;
    return status;
}

int mdm_appender_write(struct mdm_appender *a, const void *buffer, size_t bytes)
{
    struct stat st;
    int status;

    if (a->stream)
        return mdm_stream_write(a->fd, a->path, buffer, bytes) ? mdm_sys_fail("write", a->path) : MASKDM_OK;
    if (fstat(a->fd, &st))
        return mdm_sys_fail("stat", a->path);
    if (!mdm_sys_write(a->fd, a->path, buffer, bytes, (uint64_t)st.st_size))
        return MASKDM_OK;
    status = mdm_sys_fail("write", a->path);
    if (!mdm_sys_before("truncate", a->path) && ftruncate(a->fd, st.st_size))
        return mdm_fail_prefix(status, "the log may end in half a line");
    return status;
}

void mdm_appender_close(struct mdm_appender **a)
{
    if (!*a)
        return;
    if ((*a)->fd >= 0)
        (void)mdm_sys_close((*a)->fd, (*a)->path);
    mdm_free((*a)->path);
    mdm_free(*a);
    *a = NULL;
}
