/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder held by one at a time. flock() on the folder itself: nothing is left behind in it, the lock goes with the
 * process however that ends, and two holders within one process are told apart, which fcntl() locks would not do.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

struct mdm_folder_lock {
    int fd;
    char *path;
};

/* Who asks whether a folder is held holds it for a moment too, with others who ask. */
static int hold_alone(int fd, const char *path)
{
    int status = mdm_sys_lock(fd, path, LOCK_EX);

    for (int tries = 0; status < 0 && errno == EWOULDBLOCK && tries < 3; tries++) {
        mdm_clock_sleep(0.01);
        status = mdm_sys_lock(fd, path, LOCK_EX);
    }
    return status;
}

int mdm_folder_is_locked(int *is, const char *path)
{
    int fd = mdm_sys_open(path, O_RDONLY | O_DIRECTORY);

    *is = 0;
    if (fd < 0)
        return mdm_sys_fail("open", path);
    *is = mdm_sys_lock(fd, path, LOCK_SH) < 0 && errno == EWOULDBLOCK;
    (void)mdm_sys_close(fd, path);
    return MASKDM_OK;
}

int mdm_folder_lock(struct mdm_folder_lock **out, const char *path, const char *what)
{
    struct mdm_folder_lock *l = mdm_need(1, sizeof *l, "a folder's lock");

    *out = NULL;
    if (!l)
        return MASKDM_ENOMEM;
    l->path = mdm_strdup(path);
    if (!l->path) {
        mdm_free(l);
        return mdm_fail_memory(strlen(path) + 1, "a file name");
    }
    l->fd = mdm_sys_open(path, O_RDONLY | O_DIRECTORY);
    if (l->fd < 0) {
        mdm_free(l->path);
        mdm_free(l);
        return mdm_sys_fail("open", path);
    }
    if (hold_alone(l->fd, path) && errno == EWOULDBLOCK) {
        mdm_folder_unlock(&l);
        return mdm_fail(MASKDM_EINVAL, "%s is in use by %s", path, what);
    }
    *out = l;
    return MASKDM_OK;
}

void mdm_folder_unlock(struct mdm_folder_lock **lock)
{
    struct mdm_folder_lock *l = *lock;

    *lock = NULL;
    if (!l)
        return;
    (void)mdm_sys_close(l->fd, l->path);
    mdm_free(l->path);
    mdm_free(l);
}
