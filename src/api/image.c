/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images across the border: caller's arrays in and out.
 */
#include <maskdm/image.h>

#include "api/argument.h"
#include "base/checked.h"
#include "data/options.h"
#include "data/reading.h"
#include "image/apng.h"
#include "image/codec.h"

#include <stdint.h>
#include <string.h>

static size_t sample_bytes(int sample_type)
{
    return sample_type == MASKDM_SAMPLE_U8 ? 1 : sample_type == MASKDM_SAMPLE_U16 ? 2 : sizeof(float);
}

/* `stride` resolved: bytes between rows, 0 meaning packed. All of it can be addressed. */
static int resolve_stride(size_t *stride, int64_t height, int64_t width, int channels, int sample_type)
{
    size_t row = (size_t)(width * channels) * sample_bytes(sample_type), all;

    if (!*stride)
        *stride = row;
    if (*stride < row)
        return mdm_fail(MASKDM_EINVAL, "rows of %zu bytes cannot be %zu bytes apart", row, *stride);
    if (mdm_mul_size(&all, *stride, (size_t)height) || all > PTRDIFF_MAX)
        return mdm_fail(MASKDM_EINVAL, "%lld rows %zu bytes apart are more than memory can hold", (long long)height,
                        *stride);
    return MASKDM_OK;
}

static int set_reading(struct mdm_reading *how, int channels, const maskdm_options *options)
{
    struct mdm_folder_options told = {0};

    if (channels < 0 || channels > 4)
        return mdm_fail(MASKDM_EINVAL, "channels is %d: 1 to 4, or 0 for the file's own", channels);
    if (options && mdm_options_kind(options) != &mdm_image_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind \"%s\" where \"image\" is wanted",
                        mdm_options_kind(options)->name);
    if (!options)
        return mdm_reading_set(how, NULL, NULL, channels);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, mdm_image_kind.table[0], &told);
    return mdm_reading_set(how, &told, options, channels);
}

int maskdm_image_read(maskdm_image **out, const char *path, int channels, const maskdm_options *options)
{
    struct mdm_reading how;
    struct mdm_work work = {0};
    int status;

    MDM_NEED_OUT(out);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    status = set_reading(&how, channels, options);
    return mdm_work_end(&work, status < 0 ? status : mdm_image_read(out, path, &how));
}

int maskdm_image_read_memory(maskdm_image **out, const void *bytes, size_t size, int channels,
                             const maskdm_options *options)
{
    struct mdm_reading how;
    struct mdm_work work = {0};
    int status;

    MDM_NEED_OUT(out);
    MDM_NEED(bytes);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    status = set_reading(&how, channels, options);
    return mdm_work_end(&work, status < 0 ? status : mdm_image_decode(out, bytes, size, &how));
}

int maskdm_image_create(maskdm_image **out, int64_t height, int64_t width, int channels, int sample_type,
                        const void *samples, size_t row_stride)
{
    maskdm_image *m;

    MDM_NEED_OUT(out);
    MDM_NEED_SAMPLE_TYPE(sample_type);
    MDM_NEED(samples);
    MDM_TRY(mdm_image_create(&m, height, width, channels));
    if (resolve_stride(&row_stride, height, width, channels, sample_type) < 0) {
        mdm_image_free(&m);
        return MASKDM_EINVAL;
    }
    m->bits = sample_type == MASKDM_SAMPLE_U8 ? 8 : 16;
    for (int64_t y = 0; y < height; y++) {
        const unsigned char *from = (const unsigned char *)samples + (size_t)y * row_stride;
        uint16_t *to = m->sample + y * width * channels;
        float x;

        if (sample_type == MASKDM_SAMPLE_U16)
            memcpy(to, from, (size_t)(width * channels) * sizeof *to);
        for (int64_t i = 0; i < width * channels; i++)
            if (sample_type == MASKDM_SAMPLE_U8) {
                to[i] = (uint16_t)(from[i] * 257);
            } else if (sample_type == MASKDM_SAMPLE_FLOAT) {
                memcpy(&x, from + (size_t)i * sizeof x, sizeof x); /* the stride may leave it unaligned */
                to[i] = mdm_sample_round(x * 65535.0, 16);
            }
    }
    *out = m;
    return MASKDM_OK;
}

void maskdm_image_release(maskdm_image **image)
{
    if (image)
        mdm_image_free(image);
}

int64_t maskdm_image_height(const maskdm_image *image)
{
    MDM_NEED(image);
    return image->height;
}

int64_t maskdm_image_width(const maskdm_image *image)
{
    MDM_NEED(image);
    return image->width;
}

int maskdm_image_channels(const maskdm_image *image)
{
    MDM_NEED(image);
    return image->channels;
}

const char *maskdm_image_remark(const maskdm_image *image)
{
    MDM_NEED_OR(image, NULL);
    return image->remark;
}

int maskdm_image_copy(const maskdm_image *image, int sample_type, void *out, size_t row_stride)
{
    int64_t n;

    MDM_NEED(image);
    MDM_NEED_SAMPLE_TYPE(sample_type);
    MDM_NEED(out);
    MDM_TRY(resolve_stride(&row_stride, image->height, image->width, image->channels, sample_type));
    n = image->width * image->channels;
    for (int64_t y = 0; y < image->height; y++) {
        unsigned char *to = (unsigned char *)out + (size_t)y * row_stride;
        const uint16_t *from = image->sample + y * n;
        float x;

        if (sample_type == MASKDM_SAMPLE_U16)
            memcpy(to, from, (size_t)n * sizeof *from);
        for (int64_t i = 0; i < n; i++)
            if (sample_type == MASKDM_SAMPLE_U8) {
                to[i] = mdm_sample_to_u8(from[i]);
            } else if (sample_type == MASKDM_SAMPLE_FLOAT) {
                x = (float)from[i] / 65535.0f;
                memcpy(to + (size_t)i * sizeof x, &x, sizeof x);
            }
    }
    return MASKDM_OK;
}

int maskdm_image_fit(maskdm_image **out, const maskdm_image *image, int64_t height, int64_t width)
{

    MDM_NEED_OUT(out);
    MDM_NEED(image);
    return mdm_image_fit(out, image, height, width);
}

int maskdm_image_write_png(const maskdm_image *image, const char *path, int bits)
{

    MDM_NEED(image);
    MDM_NEED(path);
    return mdm_image_write_png(image, path, bits);
}

int maskdm_image_write_apng(const maskdm_image *image, const maskdm_image *const *frame, int64_t count,
                            int64_t milliseconds, const char *path, int bits)
{

    MDM_NEED(image);
    MDM_NEED(frame);
    MDM_NEED(path);
    return mdm_image_write_apng(image, frame, count, milliseconds, path, bits);
}

int maskdm_image_grid(maskdm_image **out, const maskdm_image *const *image, int64_t count, int64_t columns)
{

    MDM_NEED_OUT(out);
    MDM_NEED(image);
    return mdm_image_grid(out, image, count, columns);
}
