/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the image formats offer to io/image.c. Each takes a whole file in memory and gives the file's own
 * channels; none prints, aborts or keeps state, and all may run on a worker thread.
 */
#ifndef MASKDM_IO_CODEC_H
#define MASKDM_IO_CODEC_H

#include "io/image.h"
#include "util/error.h"

enum {
    MASKDM_PICTURE_SIDE = 65535,      /* pixels */
    MASKDM_PICTURE_PIXELS = 64 << 20, /* height x width */
    MASKDM_PICTURE_FILE = 256 << 20   /* bytes */
};

int maskdm_png_decode(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f);
/* In a build without libjpeg this says so. */
int maskdm_jpeg_decode(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f);

/* Convert in place to `channels`; transparency that the result cannot have is composed over `background` (NULL:
 * white). */
int maskdm_picture_convert(maskdm_image **image, int channels, const float *background, struct maskdm_failure *f);

/* Record "cannot allocate N bytes for WHAT" and return MASKDM_ENOMEM. */
int maskdm_picture_memory(struct maskdm_failure *f, size_t bytes, const char *what);

/* The nearest sample that `bits` bits can hold; v in 0 .. 65535 and beyond is clipped. */
static inline uint16_t maskdm_sample_round(double v, int bits)
{
    if (!(v > 0))
        return 0;
    if (v >= 65535)
        return 65535;
    return bits == 8 ? (uint16_t)((int)(v / 257 + 0.5) * 257) : (uint16_t)(v + 0.5);
}

static inline unsigned char maskdm_sample_to_u8(uint16_t v)
{
    return (unsigned char)((v + 128) / 257);
}

#endif
