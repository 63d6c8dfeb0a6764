/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many pictures of one size on a white sheet, two pixels apart and from the border.
 */
#include "base/checked.h"
#include "image/codec.h"

#include <string.h>

enum { GAP = 2 };

int64_t mdm_grid_columns(int64_t count)
{
    int64_t n = 1;

    while (n < MDM_PICTURE_SIDE && n * n < count)
        n++;
    return n;
}

int mdm_grid_side(int64_t *out, int64_t count, int64_t cell, int64_t gap)
{
    int64_t with_gap, all;

    if (mdm_add_i64(&with_gap, cell, gap) || mdm_mul_i64(&all, with_gap, count) || mdm_add_i64(out, all, gap))
        return -1;
    return 0;
}

static int check(const maskdm_image *const *image, int64_t count)
{
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "a grid of %lld images", (long long)count);
    if (image[0] && count > MDM_PICTURE_PIXELS / (image[0]->height * image[0]->width))
        return mdm_fail(MASKDM_EINVAL, "a grid of %lld images of %lld x %lld: at most %d pixels are taken",
                        (long long)count, (long long)image[0]->height, (long long)image[0]->width,
                        MDM_PICTURE_PIXELS);
    for (int64_t i = 0; i < count; i++) {
        if (!image[i])
            return mdm_fail(MASKDM_EINVAL, "image %lld of a grid is NULL", (long long)i);
        if (image[i]->height != image[0]->height || image[i]->width != image[0]->width ||
            image[i]->channels != image[0]->channels)
            return mdm_fail(MASKDM_ESHAPE, "image %lld of a grid is %lld x %lld x %d, image 0 %lld x %lld x %d",
                            (long long)i, (long long)image[i]->height, (long long)image[i]->width, image[i]->channels,
                            (long long)image[0]->height, (long long)image[0]->width, image[0]->channels);
    }
    return MASKDM_OK;
}

int mdm_image_sheet(maskdm_image **out, int64_t count, int64_t *columns, int64_t height, int64_t width, int channels)
{
    int64_t high, wide;
    int r;

    *out = NULL;
    if (*columns < 1)
        *columns = mdm_grid_columns(count);
    if (mdm_grid_side(&high, (count - 1) / *columns + 1, height, GAP) ||
        mdm_grid_side(&wide, *columns, width, GAP))
        return mdm_fail(MASKDM_EINVAL, "a grid of %lld images in %lld columns is too large", (long long)count,
                        (long long)*columns);
    r = mdm_image_create(out, high, wide, channels);
    if (r < 0)
        return mdm_fail_prefix(r, "a grid of %lld images in %lld columns", (long long)count, (long long)*columns);
    memset((*out)->sample, 0xff, (size_t)(high * wide * channels) * sizeof *(*out)->sample);
    (*out)->bits = 8;
    return MASKDM_OK;
}

void mdm_image_place(maskdm_image *sheet, const maskdm_image *image, int64_t i, int64_t columns)
{
    const int64_t top = GAP + i / columns * (image->height + GAP), left = GAP + i % columns * (image->width + GAP);
    const int64_t c = image->channels, n = image->width * c;

    if (image->bits != 8)
        sheet->bits = 16;
    for (int64_t y = 0; y < image->height; y++)
        memcpy(sheet->sample + ((top + y) * sheet->width + left) * c, image->sample + y * n,
               (size_t)n * sizeof *sheet->sample);
}

int mdm_image_grid(maskdm_image **out, const maskdm_image *const *image, int64_t count, int64_t columns)
{
    *out = NULL;
    MDM_TRY(check(image, count));
    MDM_TRY(mdm_image_sheet(out, count, &columns, image[0]->height, image[0]->width, image[0]->channels));
    for (int64_t i = 0; i < count; i++)
        mdm_image_place(*out, image[i], i, columns);
    return MASKDM_OK;
}
