/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for jpeg.c in a build without libjpeg.
 */
#include "image/rows.h"

#include "base/error.h"

int mdm_rows_open_jpeg(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how)
{
    (void)bytes;
    (void)how;
    *out = NULL;
    return mdm_fail(MASKDM_ENOTSUP, "a JPEG image of %zu bytes: this build has no libjpeg to read it", size);
}
