/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing whole files. One appears under its name only by a rename after its bytes are flushed, at the end of the
 * links that the name may be; devices and pipes are written into instead.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/stream.h"
#include "os/sys.h"
#include "text/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 100 };

struct mdm_writer {
    int fd; /* -1: reserved only */
    int failed;
    uint64_t at; /* bytes written */
    char *given; /* the path as the caller said it */
    struct mdm_target to;
    char *folder, *temp; /* of what is not a stream */
};

static void drop_place(struct mdm_writer *w)
{
    mdm_target_free(&w->to);
    mdm_free(w->folder);
    mdm_free(w->temp);
    w->folder = w->temp = NULL;
}

/* Unpredictability is not needed, O_EXCL decides; distinct names just keep the number of tries low. */
static uint64_t scatter(const struct mdm_writer *w)
{
    struct timespec t = { 0, 0 };

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000000007u + (uint64_t)t.tv_nsec + (uintptr_t)w) * 0x9e3779b97f4a7c15u;
}

/* As the file that is replaced had it. What root writes stays its owner's; where the group cannot be kept, the new
 * one may do no more than everybody. What the file system does not let be set stays as it is: it is narrower. */
static void keep_access(const struct mdm_writer *w)
{
    const struct stat *old = &w->to.st;
    mode_t mode = old->st_mode & 0777;
    struct stat now;

    if (fstat(w->fd, &now))
        return;
    if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) && fchown(w->fd, old->st_uid, old->st_gid) &&
        fchown(w->fd, (uid_t)-1, old->st_gid))
        mode &= (mode_t)~0070 | (mode & 0007) << 3;
    if ((now.st_mode & 0777) != mode)
        (void)fchmod(w->fd, mode);
}

static int make_temporary(struct mdm_writer *w)
{
    const char *path = w->to.path, *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const mode_t mode = w->to.exists ? w->to.st.st_mode & 0700 : 0666; /* nobody else until access is kept */
    int before = (int)(name - path); /* the folder with its slash */

    for (int i = 0; i < TRIES; i++) {
        struct mdm_text t = { 0 };

        mdm_text_addf(&t, "%.*s.%.*s.tmp.%ld.%016llx", before, path, MDM_SYS_NAME_KEPT, name, (long)getpid(),
                      (unsigned long long)scatter(w));
        if (mdm_text_ok(&t) < 0) {
            mdm_text_free(&t);
            return MASKDM_ENOMEM;
        }
        w->fd = mdm_sys_make(t.data, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (w->fd >= 0) {
            w->temp = t.data;
            if (w->to.exists)
                keep_access(w);
            return MASKDM_OK;
        }
        mdm_text_free(&t);
        if (errno != EEXIST)
            break;
    }
    if (errno == ENOENT)
        return mdm_fail(MASKDM_ENOTFOUND, "cannot write %s: there is no folder %s", path, w->folder);
    return mdm_sys_fail("open", path);
}

static int open_place(struct mdm_writer *w)
{
    int status;

    drop_place(w);
    status = mdm_target_find(&w->to, w->given);
    if (status == MASKDM_OK && w->to.stream) {
        w->fd = mdm_stream_open(&w->to);
        status = w->fd < 0 ? w->fd : MASKDM_OK;
    } else if (status == MASKDM_OK) {
        w->folder = mdm_sys_folder_of(w->to.path);
        status = w->folder ? make_temporary(w) : MASKDM_ENOMEM;
    }
    if (status < 0 && w->to.followed && status != MASKDM_ENOMEM)
        return mdm_fail_prefix(status, "%s", w->given);
    return status;
}

int mdm_file_is_stream(int *out, const char *path)
{
    struct mdm_target t;
    int status = mdm_target_find(&t, path);

    *out = status == MASKDM_OK && t.stream;
    mdm_target_free(&t);
    return status;
}

int mdm_writer_open(struct mdm_writer **out, const char *path)
{
    struct mdm_writer *w;
    size_t length = path ? strlen(path) : 0;
    int status;

    *out = NULL;
    if (!length || path[length - 1] == '/')
        return mdm_fail(MASKDM_EINVAL, "the path of a file to write is empty or ends in a slash");
    w = mdm_need(1, sizeof *w, "a file writer");
    if (!w)
        return MASKDM_ENOMEM;
    w->fd = -1;
    w->given = mdm_strdup(path);
    status = w->given ? open_place(w) : mdm_fail_memory(length + 1, "a file name");
    if (status < 0)
        mdm_writer_abandon(&w);
    *out = w;
    return status;
}

int mdm_writer_reserve(struct mdm_writer **out, const char *path)
{
    struct mdm_writer *w;

    MDM_TRY(mdm_writer_open(out, path));
    w = *out;
    if (w->to.stream)
        return MASKDM_OK;
    (void)mdm_sys_close(w->fd, w->to.path);
    (void)mdm_sys_unlink(w->temp);
    w->fd = -1;
    drop_place(w);
    return MASKDM_OK;
}

int mdm_writer_write(struct mdm_writer *w, const void *buffer, size_t bytes)
{
    int failed, status = w->fd < 0 ? open_place(w) : MASKDM_OK;

    if (status < 0) {
        w->failed = 1;
        return status;
    }
    failed = w->to.stream ? mdm_stream_write(w->fd, w->to.path, buffer, bytes)
                          : mdm_sys_write(w->fd, w->to.path, buffer, bytes, w->at);
    if (failed) {
        w->failed = 1;
        return mdm_sys_fail("write", w->to.path);
    }
    w->at += bytes;
    return MASKDM_OK;
}

/* Everything up to the rename leaves the old file alone. When only the last flush fails the new file stands,
 * but a power cut may still bring the old one back: that is reported as a failure too. */
static int publish(struct mdm_writer *w)
{
    const char *path = w->to.path;
    int closed;

    if (w->failed)
        return mdm_fail(MASKDM_EIO, "cannot write %s: an earlier write failed", path);
    if (w->to.stream ? mdm_stream_flush(w->fd, path) : mdm_sys_fsync(w->fd, path))
        return mdm_sys_fail("flush", path);
    closed = mdm_sys_close(w->fd, path);
    w->fd = -1;
    if (closed)
        return mdm_sys_fail("close", path);
    if (w->to.stream)
        return MASKDM_OK;
    if (mdm_sys_rename(w->temp, path))
        return mdm_sys_fail("rename", path);
    mdm_free(w->temp);
    w->temp = NULL;
    return mdm_sys_flush_folder(w->folder);
}

int mdm_writer_commit(struct mdm_writer **w)
{
    int status = (*w)->fd < 0 ? open_place(*w) : MASKDM_OK;

    if (status == MASKDM_OK)
        status = publish(*w);
    mdm_writer_abandon(w);
    return status;
}

/* A temporary file that cannot be removed stays for mdm_folder_sweep(). */
void mdm_writer_abandon(struct mdm_writer **w)
{
    if (!*w)
        return;
    if ((*w)->fd >= 0)
        (void)mdm_sys_close((*w)->fd, (*w)->to.path);
    if ((*w)->temp)
        (void)mdm_sys_unlink((*w)->temp);
    drop_place(*w);
    mdm_free((*w)->given);
    mdm_free(*w);
    *w = NULL;
}
