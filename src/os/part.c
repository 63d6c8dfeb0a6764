/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A large file that grows for long under a name of its own, and stays there when the work on it ends early.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/sys.h"
#include "os/target.h"
#include "text/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct mdm_part {
    int fd;
    char *temp, *folder; /* its name; what it stands in */
    struct mdm_target to;
    int failed;
};

static int name_part(struct mdm_part *p, const char *path)
{
    struct mdm_text t = {0};

    MDM_TRY(mdm_target_find(&p->to, path));
    if (p->to.stream)
        return mdm_fail(MASKDM_EINVAL, "cannot write %s piece by piece: it is a device or a pipe", path);
    mdm_text_addf(&t, "%s.part", p->to.path);
    if (mdm_text_ok(&t) < 0) {
        mdm_text_free(&t);
        return MASKDM_ENOMEM;
    }
    p->temp = t.data;
    p->folder = mdm_sys_folder_of(p->to.path);
    return p->folder ? MASKDM_OK : MASKDM_ENOMEM;
}

static int open_part(struct mdm_part *p, int go_on, int *found)
{
    struct stat st;

    p->fd = mdm_sys_make(p->temp, O_RDWR | O_CREAT | O_NOCTTY | (go_on ? 0 : O_EXCL), 0666);
    if (p->fd < 0 && errno == EEXIST)
        return mdm_fail(MASKDM_EINVAL, "%s is there, which an earlier call that was interrupted has left", p->temp);
    if (p->fd < 0)
        return mdm_sys_fail("write", p->temp);
    if (mdm_sys_before("stat", p->temp) || fstat(p->fd, &st))
        return mdm_sys_fail("stat", p->temp);
    if (!S_ISREG(st.st_mode))
        return mdm_fail(MASKDM_EIO, "cannot write %s: not a regular file", p->temp);
    *found = st.st_size > 0;
    if (mdm_sys_lock(p->fd, p->temp, LOCK_EX) && errno == EWOULDBLOCK)
        return mdm_fail(MASKDM_EINVAL, "%s is being written by another call", p->temp);
    return MASKDM_OK;
}

int mdm_part_open(struct mdm_part **out, const char *path, int go_on, int *found)
{
    struct mdm_part *p;
    int r;

    *out = NULL;
    *found = 0;
    if (!*path || path[strlen(path) - 1] == '/')
        return mdm_fail(MASKDM_EINVAL, "the path of a file to write is empty or ends in a slash");
    p = mdm_need(1, sizeof *p, "a file that is written piece by piece");
    if (!p)
        return MASKDM_ENOMEM;
    p->fd = -1;
    r = name_part(p, path);
    if (r >= 0)
        r = open_part(p, go_on, found);
    *out = p;
    if (r < 0)
        mdm_part_leave(out);
    return r;
}

const char *mdm_part_name(const struct mdm_part *p)
{
    return p->temp;
}

int mdm_part_write(struct mdm_part *p, const void *buffer, size_t bytes, uint64_t at)
{
    if (lseek(p->fd, (off_t)at, SEEK_SET) < 0 || mdm_sys_write(p->fd, p->temp, buffer, bytes, at)) {
        p->failed = 1;
        return mdm_sys_fail("write", p->temp);
    }
    return MASKDM_OK;
}

int mdm_part_read(struct mdm_part *p, void *buffer, size_t bytes, uint64_t at)
{
    char *to = buffer;

    while (bytes) {
        const ssize_t n = mdm_sys_pread(p->fd, p->temp, to, bytes, at);

        if (n < 0)
            return mdm_sys_fail("read", p->temp);
        if (!n)
            return mdm_fail(MASKDM_EFORMAT, "%s ends at byte %llu, where more was written", p->temp,
                            (unsigned long long)at);
        to += n;
        at += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return MASKDM_OK;
}

int mdm_part_flush(struct mdm_part *p)
{
    return mdm_sys_fsync(p->fd, p->temp) ? mdm_sys_fail("flush", p->temp) : MASKDM_OK;
}

int mdm_part_cut(struct mdm_part *p, uint64_t size)
{
    return mdm_sys_before("truncate", p->temp) || ftruncate(p->fd, (off_t)size) ? mdm_sys_fail("cut", p->temp)
                                                                                : MASKDM_OK;
}

static int publish(struct mdm_part *p)
{
    if (p->failed)
        return mdm_fail(MASKDM_EIO, "cannot write %s: an earlier write failed", p->temp);
    MDM_TRY(mdm_part_flush(p));
    if (mdm_sys_rename(p->temp, p->to.path))
        return mdm_sys_fail("rename", p->to.path);
    return mdm_sys_flush_folder(p->folder);
}

int mdm_part_publish(struct mdm_part **p)
{
    const int r = publish(*p);

    mdm_part_leave(p);
    return r;
}

void mdm_part_leave(struct mdm_part **part)
{
    struct mdm_part *p = *part;

    *part = NULL;
    if (!p)
        return;
    if (p->fd >= 0)
        (void)mdm_sys_close(p->fd, p->temp);
    mdm_target_free(&p->to);
    mdm_free(p->temp);
    mdm_free(p->folder);
    mdm_free(p);
}
