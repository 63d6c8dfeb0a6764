/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading files. Positioned reads only, so that one open file serves several threads; nothing is mapped, since
 * a mapped file that shrinks would kill the host.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct mdm_reader {
    int fd;
    uint64_t size; /* bytes, when opened */
    char *path;
};

/* O_NONBLOCK: a FIFO must be refused, not waited for. It means nothing for a regular file. */
static int open_regular(struct mdm_reader *r)
{
    struct stat st;

    r->fd = mdm_sys_open(r->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (r->fd < 0)
        return mdm_sys_fail(errno == ENOENT ? "find" : "open", r->path);
    if (mdm_sys_before("stat", r->path) || fstat(r->fd, &st))
        return mdm_sys_fail("stat", r->path);
    if (!S_ISREG(st.st_mode))
        return mdm_fail(MASKDM_EIO, "cannot read %s: not a regular file", r->path);
    r->size = (uint64_t)st.st_size;
    return MASKDM_OK;
}

int mdm_reader_open(struct mdm_reader **out, const char *path)
{
    struct mdm_reader *r;
    int status;

    *out = NULL;
    if (!path)
        return mdm_fail(MASKDM_EINVAL, "the path of a file to read is NULL");
    r = mdm_need(1, sizeof *r, "a file reader");
    if (!r)
        return MASKDM_ENOMEM;
    r->fd = -1;
    r->path = mdm_strdup(path);
    status = r->path ? open_regular(r) : mdm_fail_memory(strlen(path) + 1, "a file name");
    if (status < 0)
        mdm_reader_close(&r);
    *out = r;
    return status;
}

void mdm_reader_close(struct mdm_reader **r)
{
    if (!*r)
        return;
    if ((*r)->fd >= 0)
        (void)mdm_sys_close((*r)->fd, (*r)->path);
    mdm_free((*r)->path);
    mdm_free(*r);
    *r = NULL;
}

uint64_t mdm_reader_size(const struct mdm_reader *r)
{
    return r->size;
}

const char *mdm_reader_path(const struct mdm_reader *r)
{
    return r->path;
}

int mdm_reader_read_at(struct mdm_reader *r, void *buffer, size_t bytes, uint64_t offset)
{
    uint64_t end;
    char *p = buffer;

    if (mdm_add_u64(&end, offset, bytes) || end > r->size)
        return mdm_fail(MASKDM_EIO, "cannot read %zu bytes at %llu of %s: the file has %llu bytes", bytes,
                        (unsigned long long)offset, r->path, (unsigned long long)r->size);
    while (offset < end) {
        ssize_t n = mdm_sys_pread(r->fd, r->path, p, (size_t)(end - offset), offset);

        if (n < 0)
            return mdm_sys_fail("read", r->path);
        if (!n)
            return mdm_fail(MASKDM_EIO, "cannot read %s: it shrank from %llu to %llu bytes", r->path,
                            (unsigned long long)r->size, (unsigned long long)offset);
        p += n;
        offset += (uint64_t)n;
    }
    return MASKDM_OK;
}

int mdm_file_read_all(char **out, size_t *bytes, const char *path, size_t limit)
{
    struct mdm_reader *r;
    char *data = NULL;
    size_t size = 0, room;
    int status;

    *out = NULL;
    *bytes = 0;
    MDM_TRY(mdm_reader_open(&r, path));
    if (r->size > limit || mdm_to_size(&size, r->size) || mdm_add_size(&room, size, 1)) {
        status = mdm_fail(MASKDM_EFORMAT, "%s has %llu bytes, more than the limit of %zu", path,
                          (unsigned long long)r->size, limit);
        goto out;
    }
    data = mdm_malloc(room);
    if (!data) {
        status = mdm_fail_memory(room, path);
        goto out;
    }
    status = mdm_reader_read_at(r, data, size, 0);
    if (status < 0)
        goto out;
    data[size] = '\0';
    *out = data;
    *bytes = size;
    data = NULL;
out:
    mdm_free(data);
    mdm_reader_close(&r);
    return status;
}
