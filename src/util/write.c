/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing files. A whole file appears under its name only by a rename after its bytes are flushed; a log
 * grows by whole lines.
 */
#include "util/file.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/json.h"
#include "util/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAME_KEPT = 180, TRIES = 100 }; /* bytes of the name kept in the temporary one, below NAME_MAX */

struct maskdm_writer {
    int fd;
    int failed;
    uint64_t at; /* bytes written */
    char *path, *folder, *temp;
};

static void free_writer(struct maskdm_writer *w)
{
    maskdm_free(w->path);
    maskdm_free(w->folder);
    maskdm_free(w->temp);
    maskdm_free(w);
}

/* Unpredictability is not needed, O_EXCL decides; distinct names just keep the number of tries low. */
static uint64_t scatter(const struct maskdm_writer *w)
{
    struct timespec t = { 0, 0 };

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000000007u + (uint64_t)t.tv_nsec + (uintptr_t)w) * 0x9e3779b97f4a7c15u;
}

static int make_temporary(struct maskdm_writer *w)
{
    const char *slash = strrchr(w->path, '/'), *name = slash ? slash + 1 : w->path;
    int before = (int)(name - w->path); /* the folder with its slash */

    for (int i = 0; i < TRIES; i++) {
        struct maskdm_text t = { 0 };

        maskdm_text_addf(&t, "%.*s.%.*s.tmp.%ld.%016llx", before, w->path, NAME_KEPT, name, (long)getpid(),
                         (unsigned long long)scatter(w));
        if (maskdm_text_ok(&t) < 0) {
            maskdm_text_free(&t);
            return MASKDM_ENOMEM;
        }
        w->fd = maskdm_sys_open(t.data, O_WRONLY | O_CREAT | O_EXCL);
        if (w->fd >= 0) {
            w->temp = t.data;
            return MASKDM_OK;
        }
        maskdm_text_free(&t);
        if (errno != EEXIST)
            break;
    }
    return maskdm_sys_fail("open", w->path);
}

int maskdm_writer_open(struct maskdm_writer **out, const char *path)
{
    struct maskdm_writer *w;
    size_t length = path ? strlen(path) : 0;
    int status = MASKDM_ENOMEM;

    *out = NULL;
    if (!length || path[length - 1] == '/')
        return maskdm_fail(MASKDM_EINVAL, "the path of a file to write is empty or ends in a slash");
    w = maskdm_need(1, sizeof *w, "a file writer");
    if (!w)
        return MASKDM_ENOMEM;
    w->fd = -1;
    w->path = maskdm_strdup(path);
    if (!w->path)
        maskdm_fail_memory(length + 1, "a file name");
    else if ((w->folder = maskdm_sys_folder_of(path)))
        status = make_temporary(w);
    if (status < 0)
        free_writer(w);
    else
        *out = w;
    return status;
}

int maskdm_writer_write(struct maskdm_writer *w, const void *buffer, size_t bytes)
{
    if (maskdm_sys_write(w->fd, w->path, buffer, bytes, w->at)) {
        w->failed = 1;
        return maskdm_sys_fail("write", w->path);
    }
    w->at += bytes;
    return MASKDM_OK;
}

static int rename_file(const char *from, const char *to)
{
    return maskdm_sys_before("rename", to) ? -1 : rename(from, to);
}

/* Everything up to the rename leaves the old file alone. When only the last flush fails the new file stands,
 * but a power cut may still bring the old one back: that is reported as a failure too. */
static int publish(struct maskdm_writer *w)
{
    int closed;

    if (w->failed)
        return maskdm_fail(MASKDM_EIO, "cannot write %s: an earlier write failed", w->path);
    if (maskdm_sys_fsync(w->fd, w->path))
        return maskdm_sys_fail("flush", w->path);
    closed = maskdm_sys_close(w->fd, w->path);
    w->fd = -1;
    if (closed)
        return maskdm_sys_fail("close", w->path);
    if (rename_file(w->temp, w->path))
        return maskdm_sys_fail("rename", w->path);
    maskdm_free(w->temp);
    w->temp = NULL;
    return maskdm_sys_flush_folder(w->folder);
}

int maskdm_writer_commit(struct maskdm_writer **w)
{
    int status = publish(*w);

    maskdm_writer_abandon(w);
    return status;
}

/* A temporary file that cannot be removed stays for maskdm_folder_sweep(). */
void maskdm_writer_abandon(struct maskdm_writer **w)
{
    if (!*w)
        return;
    if ((*w)->fd >= 0)
        (void)maskdm_sys_close((*w)->fd, (*w)->path);
    if ((*w)->temp)
        (void)maskdm_sys_unlink((*w)->temp);
    free_writer(*w);
    *w = NULL;
}

struct maskdm_appender {
    int fd;
    char *path;
};

static int open_appender(struct maskdm_appender *a)
{
    struct stat st;

    a->fd = maskdm_sys_open(a->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY);
    if (a->fd < 0)
        return maskdm_sys_fail("open", a->path);
    if (fstat(a->fd, &st))
        return maskdm_sys_fail("stat", a->path);
    /* A pipe without a reader would raise a signal in the host. */
    if (!S_ISREG(st.st_mode))
        return maskdm_fail(MASKDM_EIO, "cannot write %s: not a regular file", a->path);
    return MASKDM_OK;
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
