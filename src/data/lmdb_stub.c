/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for lmdb.c in a build without liblmdb.
 */
#include "data/lmdb_file.h"

#include "base/error.h"

static int find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control)
{
    (void)s;
    (void)except;
    (void)log;
    (void)control;
    return mdm_fail(MASKDM_ENOTSUP, "%s is an LMDB environment: this build has no liblmdb to read it", path);
}

const struct mdm_source_class mdm_lmdb_source = {.is = mdm_lmdb_is, .find = find};
