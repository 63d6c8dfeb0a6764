/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images that the host lends from its memory; nothing is copied.
 */
#include "data/data.h"

#include "base/checked.h"
#include "data/samples.h"

#include <string.h>

struct memory {
    maskdm_data base;
    const unsigned char *images;
    const int32_t *labels;
    size_t row_stride, image_stride; /* bytes */
    void (*read_row)(float *to, const unsigned char *from, int64_t n);
    maskdm_drop_callback drop; /* or NULL */
    void *user;
};

static void read_u8(float *to, const unsigned char *from, int64_t n)
{
    mdm_samples_u8(to, from, (size_t)n);
}

static void read_u16(float *to, const unsigned char *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint16_t v;

        memcpy(&v, from + 2 * i, sizeof v); /* the stride may leave it unaligned */
        to[i] = (float)v / 65535.0f;
    }
}

static void read_float(float *to, const unsigned char *from, int64_t n)
{
    memcpy(to, from, (size_t)n * sizeof *to);
}

static const struct {
    size_t bytes;
    void (*read_row)(float *to, const unsigned char *from, int64_t n);
} format[] = {
    [MASKDM_SAMPLE_U8] = {1, read_u8},
    [MASKDM_SAMPLE_U16] = {2, read_u16},
    [MASKDM_SAMPLE_FLOAT] = {sizeof(float), read_float},
};

static int get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct memory *m = (struct memory *)data;
    const unsigned char *from = m->images + (size_t)i * m->image_stride;
    int64_t n = (data->width + data->margin_width) * data->channels;

    for (int64_t y = 0; y < data->height + data->margin_height; y++)
        m->read_row(image + y * n, from + (size_t)y * m->row_stride, n);
    *label = m->labels ? m->labels[i] : -1;
    return MASKDM_OK;
}

static void finish(maskdm_data *data)
{
    struct memory *m = (struct memory *)data;

    if (m->drop)
        m->drop(m->user);
}

static const struct mdm_data_class kind = {.get = get, .close = finish};

/* Resolve the strides and see that the last byte can be addressed. */
static int resolve(struct memory *m, size_t sample_bytes)
{
    size_t row, image, all;
    const maskdm_data *d = &m->base;

    if (mdm_mul_size(&row, (size_t)d->width * (size_t)d->channels, sample_bytes))
        return mdm_fail(MASKDM_EINVAL, "rows of %lld pixels are too long", (long long)d->width);
    if (!m->row_stride)
        m->row_stride = row;
    if (m->row_stride < row)
        return mdm_fail(MASKDM_EINVAL, "rows of %zu bytes cannot be %zu bytes apart", row, m->row_stride);
    if (mdm_mul_size(&image, m->row_stride, (size_t)d->height - 1) || mdm_add_size(&image, image, row))
        return mdm_fail(MASKDM_EINVAL, "images of %lld rows %zu bytes apart are too large", (long long)d->height,
                        m->row_stride);
    if (!m->image_stride)
        m->image_stride = m->row_stride * (size_t)d->height;
    if (m->image_stride < image)
        return mdm_fail(MASKDM_EINVAL, "images of %zu bytes cannot be %zu bytes apart", image, m->image_stride);
    if (mdm_mul_size(&all, m->image_stride, (size_t)d->count - 1) || mdm_add_size(&all, all, image))
        return mdm_fail(MASKDM_EINVAL, "%lld images %zu bytes apart are more than memory can hold",
                        (long long)d->count, m->image_stride);
    return MASKDM_OK;
}

int mdm_data_memory(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height, int64_t width,
                    int channels, int sample_type, const void *images, size_t row_stride,
                    size_t image_stride, const int32_t *labels, maskdm_drop_callback drop, void *user)
{
    struct memory *m;
    int r = MASKDM_OK;

    *out = NULL;
    MDM_TRY(mdm_data_begin(&m, sizeof *m, &kind, device, count, height, width, channels));
    m->images = images;
    m->labels = m->base.known = labels;
    m->base.known_labels = labels ? count : 0;
    m->row_stride = row_stride;
    m->image_stride = image_stride;
    m->read_row = format[sample_type].read_row;
    m->base.unlabelled = labels ? 0 : count;
    r = resolve(m, format[sample_type].bytes);
    for (int64_t i = 0; labels && i < count && r >= 0; i++) {
        if (labels[i] < -1)
            r = mdm_fail(MASKDM_EINVAL, "label %d of image %lld: -1 is none, classes start at 0", (int)labels[i],
                         (long long)i);
        if (labels[i] >= m->base.labels)
            m->base.labels = (int64_t)labels[i] + 1;
        m->base.unlabelled += labels[i] < 0;
    }
    *out = &m->base;
    if (r < 0) {
        mdm_data_release(out);
        return r;
    }
    m->drop = drop;
    m->user = user;
    return MASKDM_OK;
}
