/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands at a path. A name in a folder may lead to anything or nothing; whoever leaves it out has to say which.
 */
#include "os/file.h"

#include "base/error.h"
#include "os/sys.h"

#include <errno.h>

static enum mdm_look_kind kind_of_mode(mode_t mode)
{
    if (S_ISREG(mode))
        return MDM_LOOK_FILE;
    if (S_ISDIR(mode))
        return MDM_LOOK_FOLDER;
    return S_ISFIFO(mode) ? MDM_LOOK_FIFO : S_ISSOCK(mode) ? MDM_LOOK_SOCKET : MDM_LOOK_DEVICE;
}

/* Why stat() failed. A link whose end is missing is there by itself; a name that is not there at all went away since
 * its folder was listed. */
static enum mdm_look_kind kind_of_failure(int reason, const char *path)
{
    struct stat st;

    if (reason == ELOOP)
        return MDM_LOOK_LINK_CIRCLE;
    if (reason == ENAMETOOLONG)
        return MDM_LOOK_TOO_LONG;
    return (reason == ENOENT || reason == ENOTDIR) && !lstat(path, &st) ? MDM_LOOK_BROKEN_LINK
                                                                         : MDM_LOOK_UNREACHABLE;
}

int mdm_look(struct mdm_look *out, const char *path)
{
    static const struct mdm_look empty;
    struct stat st;

    *out = empty;
    if (mdm_sys_stat(path, &st)) {
        int reason = errno, status = mdm_sys_fail("stat", path);

        out->kind = kind_of_failure(reason, path);
        return status == MASKDM_ENOMEM ? status : MASKDM_OK;
    }
    out->kind = kind_of_mode(st.st_mode);
    out->bytes = (int64_t)st.st_size;
    return MASKDM_OK;
}
