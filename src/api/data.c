/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data sets across the border.
 */
#include <maskdm/data.h>

#include "api/argument.h"
#include "backend/device.h"
#include "base/control.h"
#include "data/data.h"
#include "data/options.h"
#include "option/option.h"

#include <string.h>

static int read_folder(maskdm_data **out, maskdm_device *device, const char *path, const maskdm_options *options,
                       maskdm_control *control)
{
    const struct mdm_log *log = mdm_control_log(control);
    struct mdm_folder_options told;
    struct mdm_scan found;
    int r;

    mdm_options_read(options, &mdm_folder_options, &told);
    MDM_TRY(mdm_scan_folder(&found, path, NULL, log, control));
    mdm_data_tell_found(&found, path, log);
    r = mdm_data_folder(out, device, path, &found, &told, options);
    mdm_scan_free(&found);
    if (r >= 0)
        r = mdm_data_read(*out, 0, log, control);
    if (r < 0)
        mdm_data_release(out);
    return r;
}

static int open_folder(maskdm_data **out, maskdm_device *device, const char *path, const maskdm_options *options,
                       maskdm_control *control)
{
    maskdm_options *standard = NULL;
    int r;

    if (!options) {
        MDM_TRY(maskdm_options_create(&standard, "folder"));
        options = standard;
    }
    if (strcmp(mdm_options_kind(options)->name, "folder"))
        r = mdm_fail(MASKDM_EINVAL, "options of kind \"%s\" where \"folder\" is wanted",
                     mdm_options_kind(options)->name);
    else
        r = mdm_options_check(options);
    if (r >= 0)
        r = read_folder(out, device, path, options, control);
    maskdm_options_release(&standard);
    return r;
}

int maskdm_data_open_folder(maskdm_data **out, maskdm_device *device, const char *path,
                            const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, open_folder(out, device, path, options, control));
}

int maskdm_data_create_memory(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height, int64_t width,
                              int channels, int sample_type, const void *images, size_t row_stride,
                              size_t image_stride, const int32_t *labels)
{
    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED_SAMPLE_TYPE(sample_type);
    MDM_NEED(images);
    return mdm_data_memory(out, device, count, height, width, channels, sample_type, images, row_stride,
                           image_stride, labels);
}

int maskdm_data_create_callback(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height,
                                int64_t width, int channels, maskdm_data_fetch_callback fetch,
                                maskdm_drop_callback drop, void *user)
{
    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(fetch);
    return mdm_data_callback(out, device, count, height, width, channels, fetch, drop, user);
}

int maskdm_data_split(maskdm_data **train, maskdm_data **held_out, maskdm_data *data, double fraction, uint64_t seed)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(train);
    MDM_NEED_OUT(held_out);
    MDM_NEED(data);
    MDM_TRY(mdm_work_share(&work, &data->handle));
    return mdm_work_end(&work, mdm_data_split(train, held_out, data, fraction, seed));
}

void maskdm_data_release(maskdm_data **data)
{
    if (data)
        mdm_data_release(data);
}

int64_t maskdm_data_count(const maskdm_data *data)
{
    MDM_NEED(data);
    return data->count;
}

int64_t maskdm_data_height(const maskdm_data *data)
{
    MDM_NEED(data);
    return data->height;
}

int64_t maskdm_data_width(const maskdm_data *data)
{
    MDM_NEED(data);
    return data->width;
}

int maskdm_data_channels(const maskdm_data *data)
{
    MDM_NEED(data);
    return data->channels;
}

int64_t maskdm_data_skipped(const maskdm_data *data)
{
    MDM_NEED(data);
    return data->skipped;
}

int64_t maskdm_data_label_count(const maskdm_data *data)
{
    MDM_NEED(data);
    return data->labels;
}

const char *maskdm_data_label_name(const maskdm_data *data, int64_t i)
{
    MDM_NEED_OR(data, NULL);
    return data->kind->label_name && i >= 0 && i < data->labels ? data->kind->label_name(data, i) : NULL;
}

const char *maskdm_data_path(const maskdm_data *data, int64_t i)
{
    MDM_NEED_OR(data, NULL);
    return data->kind->path && i >= 0 && i < data->count ? data->kind->path(data, i) : NULL;
}

int maskdm_data_get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct mdm_work work = {0};

    MDM_NEED(data);
    MDM_NEED(image);
    MDM_TRY(mdm_work_alone(&work, &data->handle));
    return mdm_work_end(&work, mdm_data_get(data, i, image, label));
}

int maskdm_data_batch(maskdm_data *data, uint64_t seed, int64_t step, int64_t batch, double flip, float *images,
                      int32_t *labels)
{
    struct mdm_work work = {0};

    MDM_NEED(data);
    MDM_NEED(images);
    MDM_TRY(mdm_work_alone(&work, &data->handle));
    return mdm_work_end(&work, mdm_data_batch(data, seed, step, batch, flip, images, labels));
}
