/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data sets across the border.
 */
#include <maskdm/data.h>

#include "api/argument.h"
#include "backend/device.h"
#include "base/control.h"
#include "data/data.h"
#include "data/find.h"
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
    MDM_TRY(mdm_data_find(&found, path, NULL, &told, options, log, control));
    mdm_data_tell_found(&found, path, log);
    r = mdm_data_folder(out, device, path, &found, &told, options);
    mdm_scan_free(&found);
    if (r >= 0)
        r = mdm_data_read(*out, 0, log, control);
    if (r < 0)
        mdm_data_release(out);
    return r;
}

/* Options of kind "folder", checked; the defaults, to be released, where there are none. */
static int need_folder_options(maskdm_options **standard, const maskdm_options **options)
{
    *standard = NULL;
    if (!*options) {
        MDM_TRY(maskdm_options_create(standard, "folder"));
        *options = *standard;
    }
    if (strcmp(mdm_options_kind(*options)->name, "folder"))
        return mdm_fail(MASKDM_EINVAL, "options of kind \"%s\" where \"folder\" is wanted",
                        mdm_options_kind(*options)->name);
    MDM_TRY(mdm_options_check(*options));
    return mdm_options_check_needs(*options, NULL);
}

static int open_folder(maskdm_data **out, maskdm_device *device, const char *path, const maskdm_options *options,
                       maskdm_control *control)
{
    maskdm_options *standard;
    int r = need_folder_options(&standard, &options);

    if (r >= 0)
        r = read_folder(out, device, path, options, control);
    maskdm_options_release(&standard);
    return r;
}

int maskdm_data_open_folder(maskdm_data **out, maskdm_device *device, const char *path, const maskdm_options *options,
                            maskdm_control *control)
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

/* What was lent goes back at once where nothing was made of it. */
static int made(int status, maskdm_drop_callback drop, void *user)
{
    if (status < 0 && drop)
        drop(user);
    return status;
}

static int check_making(const char *function, maskdm_data **out, const maskdm_device *device)
{
    if (!out)
        return mdm_argument_null(function, "out");
    *out = NULL;
    return device ? MASKDM_OK : mdm_argument_null(function, "device");
}

int maskdm_data_create_memory(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height, int64_t width,
                              int channels, int sample_type, const void *images, size_t row_stride,
                              size_t image_stride, const int32_t *labels, maskdm_drop_callback drop, void *user)
{
    int status = check_making(__func__, out, device);

    if (status >= 0)
        status = mdm_argument_sample_type(__func__, sample_type);
    if (status >= 0 && !images)
        status = mdm_argument_null(__func__, "images");
    if (status >= 0)
        status = mdm_data_memory(out, device, count, height, width, channels, sample_type, images, row_stride,
                                 image_stride, labels, drop, user);
    return made(status, drop, user);
}

/* Image files of the host have no names by which a file of labels could know them. */
static int read_unnamed(struct mdm_folder_options *told, const maskdm_options *options)
{
    mdm_options_read(options, &mdm_folder_options, told);
    return !*told->label_file
               ? MASKDM_OK
               : mdm_fail(MASKDM_EINVAL,
                          "label_file is \"%s\", which goes by names: the host's images have none, and "
                          "bring their labels",
                          told->label_file);
}

static int create_encoded(maskdm_data **out, maskdm_device *device, int64_t count, const void *const *files,
                          const size_t *sizes, const int32_t *labels, const maskdm_options *options)
{
    struct mdm_folder_options told;
    maskdm_options *standard;
    int r = need_folder_options(&standard, &options);

    if (r >= 0)
        r = read_unnamed(&told, options);
    if (r >= 0)
        r = mdm_data_encoded(out, device, count, files, sizes, labels, &told, options);
    maskdm_options_release(&standard);
    return r;
}

int maskdm_data_create_encoded(maskdm_data **out, maskdm_device *device, int64_t count, const void *const *files,
                               const size_t *sizes, const int32_t *labels, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(files);
    MDM_NEED(sizes);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, create_encoded(out, device, count, files, sizes, labels, options));
}

static int create_encoded_callback(maskdm_data **out, maskdm_device *device, int64_t count,
                                   maskdm_data_encoded_callback fetch, maskdm_drop_callback drop, void *user,
                                   const maskdm_options *options, maskdm_control *control)
{
    struct mdm_folder_options told;
    maskdm_options *standard;
    int r = need_folder_options(&standard, &options);

    if (r >= 0)
        r = read_unnamed(&told, options);
    if (r >= 0)
        r = mdm_data_encoded_callback(out, device, count, fetch, drop, user, &told, options, control);
    maskdm_options_release(&standard);
    return r;
}

int maskdm_data_create_encoded_callback(maskdm_data **out, maskdm_device *device, int64_t count,
                                        maskdm_data_encoded_callback fetch, maskdm_drop_callback drop, void *user,
                                        const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};
    int status = check_making(__func__, out, device);

    if (status >= 0 && !fetch)
        status = mdm_argument_null(__func__, "fetch");
    if (status >= 0)
        status = mdm_work_share(&work, mdm_device_handle(device));
    if (status >= 0)
        status = mdm_work_share(&work, mdm_options_handle(options));
    if (status >= 0)
        status = mdm_work_share(&work, MDM_HANDLE(control));
    if (status >= 0)
        status = create_encoded_callback(out, device, count, fetch, drop, user, options, control);
    return made(mdm_work_end(&work, status), drop, user);
}

int maskdm_data_create_callback(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height,
                                int64_t width, int channels, maskdm_data_fetch_callback fetch,
                                maskdm_drop_callback drop, void *user)
{
    int status = check_making(__func__, out, device);

    if (status >= 0 && !fetch)
        status = mdm_argument_null(__func__, "fetch");
    if (status >= 0)
        status = mdm_data_callback(out, device, count, height, width, channels, fetch, drop, user);
    return made(status, drop, user);
}

int maskdm_data_split(maskdm_data **train, maskdm_data **held_out, maskdm_data *data, double fraction, uint64_t seed)
{
    struct mdm_work work = {0};
    int64_t held = 0;
    int status;

    MDM_NEED_OUT(train);
    MDM_NEED_OUT(held_out);
    MDM_NEED(data);
    MDM_TRY(mdm_work_share(&work, &data->handle));
    status = mdm_data_split_count(&held, data->count, fraction);
    if (status >= 0)
        status = mdm_data_split(train, held_out, data, held, seed);
    return mdm_work_end(&work, status);
}

int maskdm_data_take(maskdm_data **out, maskdm_data *data, double fraction, uint64_t seed)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(data);
    MDM_TRY(mdm_work_share(&work, &data->handle));
    return mdm_work_end(&work, mdm_data_take(out, data, fraction, seed));
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
