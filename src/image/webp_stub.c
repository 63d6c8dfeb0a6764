/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for webp.c in a build without libwebp.
 */
#include "image/rows.h"

#include "base/error.h"

int mdm_rows_open_webp(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how)
{
    (void)bytes;
    (void)how;
    *out = NULL;
    return mdm_fail(MASKDM_ENOTSUP, "a WebP image of %zu bytes: this build has no libwebp to read it", size);
}
