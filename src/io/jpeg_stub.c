/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for jpeg.c in a build without libjpeg.
 */
#include "io/codec.h"

int maskdm_jpeg_decode(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f)
{
    (void)bytes;
    *out = NULL;
    return maskdm_failure_set(f, MASKDM_ENOTSUP, "a JPEG image of %zu bytes: this build reads PNG only", size);
}
