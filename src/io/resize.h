/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scaling and cropping of a picture that comes row by row.
 */
#ifndef MASKDM_IO_RESIZE_H
#define MASKDM_IO_RESIZE_H

#include "io/image.h"

struct maskdm_resize;

/* From height x width of `channels` and `bits` to to_height x to_width; see maskdm_image_fit(). It holds the rows
 * that the filter reaches over and no more. */
int maskdm_resize_create(struct maskdm_resize **out, int64_t height, int64_t width, int channels, int bits,
                         int64_t to_height, int64_t to_width, struct maskdm_failure *f);
/* Row y of the picture; from the top down or from the bottom up, each once. */
void maskdm_resize_put(struct maskdm_resize *z, int64_t y, const uint16_t *row);
/* Once all rows are in. The caller owns the image. */
maskdm_image *maskdm_resize_take(struct maskdm_resize *z);
void maskdm_resize_release(struct maskdm_resize **z); /* NULL inside is fine */

#endif
