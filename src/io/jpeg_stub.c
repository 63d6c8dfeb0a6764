/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for jpeg.c in a build without libjpeg.
 */
#include "io/rows.h"

#include "util/error.h"

int maskdm_rows_open_jpeg(struct maskdm_rows **out, const unsigned char *bytes, size_t size,
                          const struct maskdm_reading *how, struct maskdm_failure *f)
{
    (void)bytes;
    (void)how;
    *out = NULL;
    return maskdm_failure_set(f, MASKDM_ENOTSUP, "a JPEG image of %zu bytes: this build reads PNG only", size);
}
