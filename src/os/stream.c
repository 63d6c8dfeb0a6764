/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams; see stream.h. SIGPIPE is kept from the host by blocking it in this thread alone around a write and taking
 * back the one that the write raised: no handler, and nothing that another thread could see.
 */
#include "os/stream.h"

#include "base/error.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int mdm_stream_fail(const char *path)
{
    return errno == ENXIO ? mdm_fail(MASKDM_EIO, "cannot open %s: nothing reads from it", path)
                          : mdm_sys_fail("open", path);
}

static int open_own(const struct mdm_target *t)
{
    int flags = fcntl(t->descriptor, F_GETFL), fd;

    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
        return mdm_fail(MASKDM_EINVAL, "cannot write %s: it is open for reading only", t->path);
    fd = mdm_sys_before("open", t->path) ? -1 : fcntl(t->descriptor, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? mdm_sys_fail("open", t->path) : fd;
}

int mdm_stream_open(const struct mdm_target *t)
{
    struct stat st;
    int fd;

    if (t->descriptor >= 0)
        return open_own(t);
    fd = mdm_sys_open(t->path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return mdm_stream_fail(t->path);
    if (fstat(fd, &st) || (st.st_mode & S_IFMT) != (t->st.st_mode & S_IFMT)) {
        (void)mdm_sys_close(fd, t->path);
        return mdm_fail(MASKDM_EIO, "cannot write %s: something else took its place just now", t->path);
    }
    return fd;
}

/* Where in a regular file the next bytes land. */
static uint64_t place(int fd)
{
    struct stat st;
    off_t at;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return MDM_SYS_NO_PLACE;
    at = fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
    return at < 0 ? MDM_SYS_NO_PLACE : (uint64_t)at;
}

int mdm_stream_write(int fd, const char *path, const void *buffer, size_t bytes)
{
    const struct timespec now = {0, 0};
    sigset_t broken, pending, before;
    int failed, reason, had;

    (void)sigemptyset(&broken);
    (void)sigaddset(&broken, SIGPIPE);
    had = !sigpending(&pending) && sigismember(&pending, SIGPIPE) == 1; /* one that is not ours to take */
    reason = pthread_sigmask(SIG_BLOCK, &broken, &before);
    if (reason) {
        errno = reason;
        return -1;
    }
    failed = mdm_sys_write(fd, path, buffer, bytes, place(fd));
    reason = errno;
    if (failed && reason == EPIPE && !had)
        while (sigtimedwait(&broken, NULL, &now) < 0 && errno == EINTR)
            ;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return failed;
}

int mdm_stream_flush(int fd, const char *path)
{
    /* Pipes and most devices have nothing to flush and say so. */
    return mdm_sys_fsync(fd, path) && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? -1 : 0;
}
