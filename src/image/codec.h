/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of reading and writing images share: limits, samples, channels.
 */
#ifndef MASKDM_IMAGE_CODEC_H
#define MASKDM_IMAGE_CODEC_H

#include "base/error.h"
#include "image/image.h"

enum {
    MDM_PICTURE_SIDE = 65535,      /* pixels */
    MDM_PICTURE_PIXELS = 64 << 20, /* height x width, unless options say otherwise */
    MDM_PICTURE_FILE = 256 << 20   /* bytes */
};

/* mdm_image_create() for sizes that were checked. */
int mdm_image_allocate(maskdm_image **out, int64_t height, int64_t width, int channels);

/* n pixels from the channels that they have to others; transparency that the result cannot have is composed over
 * `background`, and 1 is returned where there was some. Both sides may be the same memory only when the channels are.
 */
int mdm_convert_row(uint16_t *to, int to_channels, const uint16_t *from, int from_channels, int64_t n, int bits,
                    const float *background);

/* A PNG file in pieces, each handed over as it is made; a negative answer ends it and is returned. bits: 8 or 16. */
typedef int (*mdm_png_take)(void *user, const void *bytes, size_t n);
int mdm_png_encode(const maskdm_image *image, int bits, mdm_png_take take, void *user);

/* The columns of a grid that is near square. */
int64_t mdm_grid_columns(int64_t count);
/* The pixels of `count` cells in a line with a gap around each; -1, and nothing recorded, where they are too many. */
int mdm_grid_side(int64_t *out, int64_t count, int64_t cell, int64_t gap);

/* The nearest sample that `bits` bits can hold; v in 0 .. 65535 and beyond is clipped. */
static inline uint16_t mdm_sample_round(double v, int bits)
{
    if (!(v > 0))
        return 0;
    if (v >= 65535)
        return 65535;
    return bits == 8 ? (uint16_t)((int)(v / 257 + 0.5) * 257) : (uint16_t)(v + 0.5);
}

static inline unsigned char mdm_sample_to_u8(uint16_t v)
{
    return (unsigned char)((v + 128) / 257);
}

#endif
