/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many pictures of one size on a white sheet, two pixels apart and from the border.
 */
#include "io/codec.h"
#include "util/checked.h"

#include <string.h>

enum { GAP = 2 };

static int side(int64_t *out, int64_t count, int64_t size)
{
    int64_t cell, total;

    if (maskdm_add_i64(&cell, size, GAP) || maskdm_mul_i64(&total, cell, count) ||
        maskdm_add_i64(out, total, GAP))
        return -1;
    return 0;
}

static int check(const maskdm_image *const *image, int64_t count, struct maskdm_failure *f)
{
    if (count < 1)
        return maskdm_failure_set(f, MASKDM_EINVAL, "a grid of %lld images", (long long)count);
    for (int64_t i = 1; i < count; i++)
        if (image[i]->height != image[0]->height || image[i]->width != image[0]->width ||
            image[i]->channels != image[0]->channels)
            return maskdm_failure_set(f, MASKDM_ESHAPE,
                                      "image %lld of a grid is %lld x %lld x %d, image 0 %lld x %lld x %d",
                                      (long long)i, (long long)image[i]->height, (long long)image[i]->width,
                                      image[i]->channels, (long long)image[0]->height, (long long)image[0]->width,
                                      image[0]->channels);
    return MASKDM_OK;
}

int maskdm_picture_grid(maskdm_image **out, const maskdm_image *const *image, int64_t count, int64_t columns,
                        struct maskdm_failure *f)
{
    int64_t rows, height, width, c, n;
    maskdm_image *sheet;

    *out = NULL;
    MASKDM_TRY(check(image, count, f));
    if (columns < 1)
        for (columns = 1; columns < MASKDM_PICTURE_SIDE && columns * columns < count;)
            columns++;
    rows = (count - 1) / columns + 1;
    if (side(&height, rows, image[0]->height) || side(&width, columns, image[0]->width))
        return maskdm_failure_set(f, MASKDM_EINVAL, "a grid of %lld images in %lld columns is too large",
                                  (long long)count, (long long)columns);
    c = image[0]->channels;
    n = image[0]->width * c;
    MASKDM_TRY(maskdm_picture_create(&sheet, height, width, (int)c, f));
    memset(sheet->sample, 0xff, (size_t)(height * width * c) * sizeof *sheet->sample);
    sheet->bits = 8;
    for (int64_t i = 0; i < count; i++) {
        int64_t top = GAP + i / columns * (image[0]->height + GAP);
        int64_t left = GAP + i % columns * (image[0]->width + GAP);

        if (image[i]->bits != 8)
            sheet->bits = 16;
        for (int64_t y = 0; y < image[i]->height; y++)
            memcpy(sheet->sample + ((top + y) * width + left) * c, image[i]->sample + y * n,
                   (size_t)n * sizeof *sheet->sample);
    }
    *out = sheet;
    return MASKDM_OK;
}
