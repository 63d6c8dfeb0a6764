/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading files. Positioned reads only, so that one open file serves several threads; nothing is mapped, since
 * a mapped file that shrinks would kill the host.
 */
#include "util/file.h"

#include "util/alloc.h"
#include "util/checked.h"
#include "util/error.h"
#include "util/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct maskdm_reader {
    int fd;
    uint64_t size; /* bytes, when opened */
    char *path;
};

/* O_NONBLOCK: a FIFO must be refused, not waited for. It means nothing for a regular file. */
static int open_regular(struct maskdm_reader *r)
{
    struct stat st;

    r->fd = maskdm_sys_open(r->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (r->fd < 0)
        return maskdm_sys_fail(errno == ENOENT ? "find" : "open", r->path);
    if (maskdm_sys_before("stat", r->path) || fstat(r->fd, &st))
        return maskdm_sys_fail("stat", r->path);
    if (!S_ISREG(st.st_mode))
        return maskdm_fail(MASKDM_EIO, "cannot read %s: not a regular file", r->path);
    r->size = (uint64_t)st.st_size;
    return MASKDM_OK;
}

int maskdm_reader_open(struct maskdm_reader **out, const char *path)
{
    struct maskdm_reader *r;
    int status;

    *out = NULL;
    if (!path)
        return maskdm_fail(MASKDM_EINVAL, "the path of a file to read is NULL");
    r = maskdm_need(1, sizeof *r, "a file reader");
    if (!r)
        return MASKDM_ENOMEM;
    r->fd = -1;
    r->path = maskdm_strdup(path);
    status = r->path ? open_regular(r) : maskdm_fail_memory(strlen(path) + 1, "a file name");
    if (status < 0)
        maskdm_reader_close(&r);
    *out = r;
    return status;
}

void maskdm_reader_close(struct maskdm_reader **r)
{
    if (!*r)
        return;
    if ((*r)->fd >= 0)
        (void)maskdm_sys_close((*r)->fd, (*r)->path);
    maskdm_free((*r)->path);
    maskdm_free(*r);
    *r = NULL;
}

uint64_t maskdm_reader_size(const struct maskdm_reader *r)
{
    return r->size;
}

const char *maskdm_reader_path(const struct maskdm_reader *r)
{
    return r->path;
}

int maskdm_reader_read_at(struct maskdm_reader *r, void *buffer, size_t bytes, uint64_t offset)
{
    uint64_t end;
    char *p = buffer;

    if (maskdm_add_u64(&end, offset, bytes) || end > r->size)
        return maskdm_fail(MASKDM_EIO, "cannot read %zu bytes at %llu of %s: the file has %llu bytes", bytes,
                           (unsigned long long)offset, r->path, (unsigned long long)r->size);
    while (offset < end) {
        ssize_t n = maskdm_sys_pread(r->fd, r->path, p, (size_t)(end - offset), offset);

        if (n < 0)
            return maskdm_sys_fail("read", r->path);
        if (!n)
            return maskdm_fail(MASKDM_EIO, "cannot read %s: it shrank from %llu to %llu bytes", r->path,
                               (unsigned long long)r->size, (unsigned long long)offset);
        p += n;
        offset += (uint64_t)n;
    }
    return MASKDM_OK;
}

int maskdm_file_read_all(char **out, size_t *bytes, const char *path, size_t limit)
{
    struct maskdm_reader *r;
    char *data = NULL;
    size_t size = 0, room;
    int status;

    *out = NULL;
    *bytes = 0;
    MASKDM_TRY(maskdm_reader_open(&r, path));
    if (r->size > limit || maskdm_to_size(&size, r->size) || maskdm_add_size(&room, size, 1)) {
        status = maskdm_fail(MASKDM_EFORMAT, "%s has %llu bytes, more than the limit of %zu", path,
                             (unsigned long long)r->size, limit);
        goto out;
    }
    data = maskdm_malloc(room);
    if (!data) {
        status = maskdm_fail_memory(room, path);
        goto out;
    }
    status = maskdm_reader_read_at(r, data, size, 0);
    if (status < 0)
        goto out;
    data[size] = '\0';
    *out = data;
    *bytes = size;
    data = NULL;
out:
    maskdm_free(data);
    maskdm_reader_close(&r);
    return status;
}
