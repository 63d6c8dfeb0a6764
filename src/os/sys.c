/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One wrapper per system call; see sys.h.
 */
#include "os/sys.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

static struct mdm_file_hook hook;

void mdm_file_hook_set(const struct mdm_file_hook *h)
{
    static const struct mdm_file_hook none;

    hook = h ? *h : none;
}

int mdm_sys_before(const char *operation, const char *path)
{
    int refused = hook.before ? hook.before(hook.user, operation, path) : 0;

    if (refused > 0) {
        errno = refused;
        return -1;
    }
    return 0;
}

static int status_of(int reason)
{
    /* Too little of something that this process has: the file is as good as ever, and nobody may pass it over. */
    if (reason == ENOMEM || reason == EMFILE || reason == ENFILE)
        return MASKDM_ENOMEM;
    return reason == ENOENT || reason == ENOTDIR ? MASKDM_ENOTFOUND : MASKDM_EIO;
}

int mdm_sys_fail(const char *operation, const char *path)
{
    int reason = errno;
    char text[128];

    if (strerror_r(reason, text, sizeof text))
        strcpy(text, "unknown reason");
    return mdm_fail(status_of(reason), "cannot %s %s: %s", operation, path, text);
}

int mdm_sys_open(const char *path, int flags)
{
    return mdm_sys_make(path, flags, 0666);
}

/* A host that was started with 0, 1 or 2 closed prints into them all the same: they never become a file of ours. */
static int above_standard(int fd)
{
    int higher, why;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    why = errno;
    (void)close(fd);
    errno = why;
    return higher;
}

int mdm_sys_make(const char *path, int flags, mode_t mode)
{
    int fd;

    if (mdm_sys_before("open", path))
        return -1;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return above_standard(fd);
}

int mdm_sys_stat(const char *path, struct stat *st)
{
    return mdm_sys_before("stat", path) ? -1 : stat(path, st);
}

int mdm_sys_may_write(const char *folder)
{
    return mdm_sys_before("stat", folder) ? -1 : faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS);
}

/* After EINTR the state of a descriptor is unspecified and on Linux it is gone: never close twice. A pretended
 * failure closes too, so that tests leak nothing. */
int mdm_sys_close(int fd, const char *path)
{
    int refused = mdm_sys_before("close", path) ? errno : 0;

    if (close(fd) && errno != EINTR && !refused)
        return -1;
    if (refused) {
        errno = refused;
        return -1;
    }
    return 0;
}

int mdm_sys_fsync(int fd, const char *path)
{
    int r;

    if (mdm_sys_before("fsync", path))
        return -1;
    do
        r = fsync(fd);
    while (r && errno == EINTR);
    return r;
}

int mdm_sys_unlink(const char *path)
{
    return mdm_sys_before("unlink", path) ? -1 : unlink(path);
}

int mdm_sys_rename(const char *from, const char *to)
{
    return mdm_sys_before("rename", to) ? -1 : rename(from, to);
}

int mdm_sys_lock(int fd, const char *path, int how)
{
    int r;

    if (mdm_sys_before("lock", path))
        return -1;
    do
        r = flock(fd, how | LOCK_NB);
    while (r && errno == EINTR);
    return r;
}

/* Until a full pipe takes more or its reader is gone, which the next write says. */
static void wait_for_room(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    (void)poll(&p, 1, -1);
}

int mdm_sys_write(int fd, const char *path, const void *buffer, size_t bytes, uint64_t at)
{
    const char *p = buffer;
    struct rlimit limit;

    if (at != MDM_SYS_NO_PLACE && !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
        (at > limit.rlim_cur || bytes > limit.rlim_cur - at)) {
        errno = EFBIG;
        return -1;
    }
    while (bytes) {
        ssize_t n;

        if (mdm_sys_before("write", path))
            return -1;
        n = write(fd, p, bytes);
        if (n < 0 && errno == EAGAIN)
            wait_for_room(fd);
        else if (n < 0 && errno != EINTR)
            return -1;
        if (n < 0)
            continue;
        p += n;
        bytes -= (size_t)n;
    }
    return 0;
}

ssize_t mdm_sys_pread(int fd, const char *path, void *buffer, size_t bytes, uint64_t at)
{
    ssize_t n;

    if (mdm_sys_before("read", path))
        return -1;
    do
        n = pread(fd, buffer, bytes, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

char *mdm_sys_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;

    if (!slash)
        folder = mdm_strdup(".");
    else
        folder = mdm_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!folder)
        mdm_fail_memory(slash ? (size_t)(slash - path) + 1 : 2, "a file name");
    return folder;
}

int mdm_sys_flush_folder(const char *folder)
{
    int r = MASKDM_OK, fd = mdm_sys_open(folder, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return mdm_sys_fail("open", folder);
    /* EINVAL: this file system cannot flush folders; there is nothing better to do. */
    if (mdm_sys_fsync(fd, folder) && errno != EINVAL)
        r = mdm_sys_fail("flush", folder);
    (void)mdm_sys_close(fd, folder);
    return r;
}
