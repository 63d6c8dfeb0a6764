/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pictures: making and freeing.
 */
#include "image/image.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "image/codec.h"

const struct mdm_reading mdm_reading_standard = {
    .background = {1, 1, 1}, .pixels = MDM_PICTURE_PIXELS, .memory = 512 << 20};

int mdm_image_allocate(maskdm_image **out, int64_t height, int64_t width, int channels)
{
    maskdm_image *m;
    size_t bytes;

    *out = NULL;
    if (mdm_mul_size(&bytes, (size_t)height * (size_t)channels * sizeof *m->sample, (size_t)width))
        return mdm_fail_memory(SIZE_MAX, "an image");
    m = mdm_calloc(1, sizeof *m);
    if (!m || !(m->sample = mdm_malloc(bytes))) {
        mdm_free(m);
        return mdm_fail_memory(bytes, "an image");
    }
    m->height = height;
    m->width = width;
    m->channels = channels;
    m->bits = 16;
    *out = m;
    return MASKDM_OK;
}

int mdm_image_create(maskdm_image **out, int64_t height, int64_t width, int channels)
{
    *out = NULL;
    if (height < 1 || width < 1 || height > MDM_PICTURE_SIDE || width > MDM_PICTURE_SIDE)
        return mdm_fail(MASKDM_EINVAL, "an image of %lld x %lld pixels: sides are 1 to %d", (long long)height,
                        (long long)width, MDM_PICTURE_SIDE);
    if (height * width > MDM_PICTURE_PIXELS)
        return mdm_fail(MASKDM_EINVAL, "an image of %lld x %lld pixels: at most %d are taken", (long long)height,
                        (long long)width, MDM_PICTURE_PIXELS);
    if (channels < 1 || channels > 4)
        return mdm_fail(MASKDM_EINVAL, "an image of %d channels: 1 to 4 are possible", channels);
    return mdm_image_allocate(out, height, width, channels);
}

void mdm_image_free(maskdm_image **image)
{
    if (!*image)
        return;
    mdm_free((*image)->sample);
    mdm_free(*image);
    *image = NULL;
}
