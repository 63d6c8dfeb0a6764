/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images that are files in memory: decoded once, into memory of ours, which then is a set like any other in memory.
 * They stay at 8 bits a sample until one comes that has more.
 */
#include "data/data.h"

#include "backend/device.h"
#include "base/alloc.h"
#include "base/checked.h"
#include "data/reading.h"

#include <string.h>

struct samples {
    maskdm_device *device; /* where they are counted, held */
    size_t bytes, one;     /* of all; samples in an image */
    void *data;
    int32_t *labels; /* or NULL */
    int sample_type;
};

static void drop(void *user)
{
    struct samples *s = user;

    mdm_free(s->data);
    mdm_free(s->labels);
    if (s->bytes)
        mdm_device_give(s->device, s->bytes);
    mdm_device_drop(&s->device);
    mdm_free(s);
}

/* Counted before it is taken. */
static int take(struct samples *s, void **data, size_t count, size_t sample_bytes)
{
    size_t bytes;

    if (mdm_mul_size(&bytes, s->one, count) || mdm_mul_size(&bytes, bytes, sample_bytes))
        bytes = SIZE_MAX;
    MDM_TRY(mdm_device_take(s->device, bytes, "decoded images"));
    *data = mdm_malloc(bytes);
    if (!*data) {
        mdm_device_give(s->device, bytes);
        return mdm_fail_memory(bytes, "decoded images");
    }
    s->bytes += bytes;
    return MASKDM_OK;
}

/* From 8 bits a sample to 16, the first `done` images with it. */
static int widen(struct samples *s, int64_t count, int64_t done)
{
    const unsigned char *narrow = s->data;
    const size_t bytes = s->bytes;
    void *wide;

    MDM_TRY(take(s, &wide, (size_t)count, sizeof(uint16_t)));
    for (size_t i = 0; i < s->one * (size_t)done; i++)
        ((uint16_t *)wide)[i] = (uint16_t)(narrow[i] * 257);
    mdm_free(s->data);
    mdm_device_give(s->device, bytes);
    s->bytes -= bytes;
    s->data = wide;
    s->sample_type = MASKDM_SAMPLE_U16;
    return MASKDM_OK;
}

static int keep(struct samples *s, int64_t count, int64_t i, const maskdm_image *image)
{
    const size_t at = s->one * (size_t)i;

    if (image->bits != 8 && s->sample_type == MASKDM_SAMPLE_U8)
        MDM_TRY(widen(s, count, i));
    if (s->sample_type == MASKDM_SAMPLE_U16)
        memcpy((uint16_t *)s->data + at, image->sample, s->one * sizeof *image->sample);
    else
        for (size_t k = 0; k < s->one; k++)
            ((unsigned char *)s->data)[at + k] = (unsigned char)(image->sample[k] / 257);
    return MASKDM_OK;
}

static int decode(struct samples *s, int64_t count, const void *const *files, const size_t *sizes,
                  const struct mdm_reading *how)
{
    MDM_TRY(take(s, &s->data, (size_t)count, 1));
    for (int64_t i = 0; i < count; i++) {
        maskdm_image *image = NULL;
        int status = files[i] ? mdm_image_decode(&image, files[i], sizes[i], how)
                              : mdm_fail(MASKDM_EINVAL, "its bytes are NULL");

        if (status >= 0)
            status = keep(s, count, i, image);
        mdm_image_free(&image);
        if (status < 0)
            return mdm_fail_prefix(status, "image %lld", (long long)i);
    }
    return MASKDM_OK;
}

static int copy_labels(struct samples *s, const int32_t *labels, int64_t count)
{
    if (!labels)
        return MASKDM_OK;
    s->labels = mdm_need((size_t)count, sizeof *labels, "labels");
    if (!s->labels)
        return MASKDM_ENOMEM;
    memcpy(s->labels, labels, (size_t)count * sizeof *labels);
    return MASKDM_OK;
}

int mdm_data_encoded(maskdm_data **out, maskdm_device *device, int64_t count, const void *const *files,
                     const size_t *sizes, const int32_t *labels, const struct mdm_folder_options *told,
                     const maskdm_options *from)
{
    const int64_t height = told->image_size.value[0], width = told->image_size.value[told->image_size.count > 1];
    const int64_t down = mdm_reading_margin(told, height), across = mdm_reading_margin(told, width);
    const int channels = (int)told->channels;
    struct mdm_reading how;
    struct samples *s;
    int status;

    *out = NULL;
    MDM_TRY(mdm_reading_set(&how, told, from, channels));
    how.height = height + down;
    how.width = width + across;
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "a data set of %lld images", (long long)count);
    s = mdm_need(1, sizeof *s, "decoded images");
    if (!s)
        return MASKDM_ENOMEM;
    mdm_device_hold(s->device = device);
    s->one = (size_t)(how.height * how.width * channels);
    s->sample_type = MASKDM_SAMPLE_U8;
    status = decode(s, count, files, sizes, &how);
    if (status >= 0)
        status = copy_labels(s, labels, count);
    if (status >= 0)
        status = mdm_data_memory(out, device, count, how.height, how.width, channels, s->sample_type, s->data, 0, 0,
                                 s->labels, drop, s);
    if (status < 0)
        drop(s);
    else
        mdm_data_set_margin(*out, down, across);
    return status;
}
