/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Conversion of samples. The caller's strides need not keep u16 and float aligned, hence the copies by bytes.
 */
#include "sample/pixels.h"

#include "base/checked.h"
#include "base/error.h"

#include <string.h>

/* Half up after scaling, which is rounding to nearest. */
static void put_u8(void *out, double v)
{
    *(unsigned char *)out = (unsigned char)(v * 255 + 0.5);
}

static void put_u16(void *out, double v)
{
    const uint16_t u = (uint16_t)(v * 65535 + 0.5);

    memcpy(out, &u, sizeof u);
}

static void put_float(void *out, double v)
{
    const float f = (float)v;

    memcpy(out, &f, sizeof f);
}

static const struct {
    size_t bytes;
    void (*put)(void *out, double v); /* v in 0 .. 1 */
} samples[] = {[MASKDM_SAMPLE_U8] = {1, put_u8},
               [MASKDM_SAMPLE_U16] = {sizeof(uint16_t), put_u16},
               [MASKDM_SAMPLE_FLOAT] = {sizeof(float), put_float}};

int mdm_pixels_layout(struct mdm_pixels *out, const struct mdm_geometry *g, int64_t count, int sample_type,
                      size_t row_stride, size_t image_stride)
{
    size_t row, image, all;

    row = (size_t)(g->width * g->channels) * samples[sample_type].bytes;
    if (!row_stride)
        row_stride = row;
    if (row_stride < row)
        return mdm_fail(MASKDM_EINVAL, "a row stride of %zu bytes for rows of %zu", row_stride, row);
    if (mdm_mul_size(&image, (size_t)g->height - 1, row_stride) || mdm_add_size(&image, image, row))
        return mdm_fail(MASKDM_EINVAL, "a row stride of %zu bytes is out of range", row_stride);
    if (!image_stride && mdm_mul_size(&image_stride, (size_t)g->height, row_stride))
        return mdm_fail(MASKDM_EINVAL, "a row stride of %zu bytes is out of range", row_stride);
    if (image_stride < image)
        return mdm_fail(MASKDM_EINVAL, "an image stride of %zu bytes for images of %zu", image_stride, image);
    if (mdm_mul_size(&all, (size_t)count, image_stride))
        return mdm_fail(MASKDM_EINVAL, "%lld images at a stride of %zu bytes are out of range", (long long)count,
                        image_stride);
    out->sample_type = sample_type;
    out->rows = g->height;
    out->row_values = g->width * g->channels;
    out->row_stride = row_stride;
    out->image_stride = image_stride;
    return MASKDM_OK;
}

void mdm_pixels_write(const struct mdm_pixels *p, void *out, int64_t first, int64_t count, const float *x)
{
    const size_t bytes = samples[p->sample_type].bytes;

    for (int64_t i = first; i < first + count; i++) {
        for (int64_t row = 0; row < p->rows; row++) {
            unsigned char *to = (unsigned char *)out + (size_t)i * p->image_stride + (size_t)row * p->row_stride;

            for (int64_t k = 0; k < p->row_values; k++) {
                const double v = ((double)*x++ + 1) / 2;

                samples[p->sample_type].put(to + (size_t)k * bytes, !(v > 0) ? 0 : v > 1 ? 1 : v);
            }
        }
    }
}
