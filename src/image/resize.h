/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scaling and cropping of a picture that comes row by row.
 */
#ifndef MASKDM_IMAGE_RESIZE_H
#define MASKDM_IMAGE_RESIZE_H

#include "image/image.h"

struct mdm_resize;

/* From height x width of `channels` and `bits` to how->height x how->width, by its filter, cut and background. It
 * holds the rows that the filter reaches over and no more. */
int mdm_resize_create(struct mdm_resize **out, int64_t height, int64_t width, int channels, int bits,
                      const struct mdm_reading *how);
/* Row y of the picture; from the top down or from the bottom up, each once. */
void mdm_resize_put(struct mdm_resize *z, int64_t y, const uint16_t *row);
/* Once all rows are in. The caller owns the image. */
maskdm_image *mdm_resize_take(struct mdm_resize *z);
void mdm_resize_release(struct mdm_resize **z); /* NULL inside is fine */

#endif
