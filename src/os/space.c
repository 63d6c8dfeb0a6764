/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Room on a disk.
 */
#include "os/file.h"

#include "base/error.h"
#include "os/sys.h"

#include <errno.h>
#include <sys/statvfs.h>

int mdm_disk_free(uint64_t *out, const char *path)
{
    const int refused = mdm_sys_before("space", path);
    struct statvfs s;

    *out = UINT64_MAX;
    if (refused && errno == ENOSPC) { /* a test's full disk */
        *out = 0;
        return MASKDM_OK;
    }
    if (refused || statvfs(path, &s))
        return mdm_sys_fail("ask for the room in", path);
    if (s.f_bavail < UINT64_MAX / (s.f_frsize ? s.f_frsize : 1))
        *out = (uint64_t)s.f_bavail * s.f_frsize;
    return MASKDM_OK;
}
