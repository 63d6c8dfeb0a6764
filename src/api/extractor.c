/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/metric.h: feature networks.
 */
#include "metric/extractor.h"

#include "api/argument.h"
#include "data/data.h"

int maskdm_extractor_create(maskdm_extractor **out, maskdm_device *device)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_extractor_create(out, device));
}

int maskdm_extractor_load(maskdm_extractor **out, maskdm_device *device, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_extractor_load(out, device, path));
}

void maskdm_extractor_release(maskdm_extractor **extractor)
{
    if (extractor)
        mdm_extractor_drop(extractor);
}

const char *maskdm_extractor_name(const maskdm_extractor *extractor)
{
    MDM_NEED_OR(extractor, NULL);
    return extractor->name;
}

int64_t maskdm_extractor_width(const maskdm_extractor *extractor)
{
    MDM_NEED(extractor);
    return extractor->kind->width;
}

int maskdm_extractor_run(maskdm_extractor *extractor, int64_t count, int64_t height, int64_t width, int channels,
                         const float *images, maskdm_control *control, float *rows)
{
    struct mdm_work work = {0};

    MDM_NEED(extractor);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(images, count);
    MDM_NEED_ARRAY(rows, count);
    if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX)
        return mdm_fail(MASKDM_EINVAL, "%s: images of %lld x %lld pixels", __func__, (long long)height,
                        (long long)width);
    MDM_TRY(mdm_work_alone(&work, &extractor->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_extractor_run(extractor, count, height, width, channels, images, rows, control));
}

int maskdm_features_create_from(maskdm_features **out, maskdm_extractor *extractor, maskdm_data *data, int64_t count,
                                maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(extractor);
    MDM_NEED(data);
    MDM_NEED_COUNT(count);
    MDM_TRY(mdm_work_alone(&work, &extractor->handle));
    MDM_TRY(mdm_work_alone(&work, &data->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_extractor_features(out, extractor, data, count, control));
}
